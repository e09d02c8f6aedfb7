import numpy as np
import pytest

from paper_utils.attention import scores as region_scores
from paper_utils.attention import semantics
from paper_utils.errors import CompanionError

NAMES = list(region_scores.FEATURES)


@pytest.mark.parametrize("feature", NAMES)
def test_a_planted_head_comes_out_as_what_it_is(coverage, feature, planted):
    scores = region_scores.mean_scores(planted(coverage, feature), coverage)
    kinds, features = semantics.classify(scores)
    assert (kinds[0, 0], features[0, 0]) == ("monosemantic", feature)
    number = NAMES.index(feature)
    assert scores["pointing"][number, 0, 0] == pytest.approx(1)
    assert scores["auroc"][number, 0, 0] > 0.9


def test_a_head_of_two_regions_is_polysemantic(coverage, planted):
    maps = planted(coverage, "colour bar", "y-axis text", "x-axis text", "title")
    kinds, _ = semantics.classify(region_scores.mean_scores(maps, coverage))
    assert kinds[0, 0] == "polysemantic"


def test_a_uniform_head_is_unselective_and_scores_as_chance(coverage):
    scores = region_scores.mean_scores(np.full((len(coverage), 1, 1, 14, 14), 1 / 196), coverage)
    assert np.allclose(scores["auroc"], 0.5)
    assert np.nanmax(np.abs(scores["average_precision"][..., 0, 0] - by_hand_share(coverage))) < 0.06
    assert semantics.classify(scores)[0][0, 0] == "unselective"


def by_hand_share(coverage):
    share = coverage.mean((-2, -1))
    holds = (coverage >= region_scores.HOLDS).any((-2, -1))
    return np.array([share[holds[:, f], f].mean() for f in range(share.shape[1])])


def test_an_absent_feature_is_not_applicable_and_never_silent(coverage):
    without = coverage.copy()
    without[:3, NAMES.index("title")] = 0
    scores = region_scores.score_heads(np.ones((12, 1, 1, 14, 14)), without)
    assert np.isnan(scores["auroc"][:3, NAMES.index("title")]).all()
    assert np.isfinite(scores["auroc"][3:, NAMES.index("title")]).all()
    without[:, NAMES.index("title")] = 0
    gone = {name: values[0] for name, values in region_scores.score_heads(np.ones((12, 1, 1, 14, 14)), without).items()}
    with pytest.raises(CompanionError, match="no image holds 'title'"):
        semantics.classify(gone)


def test_a_stricter_rule_names_fewer_heads(coverage, planted):
    scores = region_scores.mean_scores(
        np.concatenate([planted(coverage, name) for name in NAMES[:6]], axis=2), coverage
    )
    kinds = [semantics.classify(scores, rule)[0] for rule in (semantics.Rule(), semantics.Rule(bright_share=1.01))]
    assert [(found == "monosemantic").sum() for found in kinds] == [6, 0]


def test_a_feature_chosen_by_other_images_must_pass_on_these(coverage, planted):
    title, bar = (region_scores.mean_scores(planted(coverage, name), coverage) for name in ("title", "colour bar"))
    assert semantics.classify(title, chosen_by=title)[1][0, 0] == "title"
    kinds, features = semantics.classify(title, chosen_by=bar)
    assert kinds[0, 0] != "monosemantic"
    assert features[0, 0] == ""


def test_only_what_lies_apart_from_its_own_feature_is_another(coverage, planted):
    """Oracle: the mean attention on the other feature's patches, none of which holds the head's own, by hand."""
    maps = np.concatenate(
        [planted(coverage, "title"), planted(coverage, "title", "colour bar"), planted(coverage, "top edge")], axis=2
    )
    own = np.array([["title", "title", "top edge"]])
    found = semantics.respond_to_another(maps, coverage, own)
    assert found[0].tolist() == [False, True, by_hand(maps[:, 0, 2], coverage, "top edge")]
    assert not semantics.respond_to_another(maps, coverage, np.full((1, 3), "")).any()


def by_hand(maps, coverage, own):
    answers = []
    for name in set(NAMES) - {own}:
        ratios = []
        for one, covered in zip(maps, coverage, strict=True):
            apart = np.where(covered[NAMES.index(own)] < region_scores.HOLDS, covered[NAMES.index(name)], 0)
            if apart.max() >= region_scores.HOLDS:
                ratios.append((one * apart).sum() / apart.sum() / one.mean())
        answers.append(bool(ratios) and np.mean(ratios) >= 1.5)
    return any(answers)


def test_captions_come_from_the_scores(coverage, planted):
    maps = np.concatenate(
        [planted(coverage, "chirp"), planted(coverage, "title", "colour bar"), np.full((12, 1, 1, 14, 14), 1.0)], axis=2
    )
    scores = region_scores.mean_scores(maps, coverage)
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
