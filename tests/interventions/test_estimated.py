import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.interventions.estimated import EstimatedAblation

UNIT = np.array([2.0, 5.0, 4.0], np.float32)


def made_up(seed, *, few=16, many=64, agree=True):
    """Arrays of the two stages; where they agree the linearised changes are the exact ones."""
    rng = np.random.default_rng(seed)
    labels = rng.normal(30, 10, (many, 3)).astype(np.float32)
    baseline = labels + rng.normal(0, 2, labels.shape).astype(np.float32)
    changes = rng.normal(0, 1, (2, 3, many, 3))
    weights = rng.uniform(0.5, 2, many)
    positions = np.sort(rng.choice(many, few, replace=False))
    choice = rng.uniform(0.5, 2, few)
    exact = changes[:, :, positions] if agree else rng.normal(0, 1, (2, 3, few, 3))
    return {
        "baseline": baseline[positions],
        "ablated": baseline[positions] + exact,
        "labels": labels[positions],
        "label_std": UNIT,
        "weights": weights[positions] * choice,
        "positions": positions,
        "choice": choice,
    }, {"baseline": baseline, "labels": labels, "label_std": UNIT, "weights": weights, "zero_qkv": changes}


def plain_errors(predictions, many):
    """Weighted squared errors of each target in units of its deviation, written out."""
    return ((predictions - many["labels"]) / UNIT) ** 2 * many["weights"][:, None]


@given(st.integers(0, 1000))
def test_where_linearised_is_exact_every_image_has_its_own_error(seed):
    exact, many = made_up(seed)
    found = EstimatedAblation.of(exact, many)
    expected = plain_errors(many["baseline"] + many["zero_qkv"], many)
    assert np.allclose(found.ablated_by_target(), np.moveaxis(expected, -1, 0), atol=1e-3)
    assert np.allclose(found.ablated(), expected.mean(-1), atol=1e-3)
    assert np.allclose(found.intact, plain_errors(many["baseline"], many).mean(-1), rtol=1e-5)
    moved = np.abs(many["zero_qkv"][..., 0]) * many["weights"] / many["weights"].mean()
    assert np.allclose(found.shifts(), moved, atol=1e-3)
    assert np.allclose(found.correlations(), 1, atol=1e-4)


def test_a_linearised_model_that_knows_nothing_leaves_the_mean_of_the_few():
    exact, many = made_up(3, few=60, agree=False)
    many["zero_qkv"] = np.zeros_like(many["zero_qkv"])
    found = EstimatedAblation.of(exact, many)
    changes = (
        plain_errors(exact["ablated"], part(many, exact)) - plain_errors(exact["baseline"], part(many, exact))
    ).mean(-1)
    expected = changes @ exact["choice"] / exact["choice"].sum()
    assert (found.ablated() - found.intact).mean(-1) == pytest.approx(expected, rel=1e-4)


def part(many, exact):
    return {"labels": exact["labels"], "weights": many["weights"][exact["positions"]]}


def test_other_replacements_are_estimated_alike():
    exact, many = made_up(5)
    changes = plain_errors(many["baseline"] + many["zero_qkv"], many) - plain_errors(many["baseline"], many)
    unweighted = changes.mean(-1) / many["weights"]
    some = exact["positions"]
    found = EstimatedAblation.of(exact, many)
    replaced = found.replaced({"zero": unweighted[:, :, some] * exact["weights"]}, {"zero": unweighted})
    assert np.allclose(replaced["zero"], changes.mean(-1), atol=1e-3)
    assert np.allclose(replaced["zero_qkv"], replaced["zero"], atol=1e-2)


def test_the_linearised_few_are_the_exact_ones_images():
    exact, many = made_up(7)
    few = EstimatedAblation.of(exact, many).linearised_few()
    assert np.array_equal(few.labels, exact["labels"])
    assert np.array_equal(few.weights, exact["weights"])
    assert np.allclose(few.ablated, exact["ablated"], atol=1e-4)
