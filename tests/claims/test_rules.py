import numpy as np
import pytest
from scipy import stats

from paper_utils.claims import chance, judgements, rules, values
from paper_utils.claims.judgements import NOT, PARTLY, REPRODUCED, UNTESTABLE
from paper_utils.errors import CompanionError

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
LEAST = {"key": "x", "published": 0.98, "margin": 0.005}
MOST = {"key": "x", "limit": 1.1, "partly": 1.5}
TIMES = {"key": "x", "base": "y", "published": 3}
SMALLER = {"key": "x", "than": "y", "unit": "", "difference": "d"}
WALK = {"key": "x", "published": 0.7, "of_rows": 12, "margin": 0.2, "larger": True}
STEPS = {"key": "x", "published": 0.2, "of_rows": 12, "margin": 0.1, "larger": False}
NONE_OF = {"key": "x", "of": "n", "what": "do", "by_chance": 0.5, "surely": "s"}


def between(value, low, high, key="x"):
    return {key: value, f"{key}_low": low, f"{key}_high": high}


def shuffled(value, mean, low, high, heads=12):
    """A mark of two rows of heads."""
    rows = {"ablation.heads": 2 * heads, "ablation.layer_1.mean_percent": 0, "ablation.layer_2.mean_percent": 0}
    return rows | {"x": value, "x_shuffled": mean, "x_shuffled_low": low, "x_shuffled_high": high}


@pytest.mark.parametrize(
    ("rule", "arguments", "results", "verdict"),
    [
        ("near", NEAR, between(0.12, 0.08, 0.15), REPRODUCED),
        ("near", NEAR, between(0.12, 0.08, 0.25), PARTLY),  # the interval reaches out
        ("near", NEAR, {"x": 0.11}, PARTLY),  # nor is a value without an interval certain
        ("near", NEAR, between(0.3, 0.29, 0.31), PARTLY),  # within a factor of three
        ("near", NEAR, between(0.5, 0.05, 0.9), NOT),
        ("near", NEAR, {"x": -0.11}, NOT),
        ("near", NEAR, {"x": 0.0}, NOT),
        ("near", NEAR, {"x": float("nan")}, NOT),
        ("near", NEAR | {"published": -0.11}, {"x": -0.3}, PARTLY),
        ("at_least", LEAST, between(0.98, 0.976, 0.99), REPRODUCED),
        ("at_least", LEAST, between(0.98, 0.97, 0.99), PARTLY),
        ("at_least", LEAST, {"x": 0.99}, PARTLY),
        ("at_least", LEAST, between(0.968, 0.96, 0.97), PARTLY),
        ("at_least", LEAST, {"x": 0.9}, NOT),
        ("at_most", MOST, between(1.0, 0.9, 1.1), REPRODUCED),
        ("at_most", MOST, between(1.0, 0.9, 1.2), PARTLY),
        ("at_most", MOST, {"x": 1.0}, PARTLY),
        ("at_most", MOST, {"x": 1.2}, PARTLY),
        ("at_most", MOST, {"x": 8.0}, NOT),
        ("times_as_large", TIMES, between(2.5, 2.1, 4) | {"y": 1}, REPRODUCED),
        ("times_as_large", TIMES, between(2.5, 1.2, 4) | {"y": 1}, PARTLY),
        ("times_as_large", TIMES, {"x": 2.5, "y": 1}, PARTLY),
        ("times_as_large", TIMES, {"x": 1.6, "y": 1}, PARTLY),
        ("times_as_large", TIMES, {"x": 1.2, "y": 1}, NOT),
        ("times_as_large", TIMES, {"x": 2.5, "y": -1}, NOT),  # two losses that fall
        ("smaller", SMALLER, {"x": 1, "y": 2} | between(1, 0.2, 2, "d"), REPRODUCED),
        ("smaller", SMALLER, {"x": 1, "y": 2} | between(1, -0.2, 2, "d"), PARTLY),
        ("smaller", SMALLER, {"x": 1, "y": 2}, PARTLY),
        ("smaller", SMALLER, between(1, 0.9, 1.1) | between(2, 1.9, 2.1, "y"), PARTLY),  # apart, but not paired
        ("smaller", SMALLER, {"x": 2, "y": 2}, NOT),
        ("smaller", SMALLER, {"x": 3, "y": 2}, NOT),
        ("smaller", SMALLER, {"x": float("nan"), "y": 2}, NOT),
        ("differs", SMALLER, {"x": 1, "y": 2} | between(1, 0.2, 2, "d"), REPRODUCED),
        ("differs", SMALLER, {"x": 2, "y": 1} | between(-1, -2, -0.2, "d"), REPRODUCED),
        ("differs", SMALLER, {"x": 1, "y": 2} | between(1, -0.2, 2, "d"), NOT),
        ("differs", SMALLER, {"x": 100, "y": 100} | between(0, 0, 0, "d"), NOT),
        ("differs", SMALLER, {"x": 1, "y": 2, "d": 1}, NOT),  # without an interval
        ("beyond_shuffled", WALK, shuffled(0.6, -0.1, -0.3, 0.1), REPRODUCED),
        ("beyond_shuffled", WALK, shuffled(0.3, -0.1, -0.3, 0.1), PARTLY),
        ("beyond_shuffled", WALK, shuffled(0.6, 0.5, 0.3, 0.7), NOT),
        ("beyond_shuffled", WALK, {"x": 0.6, "x_shuffled": 0, "ablation.heads": 12}, NOT),
        ("beyond_shuffled", STEPS, shuffled(0.25, 0.9, 0.5, 1.2), REPRODUCED),
        ("beyond_shuffled", STEPS, shuffled(0.4, 0.9, 0.5, 1.2), PARTLY),
        ("beyond_shuffled", STEPS, shuffled(0.6, 0.9, 0.5, 1.2), NOT),
        ("beyond_shuffled", WALK, shuffled(0.6, -0.1, -0.3, 0.1, heads=6), PARTLY),  # whose mark is another
        ("beyond_shuffled", WALK, shuffled(0.0, -0.1, -0.3, 0.1, heads=6), NOT),
        ("near", NEAR | {"of_heads": 144}, between(0.06, 0.05, 0.07) | {"ablation.heads": 72}, REPRODUCED),
        ("near", NEAR | {"of_heads": 144}, between(0.12, 0.11, 0.13) | {"ablation.heads": 72}, PARTLY),
        ("none_of", NONE_OF, {"x": 0, "n": 144, "s": 0}, REPRODUCED),
        ("none_of", NONE_OF, {"x": 0, "n": 2, "s": 0}, PARTLY),  # which may be chance
        ("none_of", NONE_OF, {"x": 30, "n": 144, "s": 0}, PARTLY),
        ("none_of", NONE_OF, {"x": 30, "n": 144, "s": 1}, NOT),
        ("none_of", NONE_OF, {"x": 72, "n": 144, "s": 0}, NOT),
        ("none_of", NONE_OF, {"x": 0, "n": 0, "s": 0}, UNTESTABLE),  # there is no such head to judge by
        ("untestable", {"why": "no"}, {}, UNTESTABLE),
    ],
)
def test_verdicts_follow_their_rule(rule, arguments, results, verdict):
    found = rules.RULES[rule](results, "", **arguments)
    assert found.verdict == verdict
    assert found.rule


