import numpy as np
import pytest

from paper_utils.claims import PUBLISHED_BASELINE, baseline_loss, figure_4, row_means, row_order


def test_rows_1_to_4_and_row_7_have_the_numbers_of_the_abstract():
    table = row_means(figure_4()).table()
    assert table.loc["1 to 4"].tolist() == ["0.11", "0.09", 48]
    assert table.loc["7"].tolist() == ["0.34", "0.02", 12]
    assert table.loc["12", "heads"] == 11  # one value is not legible
    assert table.index.tolist() == [*map(str, range(1, 13)), "1 to 3", "1 to 4"]


def test_no_random_order_of_the_heads_is_as_continuous_as_the_published_one():
    order = row_order(figure_4(), orders=99)
    table = order.table()
    assert table["as published"].tolist() == ["0.69", "0.17", "0.99"]
    assert table["as extreme"].tolist() == [0, 0, 0]
    assert table["orders"].tolist() == [99, 99, 99]
    assert list(order.sweeps()) == ["as published", "heads of each row shuffled"]
    assert order.captions()[0] == "rank autocorrelation 0.69, continuity 0.17"


def test_shuffled_rows_keep_the_autocorrelation_and_lose_the_order_of_ranks():
    shuffled = row_order(figure_4(), orders=99).table()["shuffled, mean"].astype(float)
    assert shuffled["autocorrelation"] > 0.94
    assert shuffled["rank autocorrelation within rows"] == pytest.approx(-1 / 11, abs=0.03)


def test_orders_keep_each_rows_values_and_random_rows_are_not_extreme():
    figure = np.random.default_rng(1).normal(size=(12, 12))
    order = row_order(figure, orders=50)
    assert np.array_equal(np.sort(order.shuffled, axis=-1), np.broadcast_to(np.sort(figure, axis=-1), (50, 12, 12)))
    assert (order.table()["as extreme"] > 1).all()


def test_the_published_baseline_lies_between_zeros_and_standardised_values():
    found = baseline_loss(chirps=4000)
    assert found.true_values == 0
    assert found.means < found.standardised < found.zeros
    assert found.zeros == pytest.approx(PUBLISHED_BASELINE, rel=0.05)
    assert found.table()["loss"].astype(float).is_monotonic_decreasing
