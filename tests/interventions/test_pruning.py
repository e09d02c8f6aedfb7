import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.interventions import pruning
from paper_utils.interventions.engine import Engine

from . import reference


def test_orders_are_permutations_and_the_first_begins_with_the_least():
    increase = np.array([[3.0, -1.0, 2.0], [0.0, 9.0, 1.0]])
    found = pruning.orders(increase)
    assert list(found["least important first"]) == [1, 3, 5, 2, 0, 4]
    assert list(found["from layer 1 on"]) == list(range(6))
    assert len(found) == 2 + pruning.RANDOM_ORDERS
    assert all(sorted(order) == list(range(6)) for order in found.values())


def test_removed_heads_are_those_of_the_order(regressor, images):
    found = pruning.removal(regressor, images, np.array([4, 0, 1]), [0, 1, 3])
    engine = Engine(regressor)
    for predictions, heads in zip(found, ([], [(1, 1)], [(1, 1), (0, 0), (0, 1)]), strict=True):
        assert np.allclose(predictions, engine.predict(images, heads), atol=1e-4)
    assert np.abs(found[2] - found[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("order", "counts", "message"),
    [
        ([0, 0], [1], "at most once"),
        ([6], [1], "each of the 6 heads"),
        ([-1], [1], "each"),
        ([0, 1], [3], "cannot remove 3 of 2"),
    ],
)
def test_what_cannot_be_removed_is_named(regressor, images, order, counts, message):
    with pytest.raises(CompanionError, match=message):
        pruning.removal(regressor, images, np.array(order), counts)


def test_the_loss_without_early_heads_is_the_shipped_one():
    removals = pruning.Removals.of(reference.arrays("removals"), images=32)
    metrics = removals.metrics()
    assert reference.differing(metrics) == []
    random = [losses[3] / losses[0] for name, losses in removals.losses.items() if name.startswith("random")]
    assert metrics["ablation.removal.as_many_at_random.loss_ratio"] == pytest.approx(np.median(random))
    table = removals.table()
    assert list(table.index) == [0, 12, 24, 36, 48, 60]
    assert table.iloc[0].to_list() == ["1.0", "1.0", 32]
    assert table.loc[36].to_list()[1] == "2.4"
    with pytest.raises(CompanionError, match="no loss without 35 heads, only without 0, 12"):
        removals.metrics(early=35)
