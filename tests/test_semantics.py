import numpy as np
import pytest

from paper_utils import dataset, semantics
from paper_utils.errors import CompanionError

NAMES = list(semantics.FEATURES)


@pytest.fixture(scope="module")
def patches():
    return np.stack([semantics.feature_patches(dataset.sample(4, index)[1].regions) for index in range(12)])


def planted(patches, *features):
    """Maps of one head that looks at the given features' patches and a little elsewhere."""
    seen = sum(patches[:, NAMES.index(feature)] for feature in features) > 0
    maps = np.where(seen, 1.0, 0.02)
    return (maps / maps.sum((-2, -1), keepdims=True))[:, None, None]


@pytest.mark.parametrize("feature", NAMES)
def test_a_planted_head_comes_out_as_what_it_is(patches, feature):
    kinds, features = semantics.classify(semantics.score_heads(planted(patches, feature), patches))
    assert (kinds[0, 0], features[0, 0]) == ("monosemantic", feature)


def test_a_head_of_two_regions_is_polysemantic(patches):
    maps = planted(patches, "colour bar", "y-axis text", "x-axis text", "title")
    kinds, _ = semantics.classify(semantics.score_heads(maps, patches))
    assert kinds[0, 0] == "polysemantic"


def test_a_uniform_head_is_unselective(patches):
    maps = np.full((len(patches), 1, 1, 14, 14), 1 / 196) + np.random.default_rng(0).normal(0, 1e-5, (12, 1, 1, 14, 14))
    scores = semantics.score_heads(maps, patches)
    assert np.allclose(scores.enrichment, 1, atol=0.05)
    assert semantics.classify(scores)[0][0, 0] == "unselective"


def test_enrichment_by_brute_force(patches):
    maps = np.random.default_rng(1).random((12, 2, 3, 14, 14))
    scores = semantics.score_heads(maps, patches)
    feature = NAMES.index("title")
    for layer in range(2):
        for head in range(3):
            values = [
                m[layer, head][p[feature]].mean() / m[layer, head].mean() for m, p in zip(maps, patches, strict=True)
            ]
            assert scores.enrichment[feature, layer, head] == pytest.approx(np.mean(values))


def test_wrong_grids_and_absent_features_are_refused(patches):
    with pytest.raises(CompanionError, match="grid"):
        semantics.score_heads(np.ones((12, 1, 1, 7, 7)), patches)
    without = patches.copy()
    without[:, NAMES.index("title")] = False
    with pytest.raises(CompanionError, match="no picture holds 'title'"):
        semantics.score_heads(np.ones((12, 1, 1, 14, 14)), without)


def test_strongest_takes_the_wanted_heads_first():
    score = np.array([[0.9, 0.1], [0.5, 0.7]])
    wanted = np.array([[False, True], [True, False]])
    assert semantics.strongest(score, wanted, count=5) == [(1, 0), (0, 1)]
    assert semantics.strongest(score, np.zeros((2, 2), bool), count=2) == [(0, 0), (1, 1)]
