import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch

from paper_utils.plots import networks

WEIGHTS = np.array([[0, 1.0, 0], [0, -2.0, -3.0], [4.0, 0, 0]])


def test_every_edge_is_drawn_once_in_the_colour_of_its_sign():
    axis = networks.signed_network(WEIGHTS, np.array([0.1, -0.3, 0])).axes[0]
    arrows = [patch for patch in axis.patches if isinstance(patch, FancyArrowPatch)]
    loops = [patch for patch in axis.patches if isinstance(patch, Circle)]
    assert (len(arrows), len(loops)) == (3, 1)
    assert len({tuple(arrow.get_edgecolor()) for arrow in arrows}) == 2
    assert axis.collections[0].get_clim() == (-0.3, 0.3)
    assert sorted(text.get_text() for text in axis.texts) == ["0", "1", "2"]


def test_eigenvalues_that_grow_stand_apart():
    axis = networks.eigenvalues(np.array([1 + 2j, 1 - 2j, -5, 0])).axes[0]
    grows, stays = axis.lines[:2]
    assert grows.get_xdata().tolist() == [1, 1]
    assert stays.get_xdata().tolist() == [-5, 0]


def test_scores_stand_beside_what_removal_does():
    axes = networks.network_scores({"one": np.array([1.0, 2]), "two": np.array([3.0, -4])}, np.array([5.0, 6])).axes
    assert [[bar.get_width() for bar in axis.patches] for axis in axes] == [[1, 2], [3, -4], [5, 6]]


def test_draws_reach_from_the_least_to_the_most():
    axis = networks.attention_draws(np.array([0.5, 1]), np.array([[0.0, 1], [1, 1]])).axes[0]
    assert axis.collections[0].get_segments()[0][:, 1].tolist() == [0, 1]
    assert axis.lines[0].get_ydata().tolist() == [0.5, 1]


def test_a_network_without_a_correlation_is_left_out_of_its_box():
    correlations = {"one": np.array([0.1, np.nan, 0.3]), "two": np.array([-1.0, 0, 1])}
    axis = networks.correlations_by_score(correlations, {"one": (0.2, 0, 0), "two": (0.0, 0, 0)}).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    assert axis.lines[-2].get_xdata().tolist() == [0.2, 0.0]
