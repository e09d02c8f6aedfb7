import numpy as np

from paper_utils.plots.ablation import (
    effect_intervals,
    effect_scatter,
    effects_by_target,
    shift_bounds,
    shift_maps,
    sweeps_side_by_side,
)


def test_significant_heads_are_filled_and_every_head_is_drawn():
    increase = np.linspace(-1, 20, 24).reshape(2, 12)
    significant = increase > 10
    bounds = np.array([[0.0, 1.0], [5.0, 9.0]])
    axis = effect_intervals(increase, increase - 1, increase + 1, significant, bounds).axes[0]
    filled, hollow = axis.collections[-2:]
    assert [len(filled.get_offsets()), len(hollow.get_offsets())] == [int(significant.sum()), int((~significant).sum())]
    assert set(np.round(filled.get_offsets()[:, 0])) == {2}


def test_targets_share_one_colour_scale():
    increase = np.random.default_rng(0).normal(size=(3, 12, 12)) * np.array([1, 10, 100])[:, None, None]
    axes = effects_by_target(increase, ["a", "b", "c"]).axes[:3]
    assert [axis.get_title() for axis in axes] == ["a", "b", "c"]
    limits = {axis.images[0].norm.vmax for axis in axes}
    assert limits == {np.abs(increase).max()}
    assert axes[0].images[0].get_extent() == [0.5, 12.5, 12.5, 0.5]  # heads and layers from 1


def test_scatter_shows_every_head_and_the_rank_correlation():
    exact = np.arange(24.0).reshape(2, 12)
    axes = effect_scatter(exact, {"same order": exact**2, "reversed": -exact}, exact_name="exact").axes
    assert [axis.get_title().split()[-1] for axis in axes[:2]] == ["1.00", "-1.00"]
    assert np.array_equal(axes[0].collections[0].get_offsets()[:, 1], (exact**2).ravel())


def test_an_illegible_value_is_blank_and_each_protocol_has_its_own_scale():
    small, large = np.full((12, 12), 0.1), np.full((12, 12), 50.0)
    small[11, 9] = np.nan
    axes = sweeps_side_by_side({"published": small, "ours": large}, ["one", "two"]).axes
    images = [axis.images[0] for axis in axes if axis.images]
    assert [image.norm.vmax for image in images] == [0.1, 50]
    assert images[0].get_array().mask[11, 9]


def test_shifts_have_scales_of_their_own():
    axes = shift_maps({"seconds": np.full((12, 12), 4.0), "KS": np.full((12, 12), 0.1)}).axes
    assert [axis.images[0].get_clim() for axis in axes[:2]] == [(0, 4), (0, 0.1)]
    assert [axis.get_title() for axis in axes[:2]] == ["seconds", "KS"]


def test_heads_whose_bound_lies_below_the_margin_are_hollow():
    mean = np.linspace(0, 1, 24).reshape(2, 12)
    axis = shift_bounds(mean, mean - 0.05, mean + 0.05, margin=0.25).axes[0]
    filled, hollow = axis.collections[-2:]
    equivalent = int((mean + 0.05 < 0.25).sum())
    assert [len(filled.get_offsets()), len(hollow.get_offsets())] == [24 - equivalent, equivalent]
    assert hollow.get_offsets()[:, 1].max() < 0.25
    assert axis.lines[-1].get_ydata()[0] == 0.25
