import numpy as np

from paper_utils.ablation_figures import effect_intervals


def test_found_heads_are_filled_and_every_head_is_there():
    increase = np.linspace(-1, 20, 24).reshape(2, 12)
    found = increase > 10
    bounds = np.array([[0.0, 1.0], [5.0, 9.0]])
    axis = effect_intervals(increase, increase - 1, increase + 1, found, bounds).axes[0]
    filled, hollow = axis.collections[-2:]
    assert [len(filled.get_offsets()), len(hollow.get_offsets())] == [int(found.sum()), int((~found).sum())]
    assert set(np.round(filled.get_offsets()[:, 0])) == {2}
