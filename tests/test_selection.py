import numpy as np

from paper_utils.selection import choose, chosen


def test_badly_read_pictures_are_chosen_more_often_and_count_less(run, model):
    indices, weights = chosen(run, model, run.evaluation(model))
    assert len(indices) == 8
    assert 15 in indices
    assert weights[list(indices).index(15)] == weights.min()


def test_a_part_of_the_chosen_is_spread_over_them(run, model):
    whole, part = (choose(run, model, run.evaluation(model), part=part) for part in (1, 4))
    assert np.array_equal(part["weights"], whole["weights"][::4])
    assert (part["pictures"] == whole["pictures"][::4]).all()
    assert len(choose(run, model, run.evaluation(model), part=64)["labels"]) == 8  # too few to thin out
