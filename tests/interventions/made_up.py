"""Ablations with start times that are given."""

import numpy as np

from paper_utils.interventions import Ablation, EstimatedAblation
from paper_utils.interventions.estimation import FewOfMany


def estimated(baseline, ablated, *, weights=None, linearised=None, few=None):
    """An estimated ablation of such start times, seconds, whose labels have a standard deviation of 10 s.

    Args:
        baseline: (images,).
        ablated: (layers, heads, images), exact.
        weights: (images,), one if left out.
        linearised: (layers, heads, images); exact if left out.
        few: positions of the images that are known exactly; all if left out.
    """
    weights = np.ones(len(baseline)) if weights is None else weights
    few = np.arange(len(baseline)) if few is None else few

    def of(start_times, some):
        three = np.stack([baseline[some]] * 3, -1)
        return Ablation(three, np.stack([start_times[..., some]] * 3, -1), three, np.full(3, 10.0), weights[some])

    many = of(ablated if linearised is None else linearised, np.arange(len(baseline)))
    return EstimatedAblation(of(ablated, few), many, FewOfMany(few, np.ones(len(few))))
