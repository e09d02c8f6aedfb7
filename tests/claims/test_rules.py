import pytest

from paper_utils.claims import rules
from paper_utils.claims.rules import NOT, PARTLY, REPRODUCED, UNTESTABLE
from paper_utils.errors import CompanionError

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
TIMES = {"key": "x", "base": "y", "published": 3}


@pytest.mark.parametrize(
    ("rule", "arguments", "results", "verdict"),
    [
        ("near", NEAR, {"x": 0.15}, REPRODUCED),
        ("near", NEAR, {"x": 0.3}, PARTLY),
        ("near", NEAR, {"x": 3.0}, NOT),
        ("near", NEAR, {"x": -0.11}, NOT),
        ("at_least", {"key": "x", "published": 0.98, "margin": 0.005}, {"x": 0.976}, REPRODUCED),
        ("at_least", {"key": "x", "published": 0.98, "margin": 0.005}, {"x": 0.968}, PARTLY),
        ("at_least", {"key": "x", "published": 0.98, "margin": 0.005}, {"x": 0.9}, NOT),
        ("at_most", {"key": "x", "limit": 1.1, "partly": 1.5}, {"x": 1.0}, REPRODUCED),
        ("at_most", {"key": "x", "limit": 1.1, "partly": 1.5}, {"x": 1.2}, PARTLY),
        ("at_most", {"key": "x", "limit": 1.1, "partly": 1.5}, {"x": 8.0}, NOT),
        ("times_as_large", TIMES, {"x": 2.5, "x_low": 1.2, "x_high": 4, "y": 1}, REPRODUCED),
        ("times_as_large", TIMES, {"x": 2.5, "x_low": 0.2, "x_high": 4, "y": 1}, PARTLY),
        ("times_as_large", TIMES, {"x": 0.7, "y": 1}, NOT),
        ("times_as_large", TIMES, {"x": 2.5, "y": -1}, NOT),  # two losses that fall
        ("smaller", {"key": "x", "than": "y", "unit": ""}, {"x": 1, "y": 2}, REPRODUCED),
        (
            "smaller",
            {"key": "x", "than": "y", "unit": ""},
            {"x": 1, "x_low": 0, "x_high": 3, "y": 2, "y_low": 1, "y_high": 4},
            PARTLY,
        ),
        ("smaller", {"key": "x", "than": "y", "unit": ""}, {"x": 3, "y": 2}, NOT),
        ("counted", {"key": "x", "least": 6}, {"x": 7}, REPRODUCED),
        ("counted", {"key": "x", "least": 6}, {"x": 1}, PARTLY),
        ("counted", {"key": "x", "least": 6}, {"x": 0}, NOT),
        ("untestable", {"why": "no"}, {}, UNTESTABLE),
    ],
)
def test_verdicts_follow_their_rule(rule, arguments, results, verdict):
    found = rules.RULES[rule](results, "", **arguments)
    assert found.verdict == verdict
    assert found.rule


def test_chirp_heads_by_layer():
    counts = {f"semantics.layer_{layer}.chirp_heads": 0 for layer in range(1, 13)}

    def verdict(**more):
        found = counts | {f"semantics.layer_{key[1:]}.chirp_heads": value for key, value in more.items()}
        return rules.chirp_layers(found, "", layers=[4, 6, 7, 8, 9, 10, 11])

    assert verdict(l4=1, l9=3).verdict == REPRODUCED
    assert verdict(l9=3, l12=2).verdict == PARTLY
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
    assert rules.head_is(own, "", **arguments).verdict == verdict
    assert rules.head_is(own | {"origin.backbone": "embedded"}, "", **arguments).verdict == UNTESTABLE


def test_intervals_stand_beside_their_value():
    results = {"x_percent": 1.0, "x_low_percent": 0.5, "x_high_percent": 2.0}
    assert rules.at_most(results, "", key="x_percent", limit=1, partly=2, unit="%").value == "1 % (0.5 to 2)"


def test_a_missing_number_is_named():
    with pytest.raises(CompanionError, match="results lack 'ablation.x'"):
        rules.near({}, "ablation.", **NEAR)
    with pytest.raises(CompanionError, match=r"results lack 'heads\.L1H1'"):
        rules.head_is({}, "", head="L1H1", kind="monosemantic", features=[])
