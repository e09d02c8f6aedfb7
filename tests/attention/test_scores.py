import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paper_utils.attention import scores as region_scores
from paper_utils.data.dataset import sample
from paper_utils.errors import CompanionError

NAMES = list(region_scores.FEATURES)


def test_scores_by_brute_force(coverage):
    rng = np.random.default_rng(1)
    maps = rng.integers(1, 30, (2, 1, 2, 14, 14)).astype(float)  # with ties
    scores = region_scores.score_heads(maps, coverage[:2])
    for image in range(2):
        for head in range(2):
            a, m = maps[image, 0, head].ravel(), coverage[image, NAMES.index("title")].ravel()
            above = (a[:, None] > a) + 0.5 * (a[:, None] == a)
            index = image, NAMES.index("title"), 0, head
            expected = (m[:, None] * (1 - m) * above).sum() / (m.sum() * (1 - m).sum())
            assert scores["auroc"][index] == pytest.approx(expected)
            assert scores["enrichment"][index] == pytest.approx((a @ m / a.sum()) / m.mean())
            normal = (a - a.min()) / np.ptp(a)
            assert scores["soft_iou"][index] == pytest.approx(np.minimum(normal, m).sum() / np.maximum(normal, m).sum())
            assert scores["pointing"][index] == pytest.approx((m >= region_scores.HOLDS)[a == a.max()].mean())


def test_whole_patches_without_ties_score_as_defined():
    """Oracle for masks of zeros and ones: the definitions, patch by patch."""
    a = np.random.default_rng(2).permutation(196) + 1.0
    m = np.zeros(196)
    m[[3, 50, 51, 120]] = 1
    scores = region_scores.score_heads(a.reshape(1, 1, 1, 14, 14), m.reshape(1, 1, 14, 14))
    wins = np.mean([inside > outside for inside in a[m > 0] for outside in a[m == 0]])
    assert scores["auroc"].item() == pytest.approx(wins)
    order = np.argsort(-a)
    hits = np.flatnonzero(m[order]) + 1
    assert scores["average_precision"].item() == pytest.approx(np.mean(np.arange(1, 5) / hits))


def test_no_map_is_better_than_the_best_and_shuffled_maps_are_chance(coverage, planted):
    maps = planted(coverage, "title")
    best = region_scores.best_reachable(coverage)
    chance = region_scores.by_chance(np.repeat(maps, 40, axis=2), coverage)
    title = NAMES.index("title")
    assert best["auroc"][title] >= region_scores.mean_scores(maps, coverage)["auroc"][title, 0, 0]
    assert best["soft_iou"][title] <= 1
    assert (best["average_precision"] < 1).any()  # patches hold more than one region
    assert chance["auroc"] == pytest.approx(np.full(len(NAMES), 0.5), abs=0.05)
    assert chance["enrichment"] == pytest.approx(np.ones(len(NAMES)), abs=0.3)


def test_wrong_grids_and_empty_maps_are_refused(coverage):
    with pytest.raises(CompanionError, match="grid"):
        region_scores.score_heads(np.ones((12, 1, 1, 7, 7)), coverage)
    for bad in (0.0, np.nan):
        with pytest.raises(CompanionError, match="holds no attention, or something that is not a number"):
            region_scores.score_heads(np.full((12, 1, 1, 14, 14), bad), coverage)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), peaked=st.floats(0.1, 20))
def test_no_map_beats_the_best_reachable_one(coverage, seed, peaked):
    rng = np.random.default_rng(seed)
    near = coverage[:1, NAMES.index("title")] ** rng.uniform(0.2, 3) + rng.uniform(0, 0.2)
    maps = np.stack([rng.random((1, 14, 14)) ** peaked, near * rng.random((1, 14, 14)) ** (1 / peaked)], axis=1)
    scores, best = region_scores.score_heads(maps[:, None], coverage[:1]), region_scores.best_reachable(coverage[:1])
    for name, values in scores.items():
        there = np.isfinite(best[name])
        assert (values[0, there].max((-2, -1)) <= best[name][there] + 1e-9).all(), name


def test_intervals_hold_the_means_and_the_table_every_score(coverage, planted):
    maps = np.concatenate([planted(coverage, "title"), np.full((12, 1, 1, 14, 14), 1.0)], axis=2)
    without = coverage.copy()
    without[:, NAMES.index("chirp")] = 0
    scored = region_scores.score_with_intervals(region_scores.score_heads(maps, without))
    for name, means in scored.means.items():
        there = np.isfinite(means)
        assert there.sum() == means.size - 2  # the chirp, in two heads
        assert (scored.low[name][there] <= means[there] + 1e-9).all()
        assert (means[there] <= scored.high[name][there] + 1e-9).all()
    rows = region_scores.score_table({"patches": scored, "cls": scored})
    assert len(rows) == 2 * 2 * len(NAMES)
    title = next(row for row in rows if (row["view"], row["head"], row["feature"]) == ("cls", "L1H1", "title"))
    assert float(title["enrichment_low"]) <= float(title["enrichment"]) <= float(title["enrichment_high"])
    assert {row["auroc"] for row in rows if row["feature"] == "chirp"} == {""}  # said, and not as a number


@pytest.mark.parametrize("patch", [8, 14, 16, 28, 32, 56])
def test_every_feature_is_held_by_some_patch_of_any_grid(patch):
    regions = [sample(4, index)[1].regions for index in range(4)]
    coverage = np.stack([region_scores.feature_coverage(one, patch=patch) for one in regions])
    assert region_scores.held(coverage).any((0, 2, 3)).all()
    if patch <= 16:
        assert np.array_equal(region_scores.held(coverage), coverage >= region_scores.HOLDS)