@pytest.mark.parametrize(
    ("rule", "arguments"), [("near", NEAR), ("at_least", LEAST), ("at_most", MOST), ("times_as_large", TIMES)]
)
def test_without_an_interval_nothing_is_certain_and_a_wider_interval_never_helps(rule, arguments):
    order = judgements.VERDICTS.index
    rng = np.random.default_rng(0)
    for value in rng.normal(0.6, 0.8, 200):
        verdicts = [
            rules.RULES[rule](between(value, value - width, value + width) | {"y": 1}, "", **arguments).verdict
            for width in (0, 0.02, 0.1, 1)
        ]
        assert sorted(verdicts, key=order) == verdicts
        alone = rules.RULES[rule]({"x": value, "y": 1}, "", **arguments).verdict
        assert alone == (PARTLY if verdicts[0] == REPRODUCED else verdicts[0])


def test_as_few_heads_as_chance_gives_are_never_partly_none():
    for total, share in ((144, 0.5), (8, 0.25), (20, 0.4)):
        for count in range(total + 1):
            found = rules.none_of({"x": count, "n": total}, "", key="x", of="n", what="do", by_chance=share).verdict
            chance = sum(stats.binom.pmf(number, total, share) for number in range(count + 1))
            assert found == (PARTLY if (count > 0) == (chance < 0.05) else REPRODUCED if chance < 0.05 else NOT)


def test_the_share_among_all_heads_may_be_the_chance():
    results = {"x": 2, "n": 8, "all": 36, "ablation.heads": 144}
    found = chance.none_of(results, "", key="x", of="n", what="matter", by_chance="all")
    assert (found.verdict, found.value) == (NOT, "2 of 8 heads matter")
    assert "25 % of chance" in found.rule


def test_chirp_heads_by_layer():
    counts = {f"semantics.layer_{layer}.chirp_heads": 0 for layer in range(1, 13)}

    def verdict(**more):
        found = counts | {f"semantics.layer_{key[1:]}.chirp_heads": value for key, value in more.items()}
        return chance.chirp_layers(found, "", layers=[4, 6, 7, 8, 9, 10, 11])

    assert verdict(l4=4, l9=3).verdict == REPRODUCED
    assert verdict(l4=1, l9=3).verdict == PARTLY  # all, as chance would have it once in nine times
    assert verdict(l9=12, l12=2).verdict == PARTLY
    assert verdict(l9=3, l12=2).verdict == NOT  # more than half, as chance would have it
    assert verdict(l9=2, l12=2).verdict == NOT
    assert verdict().verdict == NOT
    assert verdict(l9=3, l12=2).value == "3 of 5 heads; layers (heads) 9 (3), 12 (2)"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ("monosemantic; title; title", REPRODUCED),
        ("polysemantic; ; title", PARTLY),
        ("monosemantic; chirp; chirp", NOT),
    ],
)
def test_a_head_by_its_number_is_judged_on_the_papers_backbone_alone(found, verdict):
    arguments = {"head": "L1H1", "kind": "monosemantic", "features": ["title"]}
    own = {"heads.L1H1": found, "origin.backbone": "google/vit-base-patch16-224"}
    assert chance.head_is(own, "", **arguments).verdict == verdict
    assert chance.head_is(own | {"origin.backbone": "embedded"}, "", **arguments).verdict == UNTESTABLE


