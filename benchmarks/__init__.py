"""Timings against plain versions and peers: `python -m benchmarks.benchmark --help`."""
