import numpy as np
import pytest

from paper_utils import dataset, semantics
from paper_utils.errors import CompanionError

NAMES = list(semantics.FEATURES)


@pytest.fixture(scope="module")
def coverage():
    return np.stack([semantics.feature_coverage(dataset.sample(4, index)[1].regions) for index in range(12)])


def planted(coverage, *features):
    """Maps of one head that looks at the given features' patches and a little elsewhere."""
    seen = sum(coverage[:, NAMES.index(feature)] >= semantics.HOLDS for feature in features) > 0
    maps = np.where(seen, 1.0, 0.02)
    return (maps / maps.sum((-2, -1), keepdims=True))[:, None, None]


def means(maps, coverage):
    return {name: np.nanmean(values, axis=0) for name, values in semantics.score_heads(maps, coverage).items()}


@pytest.mark.parametrize("feature", NAMES)
def test_a_planted_head_comes_out_as_what_it_is(coverage, feature):
    scores = means(planted(coverage, feature), coverage)
    kinds, features = semantics.classify(scores)
    assert (kinds[0, 0], features[0, 0]) == ("monosemantic", feature)
    number = NAMES.index(feature)
    assert scores["pointing"][number, 0, 0] == pytest.approx(1)
    assert scores["auroc"][number, 0, 0] > 0.9


def test_a_head_of_two_regions_is_polysemantic(coverage):
    maps = planted(coverage, "colour bar", "y-axis text", "x-axis text", "title")
    kinds, _ = semantics.classify(means(maps, coverage))
    assert kinds[0, 0] == "polysemantic"


def test_a_uniform_head_is_unselective_and_scores_as_chance(coverage):
    scores = means(np.full((len(coverage), 1, 1, 14, 14), 1 / 196), coverage)
    assert np.allclose(scores["auroc"], 0.5)
    assert np.nanmax(np.abs(scores["average_precision"][..., 0, 0] - by_hand_share(coverage))) < 0.06
    assert semantics.classify(scores)[0][0, 0] == "unselective"


def by_hand_share(coverage):
    share = coverage.mean((-2, -1))
    holds = (coverage >= semantics.HOLDS).any((-2, -1))
    return np.array([share[holds[:, f], f].mean() for f in range(share.shape[1])])


def test_scores_by_brute_force(coverage):
    rng = np.random.default_rng(1)
    maps = rng.integers(1, 30, (2, 1, 2, 14, 14)).astype(float)  # with ties
    scores = semantics.score_heads(maps, coverage[:2])
    for picture in range(2):
        for head in range(2):
            a, m = maps[picture, 0, head].ravel(), coverage[picture, NAMES.index("title")].ravel()
            above = (a[:, None] > a) + 0.5 * (a[:, None] == a)
            place = picture, NAMES.index("title"), 0, head
            expected = (m[:, None] * (1 - m) * above).sum() / (m.sum() * (1 - m).sum())
            assert scores["auroc"][place] == pytest.approx(expected)
            assert scores["enrichment"][place] == pytest.approx((a @ m / a.sum()) / m.mean())
            normal = (a - a.min()) / np.ptp(a)
            assert scores["soft_iou"][place] == pytest.approx(np.minimum(normal, m).sum() / np.maximum(normal, m).sum())
            assert scores["pointing"][place] == pytest.approx((m >= semantics.HOLDS)[a == a.max()].mean())


def test_whole_patches_without_ties_score_as_defined():
    """Oracle for masks of zeros and ones: the definitions, patch by patch."""
    a = np.random.default_rng(2).permutation(196) + 1.0
    m = np.zeros(196)
    m[[3, 50, 51, 120]] = 1
    scores = semantics.score_heads(a.reshape(1, 1, 1, 14, 14), m.reshape(1, 1, 14, 14))
    wins = np.mean([inside > outside for inside in a[m > 0] for outside in a[m == 0]])
    assert scores["auroc"].item() == pytest.approx(wins)
    order = np.argsort(-a)
    hits = np.flatnonzero(m[order]) + 1
    assert scores["average_precision"].item() == pytest.approx(np.mean(np.arange(1, 5) / hits))


