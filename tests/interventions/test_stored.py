from dataclasses import replace

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.interventions import StoredAblationCheck, plain_sweep


@pytest.fixture
def stored(regressor, images):
    """What is stored of a model, the pool that the images are from, and how to draw some of it."""
    labels = np.array([[10.0, 20, 30]] * 4 + [[40.0, 50, 60]])  # four images with the same labels
    pool_labels = np.vstack([labels, labels + 1])
    ablation = plain_sweep(regressor, images, labels)
    pool = {"labels": pool_labels, "predictions": np.vstack([ablation.baseline, ablation.baseline])}

    def draw(indices):
        return images[indices % len(images)], pool_labels[indices]

    return ablation, {"pool": pool, "draw": draw}


def test_a_models_own_ablation_is_as_stored(regressor, stored):
    ablation, known = stored
    before = {name: tensor.clone() for name, tensor in regressor.state_dict().items()}
    found = StoredAblationCheck.of(regressor, ablation, **known)
    assert found.largest_difference < 1e-4
    errors = ((ablation.ablated - ablation.labels) / ablation.label_std) ** 2
    assert found.head == np.unravel_index(errors.mean((2, 3)).argmax(), (2, 3))
    layer, head = found.head
    assert found.table()["Value"].to_list() == [f"L{layer + 1}H{head + 1}", "yes", "5"]
    assert all((tensor == before[name]).all() for name, tensor in regressor.state_dict().items())


def test_images_are_taken_evenly_and_found_whatever_their_order(regressor, stored):
    ablation, known = stored
    pool = {name: values[::-1] for name, values in known["pool"].items()}
    asked = []

    def draw(indices):
        asked.extend(indices)
        return known["draw"](len(pool["labels"]) - 1 - indices)

    found = StoredAblationCheck.of(regressor, ablation, pool=pool, draw=draw, count=2)
    assert asked == [9, 7]  # the first and third image
    assert found.images == 2
    assert found.largest_difference < 1e-4


def test_another_models_ablation_is_not(regressor, stored):
    ablation, known = stored
    other = replace(ablation, ablated=ablation.ablated + 0.02)
    found = StoredAblationCheck.of(regressor, other, **known)
    assert found.largest_difference == pytest.approx(0.02, rel=0.01)
    assert found.table()["Value"].iloc[1] == "no"


def test_images_that_are_not_in_the_pool_are_named(regressor, stored):
    ablation, known = stored
    with pytest.raises(CompanionError, match="images that are not in the pool"):
        StoredAblationCheck.of(regressor, replace(ablation, labels=ablation.labels + 0.5), **known)
