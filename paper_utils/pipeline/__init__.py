"""Profiles, the table of stages, their cache, and Run, the facade that notebooks use."""