def test_no_map_is_better_than_the_best_and_shuffled_maps_are_chance(coverage):
    maps = planted(coverage, "title")
    best = semantics.best_reachable(coverage)
    chance = semantics.by_chance(np.repeat(maps, 40, axis=2), coverage)
    title = NAMES.index("title")
    assert best["auroc"][title] >= means(maps, coverage)["auroc"][title, 0, 0]
    assert best["soft_iou"][title] <= 1
    assert (best["average_precision"] < 1).any()  # patches hold more than one region
    assert chance["auroc"] == pytest.approx(np.full(len(NAMES), 0.5), abs=0.05)
    assert chance["enrichment"] == pytest.approx(np.ones(len(NAMES)), abs=0.3)


def test_an_absent_feature_is_not_applicable_and_never_silent(coverage):
    without = coverage.copy()
    without[:3, NAMES.index("title")] = 0
    scores = semantics.score_heads(np.ones((12, 1, 1, 14, 14)), without)
    assert np.isnan(scores["auroc"][:3, NAMES.index("title")]).all()
    assert np.isfinite(scores["auroc"][3:, NAMES.index("title")]).all()
    without[:, NAMES.index("title")] = 0
    gone = {name: values[0] for name, values in semantics.score_heads(np.ones((12, 1, 1, 14, 14)), without).items()}
    with pytest.raises(CompanionError, match="no picture holds 'title'"):
        semantics.classify(gone)


def test_wrong_grids_and_empty_maps_are_refused(coverage):
    with pytest.raises(CompanionError, match="grid"):
        semantics.score_heads(np.ones((12, 1, 1, 7, 7)), coverage)
    for bad in (0.0, np.nan):
        with pytest.raises(CompanionError, match="holds no attention, or something that is not a number"):
            semantics.score_heads(np.full((12, 1, 1, 14, 14), bad), coverage)


def test_a_stricter_rule_names_fewer_heads(coverage):
    scores = means(np.concatenate([planted(coverage, name) for name in NAMES[:6]], axis=2), coverage)
    loose, strict = semantics.sensitivity(scores, [semantics.Rule(), semantics.Rule(bright_share=1.01)])
    assert loose["monosemantic"] == 6
    assert strict["monosemantic"] == 0
    assert sum(strict.values()) == 6


def test_captions_come_from_the_scores(coverage):
    maps = np.concatenate(
        [planted(coverage, "chirp"), planted(coverage, "title", "colour bar"), np.full((12, 1, 1, 14, 14), 1.0)], axis=2
    )
    scores = means(maps, coverage)
    kinds, features = semantics.classify(scores)
    said = [semantics.describe(scores, kinds, features, (0, head)) for head in range(3)]
    assert said[0] == "chirp 100 %"
    assert said[1].startswith("polysemantic: ")
    assert {part.split()[0] for part in said[1].removeprefix("polysemantic: ").split(", ")} & {"title", "colour"}
    assert said[2].startswith("unselective, most ")


def test_constancy_tells_a_habit_from_a_search(coverage):
    rng = np.random.default_rng(0)
    habit = np.repeat(rng.random((1, 1, 1, 14, 14)), 12, axis=0)
    maps = np.concatenate([habit, rng.random((12, 1, 1, 14, 14))], axis=2)
    pairs = np.corrcoef(maps[:, 0, 1].reshape(12, -1))
    expected = (pairs.sum() - 12) / 132
    assert semantics.constancy(maps)[0] == pytest.approx([1, expected])


def test_strongest_takes_the_wanted_heads_first():
    score = np.array([[0.9, 0.1], [0.5, 0.7]])
    wanted = np.array([[False, True], [True, False]])
    assert semantics.strongest(score, wanted, count=5) == [(1, 0), (0, 1)]
    assert semantics.strongest(score, np.zeros((2, 2), bool), count=2) == [(0, 0), (1, 1)]
