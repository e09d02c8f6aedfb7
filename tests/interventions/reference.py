"""The shipped arrays and numbers that the typed results must agree with."""

import numpy as np

from paper_utils.files import ROOT, read_arrays, read_json
from paper_utils.interventions import EstimatedAblation

REFERENCE = ROOT / "data" / "reference"
RESULTS = read_json(REFERENCE / "results.json")


def arrays(name):
    return read_arrays(REFERENCE / f"{name}.npz")


def ablation():
    return EstimatedAblation.of(arrays("ablation"), arrays("attribution"))


def differing(metrics, *, rel=1e-9):
    """Return the keys whose value is not the shipped one."""
    return [
        key
        for key, value in metrics.items()
        if not (
            value == RESULTS[key] if isinstance(value, str) else np.isclose(value, RESULTS[key], rtol=rel, atol=1e-12)
        )
    ]
