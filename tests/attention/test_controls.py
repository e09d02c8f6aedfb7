import numpy as np
import pytest

from paper_utils.attention import controls
from paper_utils.attention.scores import FEATURES
from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.errors import CompanionError


@pytest.fixture
def positions():
    """Coverage (20, 14, 14) of a feature that lies elsewhere in every image, and of the same feature moved."""
    rng = np.random.default_rng(0)
    before, after = np.zeros((2, 20, 14, 14))
    for image, (row, column) in enumerate(rng.integers(0, 12, (20, 2))):
        before[image, row : row + 2, column] = 1
        after[image, row : row + 2, column + 1] = 1
    return before, after


def heads(*attended):
    """Maps (images, 1, heads, 14, 14) of heads that attend mostly to the given patches."""
    noise = np.random.default_rng(1).random((len(attended), *attended[0].shape)) * 0.02
    maps = np.stack(attended) + 0.05 + noise
    return (maps / maps.sum((-2, -1), keepdims=True)).swapaxes(0, 1)[:, None]


def test_planted_heads_get_their_verdicts(positions):
    before, after = positions
    uniform = np.zeros_like(before)
    found = controls.compare_with_one_control(
        heads(before, before, uniform), before, heads(after, before, uniform), after
    )
    assert list(found.drive[0]) == ["content-driven", "position-driven", "not applicable"]
    assert found.stays[0, 0] == pytest.approx(0, abs=0.1)
    assert found.follows[0, 0] == pytest.approx(1, abs=0.1)
    assert found.stays[0, 1] == pytest.approx(1, abs=0.1)
    assert found.follows[0, 1] == pytest.approx(0, abs=0.1)
    assert np.isnan(found.stays[0, 2])
    assert (found.stays_low[0, :2] <= found.stays[0, :2]).all()
    assert (found.stays_high[0, :2] >= found.stays[0, :2]).all()


def test_half_of_the_images_each_way_is_mixed(positions):
    before, after = positions
    half = np.where((np.arange(20) % 2 == 0)[:, None, None], before, after)
    found = controls.compare_with_one_control(heads(before), before, heads(half), after)
    assert found.drive[0, 0] == "mixed"
    assert found.stays[0, 0] == pytest.approx(0.5, abs=0.1)


def test_nothing_follows_a_removed_feature(positions):
    before, _ = positions
    gone = np.zeros_like(before)
    found = controls.compare_with_one_control(heads(before, before), before, heads(gone, before), gone)
    assert list(found.drive[0]) == ["content-driven", "position-driven"]
    assert np.isnan(found.follows).all()


def test_every_feature_has_a_control_of_a_known_variant():
    assert set(controls.CONTROLS) == set(FEATURES)
    assert {name for names in controls.CONTROLS.values() for name in names} - {controls.OTHER_IMAGE} <= set(VARIANTS)


def test_controls_take_each_features_own_coverage_and_for_the_chirp_another_image(positions):
    before, after = positions
    features = len(FEATURES)
    coverage = {"published": np.repeat(before[:, None], features, 1)}
    coverage |= {name: np.repeat(after[:, None], features, 1) for name in controls.VARIANTS_NEEDED}
    maps = {name: heads(after) for name in controls.VARIANTS_NEEDED} | {"published": heads(before)}
    found = controls.compare_with_controls(maps, coverage)
    assert set(found) == {(feature, name) for feature, names in controls.CONTROLS.items() for name in names}
    assert all(one.drive[0, 0] == "content-driven" for one in found.values())
    still = controls.compare_with_controls(maps | {"moved_up": heads(before)}, coverage)
    assert still["title", "moved_up"].drive[0, 0] == "position-driven"
    assert still["title", "no_title"].drive[0, 0] == "content-driven"


def test_bad_input_is_named(positions):
    before, after = positions
    with pytest.raises(CompanionError, match="as many images"):
        controls.compare_with_one_control(heads(before), before, heads(before)[:3], after)
    nowhere = np.zeros_like(before)
    with pytest.raises(CompanionError, match="is in no image"):
        controls.compare_with_one_control(heads(before), nowhere, heads(after), nowhere)


def test_no_head_is_judged_by_what_moves_within_its_patches(positions):
    before, after = positions
    found = controls.compare_with_one_control(heads(before), before, heads(after), before)
    assert (found.drive == "not applicable").all()
    assert np.isnan([found.follows, found.stays, found.stays_low, found.stays_high]).all()
