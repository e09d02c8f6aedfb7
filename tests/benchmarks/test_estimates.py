import numpy as np
import pytest

from benchmarks.estimates import gains
from paper_utils.interventions.estimated import EstimatedAblation


def ablation(noise, *, few=64, many=640):
    """Two heads, nearly linear but for some noise, of plainly drawn images."""
    rng = np.random.default_rng(0)
    error, linear = rng.standard_normal((many, 3)), 0.3 * rng.standard_normal((1, 2, many, 3))
    labels = np.zeros((many, 3), np.float32)
    positions = np.sort(rng.choice(many, few, replace=False))
    exact = error[positions] + linear[:, :, positions] + noise * rng.standard_normal((1, 2, few, 3))
    return EstimatedAblation.of(
        {
            "baseline": error[positions],
            "ablated": exact,
            "labels": labels[positions],
            "label_std": np.ones(3),
            "weights": np.ones(few),
            "positions": positions,
            "choice": np.ones(few),
        },
        {"baseline": error, "labels": labels, "label_std": np.ones(3), "weights": np.ones(many), "zero_qkv": linear},
    )


def test_linear_heads_are_known_as_well_as_from_the_linearised_images():
    found = gains(ablation(0.0), budget=64, images_in_one=10)
    assert (found["exact_images"], found["linearised_images"]) == (16, 480)
    # the 480 are chosen by how much they matter, so they are worth some more than as many plainly drawn ones
    assert found["width_for_the_same_time"] == pytest.approx(np.sqrt(64 / 480), rel=0.3)
    assert found["time_for_the_same_width"] == pytest.approx(found["width_for_the_same_time"] ** 2, rel=0.1)


def test_what_the_linearised_model_does_not_know_gains_nothing():
    found = gains(ablation(3.0), budget=64, images_in_one=10)
    assert found["width_for_the_same_time"] > 1
    assert found["time_for_the_same_width"] > 1


def test_no_more_images_are_linearised_than_there_are():
    assert gains(ablation(0.0), budget=64, images_in_one=100)["linearised_images"] == 640
