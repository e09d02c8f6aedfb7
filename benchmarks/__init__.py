"""Timings against direct implementations and other libraries: `python -m benchmarks.benchmark --help`."""
