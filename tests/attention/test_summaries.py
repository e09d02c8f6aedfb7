from dataclasses import replace

import numpy as np
import pytest

from paper_utils import attention
from paper_utils.attention.mapped import MappedImages
from paper_utils.attention.maps import AttentionMaps
from paper_utils.attention.scores import Scores
from paper_utils.attention.semantics import classify
from paper_utils.data.dataset import sample
from paper_utils.statistics import HeadEffects

NAMES = list(attention.FEATURES)


@pytest.fixture(scope="module")
def mapped(coverage, planted):
    """Twelve images and one layer of four heads: for the chirp, the title, two features, and none; CLS sees the title."""
    drawn = [sample(4, index) for index in range(12)]
    uniform = np.full((12, 1, 1, 14, 14), 1 / 196)
    looks = [planted(coverage, *names) for names in (["chirp"], ["title"], ["title", "colour bar"])]
    maps = np.concatenate([*looks, uniform], axis=2)
    from_cls = np.repeat(looks[1], 4, axis=2)
    norms = np.ones((12, 1, 14, 14))
    norms[:, 0, 3, 3] = 5
    pixels, regions = (np.stack([getattr(image, part) for _, image in drawn]) for part in ("pixels", "regions"))
    return MappedImages([chirp for chirp, _ in drawn], pixels, regions, AttentionMaps(maps, from_cls, norms))


@pytest.fixture(scope="module")
def scores(mapped):
    return attention.score_regions(mapped)


@pytest.fixture(scope="module")
def heads(mapped):
    return attention.classify_heads(mapped)


def test_contrast_is_one_for_a_uniform_head(mapped):
    contrast = attention.contrast(mapped)
    assert contrast.ratio[0, 3] == pytest.approx(1)
    assert contrast.ratio[0, 0] > 10
    assert contrast.table().loc[1, "Heads that attend to CLS alone"] == "H4"  # flat on every image, as planted
    assert contrast.metrics()["attention.contrast"] == pytest.approx(contrast.ratio.mean())


def test_region_scores_hold_both_views_and_what_is_reachable(scores):
    table = scores.table("title")
    assert list(table.index) == [name.replace("_", " ") for name in attention.SCORES]
    assert table.loc["enrichment", "Best head"] == "L1H2"
    assert (table["Images"] == 12).all()
    assert scores.cls.means["enrichment"][NAMES.index("title")].min() > 10
    rows = scores.head_table()
    assert len(rows) == 2 * 4 * len(NAMES)
    assert set(rows["view"]) == {"patches", "cls"}


def test_layers_are_summed_up_in_both_views(mapped, scores):
    summary = attention.summarise_layers(mapped, scores)
    assert summary.longest == pytest.approx([5])
    assert summary.chirp_from_cls.max() < 2 < summary.chirp[0, 0]
    row = summary.table().loc[1]
    assert row["Longest patch token over the median"] == "5.0"
    assert (
        row["Heads whose maps correlate above 0.9"] == 3
    )  # all but that of the chirp, which lies elsewhere in every image


def test_heads_are_named_in_tables(heads):
    assert heads.kinds[0].tolist() == ["monosemantic", "monosemantic", "polysemantic", "unselective"]
    assert heads.table().loc[1, "Monosemantic heads"] == "H1 chirp, H2 title"
    assert heads.describe("L1H2", "L1H1")["Responds to"].tolist() == ["title 100 %", "chirp 100 %"]
    assert heads.metrics()["semantics.layer_1.chirp_heads"] == 1
    assert heads.metrics()["semantics.early_distractor_heads"] == 1


def test_galleries_show_the_wanted_heads(heads):
    assert heads.chirp_gallery()["heads"] == [(0, 0)]
    assert heads.chirp_gallery()["captions"] == ["L1H1, chirp 100 %"]
    assert heads.early_gallery()["captions"] == ["L1H2\ntitle 100 %"]


def test_a_gallery_without_chirp_heads_says_so(heads):
    features = np.where(heads.features == "chirp", "title", heads.features)
    without = replace(heads, features=features)
    assert all(caption.endswith("(below the rule)") for caption in without.chirp_gallery()["captions"])