def test_a_head_for_half_of_the_bar_must_attend_to_that_half_more():
    arguments = {"head": "L4H2", "kind": "monosemantic", "features": ["colour bar"], "part": "colour_bar_lower"}
    own = {"heads.L4H2": "monosemantic; colour bar; colour bar", "origin.backbone": "google/vit-base-patch16-224"}
    for lower, upper, verdict in ((3, 1, REPRODUCED), (1, 3, NOT)):
        halves = {"heads.L4H2.colour_bar_lower": lower, "heads.L4H2.colour_bar_upper": upper}
        assert chance.head_is(own | halves, "", **arguments).verdict == verdict
    with pytest.raises(CompanionError, match=r"lack 'heads\.L4H2\.colour_bar_lower'"):
        chance.head_is(own, "", **arguments)


def test_a_head_that_a_model_of_fewer_lacks_cannot_be_tested():
    fewer = {"heads.L1H1": "unselective; ; title", "origin.backbone": "another"}
    found = chance.head_is(fewer, "", head="L12H12", kind="polysemantic", features=[])
    assert (found.verdict, found.value) == (UNTESTABLE, "no such head")
    with pytest.raises(CompanionError, match=r"lack 'heads\.L12H12'"):
        chance.head_is(fewer | {"origin.backbone": chance.PAPERS_BACKBONE}, "", head="L12H12", kind="", features=[])


def test_a_deeper_model_has_its_own_chance():
    counts = {f"semantics.layer_{layer}.chirp_heads": int(layer == 20) for layer in range(1, 25)}
    found = chance.chirp_layers(counts, "", layers=[4, 6])
    assert found.value == "0 of 1 heads; layers (heads) 20 (1)"


def test_strict_counts_have_keys_of_their_own():
    counts = {f"semantics.strict.layer_{layer}.chirp_heads": 5 * (layer == 9) for layer in range(1, 13)}
    assert chance.chirp_layers(counts, "", layers=[9], counted="semantics.strict").verdict == REPRODUCED


def test_intervals_stand_beside_their_value():
    results = {"x_percent": 1.0, "x_low_percent": 0.5, "x_high_percent": 2.0}
    assert rules.at_most(results, "", key="x_percent", limit=1, partly=2, unit="%").value == "1 % (0.5 to 2)"


@pytest.mark.parametrize("key", ["x", "x_percent"])
def test_what_is_known_exactly_has_an_interval_that_is_not_shown(key):
    measured = {key: 5.0, **dict.fromkeys(values.interval_keys(key)[-1], 7.0)}
    found = rules.near(measured | values.exactly({key: 0.11}), "", **NEAR | {"key": key})
    assert (found.verdict, found.value) == (REPRODUCED, "0.11 %")


@pytest.mark.parametrize(
    ("rule", "arguments", "results", "short"),
    [
        ("near", NEAR, between(21.9, 16.8, 28.2), "21.9"),
        ("times_as_large", TIMES, {"x": 2.5, "y": 1}, "2.5"),
        ("times_as_large", TIMES, {"x": 2.5, "y": -1}, "no ratio"),
        ("smaller", SMALLER, {"x": 1, "y": 2} | between(1, 0.2, 2, "d"), "1 against 2"),
        ("beyond_shuffled", WALK, shuffled(0.6, -0.1, -0.3, 0.1), "0.6"),
        ("none_of", NONE_OF, {"x": 30, "n": 144, "s": 0}, "30 of 144"),
        ("untestable", {"why": "no"}, {}, "-"),
    ],
)
def test_the_short_value_has_neither_unit_nor_interval(rule, arguments, results, short):
    assert rules.RULES[rule](results, "", **arguments).short == short


@pytest.mark.parametrize(
    ("paired", "said"), [({}, "paired difference"), ({"paired": False}, "of the difference above")]
)
def test_a_difference_of_two_sets_of_images_is_not_called_paired(paired, said):
    results = {"x": 1, "y": 2} | between(1, 0.2, 2, "d")
    found = rules.smaller(results, "", **SMALLER, **paired)
    assert (found.verdict, said in found.rule) == (REPRODUCED, True)


def test_a_missing_number_is_named():
    with pytest.raises(CompanionError, match="results lack 'ablation.x'"):
        rules.near({}, "ablation.", **NEAR)
    with pytest.raises(CompanionError, match=r"results lack 'heads\.L1H1'"):
        chance.head_is({}, "", head="L1H1", kind="monosemantic", features=[])
