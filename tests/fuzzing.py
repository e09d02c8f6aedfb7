"""How many examples the fuzz tests try: three hundred in the ordinary tests, more by `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

__all__ = ["FUZZED"]

# files are written into one folder again and again, which hypothesis warns of
FUZZED = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