def test_named_heads_are_compared_and_drawn(heads, mapped):
    published = [{"layer": 1, "head": 2, "said_to_see": "the moon"}]
    assert heads.compare_named(published).loc["L1H2"].tolist() == ["the moon", "title 100 %", 12]
    half = [{"layer": 1, "head": 3, "said_to_see": "lower part of the colour bar", "part": "colour_bar_lower"}]
    lower, upper = heads.part_metrics(half).values()
    assert (
        heads.compare_named(half)["Here"]
        .iloc[0]
        .endswith(f"lower half of the colour bar {lower:.1f}x, upper half {upper:.1f}x")
    )
    assert lower == pytest.approx(upper, rel=0.3)  # the whole bar was planted
    assert lower > 2
    drawn = heads.named_overlays(published)
    assert drawn["captions"] == ["L1H2\npaper: the moon\nhere: title 100 %"]
    assert np.array_equal(drawn["maps"][0], mapped.maps.patches[0, 0, 1])


def test_a_head_that_the_model_lacks_is_said_to_be_lacking(heads):
    published = [
        {"layer": 1, "head": 2, "said_to_see": "the moon"},
        {"layer": 4, "head": 2, "said_to_see": "lower part of the colour bar", "part": "colour_bar_lower"},
    ]
    absent = "no such head: this model has 1 layers of 4 heads"
    assert heads.compare_named(published).loc["L4H2", "Here"] == absent
    assert heads.describe("L12H12")["Responds to"].tolist() == [absent]
    assert heads.part_metrics(published) == {}
    assert heads.named_overlays(published)["captions"] == ["L1H2\npaper: the moon\nhere: title 100 %"]


def test_thresholds_and_other_models_are_counted(heads, mapped):
    uniform = AttentionMaps(np.full_like(mapped.maps.patches, 1 / 196), mapped.maps.cls, mapped.maps.norms)
    other = MappedImages(mapped.chirps, mapped.pixels, mapped.regions, uniform)
    table = heads.thresholds({"random weights": other})
    assert table.iloc[0][["Monosemantic", "Polysemantic", "Unselective"]].tolist() == [2, 1, 1]
    assert table.iloc[-1][["Monosemantic", "Unselective", "For the chirp"]].tolist() == [0, 4, 0]
    assert table.index[-1].startswith("random weights")


def test_score_and_effect_finds_idle_and_important_heads(mapped):
    score = np.zeros((len(NAMES), 2, 6))
    score[NAMES.index("chirp")] = np.arange(12).reshape(2, 6)
    increase = np.arange(12.0).reshape(2, 6)
    increase[0, 0], increase[1, 5] = 99, 0.1
    views = [Scores({"enrichment": values}, {}, {}) for values in (score, score[:, ::-1])]
    features = np.full((2, 6), "", dtype="<U5")
    features[1, 5] = "chirp"
    kinds = np.where(features == "chirp", "monosemantic", "unselective")
    relation = attention.relate_to_effect(
        attention.RegionScores(*views, {}, {}, np.array([])),
        attention.ClassifiedHeads(mapped, {}, ({}, {}), kinds, features, features == "chirp"),
        HeadEffects(increase, increase, increase, increase, increase > 1, increase > 1),
    )
    assert relation.exceptions()["Names"].tolist() == ["L2H6", "L1H1"]
    assert relation.rank[1] < relation.rank[0] < relation.rank[2]
    assert relation.rank_from_cls != relation.rank
    assert relation.title.startswith("rank correlation ")
    assert relation.table()["Heads"].tolist() == [12, 12, 6, 6]


def test_metrics_name_every_head(scores):
    kinds, features = classify(scores.patches.means)
    metrics = attention.attention_metrics(scores.patches.means, kinds, features, features == "title")
    assert metrics["heads.L1H2"] == "monosemantic; title; title"
    assert metrics["semantics.unselective_heads"] == 1
    assert (metrics["semantics.chirp_heads"], metrics["semantics.strict.chirp_heads"]) == (1, 0)
    assert metrics["semantics.strict.early_distractor_heads"] == 1
