"""Profiles, the table of stages, their cache, and Run, the facade that notebooks use."""

from .profiles import PROFILES, Profile, get_profile
from .run import Run

__all__ = ["PROFILES", "Profile", "Run", "get_profile"]
