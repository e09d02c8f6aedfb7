import numpy as np
import pytest

from paper_utils.attention import controls as nulls
from paper_utils.attention import scores as region_scores
from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.errors import CompanionError


@pytest.fixture
def places():
    """Coverage (20, 14, 14) of a feature that lies elsewhere in every image, and of the same feature moved."""
    rng = np.random.default_rng(0)
    before, after = np.zeros((2, 20, 14, 14))
    for image, (row, column) in enumerate(rng.integers(0, 12, (20, 2))):
        before[image, row : row + 2, column] = 1
        after[image, row : row + 2, column + 1] = 1
    return before, after


def heads(*looks):
    """Maps (images, 1, heads, 14, 14) of heads that look mostly at the given places."""
    noise = np.random.default_rng(1).random((len(looks), *looks[0].shape)) * 0.02
    maps = np.stack(looks) + 0.05 + noise
    return (maps / maps.sum((-2, -1), keepdims=True)).swapaxes(0, 1)[:, None]


def test_planted_heads_come_out_as_what_they_are(places):
    before, after = places
    uniform = np.zeros_like(before)
    found = nulls.driven_by(heads(before, before, uniform), before, heads(after, before, uniform), after)
    assert list(found.drive[0]) == ["content", "place", "not applicable"]
    assert found.stays[0, 0] == pytest.approx(0, abs=0.1)
    assert found.follows[0, 0] == pytest.approx(1, abs=0.1)
    assert found.stays[0, 1] == pytest.approx(1, abs=0.1)
    assert found.follows[0, 1] == pytest.approx(0, abs=0.1)
    assert np.isnan(found.stays[0, 2])
    assert (found.stays_low[0, :2] <= found.stays[0, :2]).all()
    assert (found.stays_high[0, :2] >= found.stays[0, :2]).all()


def test_half_of_the_images_each_way_is_mixed(places):
    before, after = places
    half = np.where((np.arange(20) % 2 == 0)[:, None, None], before, after)
    found = nulls.driven_by(heads(before), before, heads(half), after)
    assert found.drive[0, 0] == "mixed"
    assert found.stays[0, 0] == pytest.approx(0.5, abs=0.1)


def test_what_was_removed_cannot_be_followed(places):
    before, _ = places
    gone = np.zeros_like(before)
    found = nulls.driven_by(heads(before, before), before, heads(gone, before), gone)
    assert list(found.drive[0]) == ["content", "place"]
    assert np.isnan(found.follows).all()


def test_every_feature_has_a_null_of_a_known_variant():
    assert set(nulls.CONTROLS) == set(region_scores.FEATURES)
    assert {name for names in nulls.CONTROLS.values() for name in names} - {nulls.OTHER} <= set(VARIANTS)


def test_confrontations_take_each_features_own_coverage_and_for_the_chirp_another_image(places):
    before, after = places
    features = len(region_scores.FEATURES)
    coverage = {"published": np.repeat(before[:, None], features, 1)}
    coverage |= {name: np.repeat(after[:, None], features, 1) for name in nulls.VARIANTS_NEEDED}
    maps = {name: heads(after) for name in nulls.VARIANTS_NEEDED} | {"published": heads(before)}
    found = nulls.compare_with_controls(maps, coverage)
    assert set(found) == {(feature, name) for feature, names in nulls.CONTROLS.items() for name in names}
    assert all(driven.drive[0, 0] == "content" for driven in found.values())
    still = nulls.compare_with_controls(maps | {"moved_up": heads(before)}, coverage)
    assert still["title", "moved_up"].drive[0, 0] == "place"
    assert still["title", "no_title"].drive[0, 0] == "content"


def test_bad_input_is_named(places):
    before, after = places
    with pytest.raises(CompanionError, match="as many images"):
        nulls.driven_by(heads(before), before, heads(before)[:3], after)
    with pytest.raises(CompanionError, match="nowhere else"):
        nulls.driven_by(heads(before), before, heads(before), before)
