from dataclasses import replace

import pytest

from paper_utils.claims import SCALED, VERDICTS, Claim, Ledger, Null, claims, judge, mean_over_seeds
from paper_utils.claims.judgements import NOT, PARTLY, REPRODUCED, UNINFORMATIVE, UNTESTABLE
from paper_utils.claims.ledger import CLASSES, DEPENDS
from paper_utils.claims.values import exactly
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
CLAIM = Claim(
    "n", "a <claim>", "a quote & all", "abstract", "0.11 %", "near", NEAR, "figure_4", "04_head_ablation", "By layer",
    ("described", "released"), "images", nulls=(Null("no head matters", {"x": 0}),),
)  # fmt: skip
RUN = {"x": 0.1, "x_low": 0.08, "x_high": 0.12, "images": 1352, "released.x": 5.0, "released.images": 8}
SHIPPED = {  # claim: verdict as described, as released and scaled to the width of a head, as released
    "early_mean": (NOT, PARTLY, NOT),
    "early_mean_without_largest": (NOT,),
    "early_median": (PARTLY,),
    "early_mean_by_mean": (PARTLY,),
    "early_std": (NOT, PARTLY, NOT),
    "layer_6_mean": (NOT, PARTLY, NOT),
    "layer_6_std": (NOT, PARTLY, PARTLY),
    "threefold": (NOT, NOT, NOT),
    "early_least": (NOT, REPRODUCED, REPRODUCED),
    "early_least_without_largest": (REPRODUCED,),
    "early_least_median": (REPRODUCED,),
    "early_least_by_mean": (REPRODUCED,),
    "early_removable": (NOT,),
    "early_removable_most": (PARTLY,),
    "early_removable_by_mean": (UNINFORMATIVE,),
    "largest_effect": (NOT, PARTLY, NOT),
    "none_lowers": (NOT,),
    "example_loss": (UNINFORMATIVE,),
    "slow_walk": (NOT, REPRODUCED, REPRODUCED),
    "slow_walk_continuity": (NOT, REPRODUCED, REPRODUCED),
    "slow_walk_autocorrelation": (NOT, UNINFORMATIVE, UNINFORMATIVE),
    "like_baseline": (NOT,),
    "like_baseline_least": (NOT,),
    "like_baseline_least_without_largest": (REPRODUCED,),
    "chirp_heads_matter": (NOT,),
    "chirp_heads_matter_without_largest": (UNINFORMATIVE,),
    "chirp_heads_matter_same_layers": (REPRODUCED,),
    "early_distractors": (PARTLY,),
    "early_distractors_idle": (PARTLY,),
    "early_distractors_strict": (NOT,),
    "early_least_well_read": (REPRODUCED,),
    "early_redundant": (UNINFORMATIVE,),
    "chirp_layers": (PARTLY,),
    "chirp_layers_strict": (PARTLY,),
    "chirp_heads_tuned": (NOT,),
    "pearson_r": (PARTLY,),
}


@pytest.fixture(scope="module")
def shipped():
    return read_json(ROOT / "data" / "reference" / "results.json")


def test_the_shipped_run_keeps_its_verdicts(shipped):
    seeds = [read_json(path) for path in sorted((ROOT / "data" / "reference" / "seeds").glob("*.json"))]
    assert len(seeds) == 2
    ledger = Ledger.of(shipped, seeds)
    found = {}
    for entry in ledger.entries:
        found.setdefault(entry.claim.name, {})[entry.protocol] = entry.verdict
    for name, verdicts in SHIPPED.items():
        assert tuple(found[name].values()) == verdicts, name
    assert ledger.metrics() == {key: value for key, value in shipped.items() if key.startswith("claims.")}


def test_a_changed_number_changes_the_verdict_that_rests_on_it_and_no_other(shipped):
    before = Ledger.of(shipped).entries
    for value, verdict in ((0.5, NOT), (0.99, REPRODUCED)):
        after = Ledger.of(shipped | exactly({"accuracy.unselected.start_time.pearson_r": value})).entries
        changed = [entry for entry, old in zip(after, before, strict=True) if entry != old]
        assert [(entry.claim.name, entry.verdict) for entry in changed] == [("pearson_r", verdict)]


def test_every_shipped_row_says_how_many_images_it_rests_on_and_few_lack_a_trivial_case(shipped):
    entries = Ledger.of(shipped).entries
    assert {entry.claim.name for entry in entries if not entry.image_counts} == {"inference_time"}
    measured = [entry for entry in entries if entry.judgement.verdict != UNTESTABLE]
    # the shuffled rows of a walk stand beside its value
    assert {entry.claim.name for entry in measured if not entry.nulls} == {"slow_walk", "slow_walk_continuity"}


def test_a_claim_on_a_number_that_the_models_size_does_not_have_cannot_be_tested():
    entry = judge(replace(CLAIM, needs="x"), {})
    assert (entry.verdict, entry.nulls, entry.image_counts) == (UNTESTABLE, (), ())
    assert judge(replace(CLAIM, needs="x"), RUN) == replace(judge(CLAIM, RUN), claim=replace(CLAIM, needs="x"))


def test_a_claim_that_its_null_passes_is_not_informative_and_no_refuted_claim_is_saved_by_its_null():
    verdicts = {
        (value, null): judge(_with_null(null), exactly({"x": value})).verdict
        for value in (0.11, 0.3, 9)
        for null in (0, 0.3, 0.1)
    }
    assert verdicts == {
        (0.11, 0): REPRODUCED,
        (0.11, 0.3): REPRODUCED,  # the null is partly what the run is
        (0.11, 0.1): UNINFORMATIVE,
        (0.3, 0): PARTLY,
        (0.3, 0.3): UNINFORMATIVE,
        (0.3, 0.1): UNINFORMATIVE,
        (9, 0): NOT,
        (9, 0.3): NOT,
        (9, 0.1): NOT,
    }
    assert judge(_with_null(0.1, decides=False), exactly({"x": 0.11})).verdict == REPRODUCED


def test_a_null_may_be_a_metric_and_is_judged_as_if_it_were_certain():
    entry = judge(_with_null("zeros"), {"x": 0.1, "x_low": 0.0, "x_high": 9.0, "zeros": 0.12})
    assert (entry.judgement.verdict, entry.verdict) == (PARTLY, UNINFORMATIVE)
    assert entry.trivial == "nothing: 0.12 %, reproduced"
    with pytest.raises(CompanionError, match="results lack 'zeros'"):
        judge(_with_null("zeros"), {"x": 0.1})


def _with_null(value, **options):
    return replace(CLAIM, images="", nulls=(Null("nothing", {"x": value}, **options),))


def test_the_verdict_is_on_the_mean_over_seeds_with_their_spread_in_its_interval():
    seeds = [{"x": 0.11, "x_low": 0.09, "x_high": 0.13}, {"x": 0.12}]
    alone, entry = judge(CLAIM, RUN), judge(CLAIM, RUN, other_seeds=seeds)
    assert (alone.verdict, alone.agreeing, alone.seeds) == (REPRODUCED, None, "-")
    assert entry.judgement.value == "mean of 3 seeds: 0.11 % (0.0781 to 0.142)"
    assert mean_over_seeds([0.1, 0.11, 0.12], below=0.02, above=0.02)[1:] == pytest.approx((0.0781, 0.1419), abs=1e-4)
    # a seed without an interval of its own is partly reproduced at most
    assert (entry.verdict, entry.agreeing, entry.seeds) == (REPRODUCED, (2, 3), "0.1, 0.11, 0.12; 2 of 3 agree")
    # seeds that lie apart leave nothing certain, and the mean decides, not this run
    assert judge(CLAIM, RUN, other_seeds=[RUN, {"x": 0.16}]).verdict == PARTLY
    assert judge(CLAIM, RUN, other_seeds=[{"x": 7.0}, {"x": 8.0}]).verdict == NOT


def test_seeds_on_other_numbers_of_images_say_theirs_and_the_run_alone_its_own():
    claim = replace(CLAIM, images="n")
    runs = [RUN | {"n": count} for count in (10_000, 2_000, 2_000)]
    assert judge(claim, runs[0]).images == "10,000"
    assert judge(claim, runs[0], other_seeds=runs[1:]).images == "10,000; 2,000; 2,000"
    assert judge(claim, runs[1], other_seeds=runs[2:]).images == "2,000"
    assert judge(claim, runs[0], other_seeds=[RUN]).images == "10,000"


def test_the_spread_between_seeds_makes_no_verdict_better():
    order = VERDICTS.index
    for spread in (0, 0.001, 0.01, 0.03):
        others = [
            {"x": 0.1 - spread, "x_low": 0.08, "x_high": 0.12},
            {"x": 0.1 + spread, "x_low": 0.08, "x_high": 0.12},
        ]
        assert order(judge(CLAIM, RUN, other_seeds=others).verdict) >= order(judge(CLAIM, RUN).verdict)


def test_a_run_is_judged_alone_unless_every_seed_has_all_that_a_claim_rests_on():
    alone = judge(CLAIM, RUN)
    assert judge(CLAIM, RUN, other_seeds=[{}]) == alone
    assert judge(CLAIM, RUN, other_seeds=[RUN, {}]) == alone
    arguments = {"key": "x", "than": "y", "difference": "d", "unit": "%"}
    smaller = replace(CLAIM, rule="smaller", arguments=arguments, nulls=())
    run = RUN | {"y": 0.2, "d": 0.1, "d_low": 0.05, "d_high": 0.15}
    assert judge(smaller, run, other_seeds=[{"x": 0.1, "y": 0.3}]).by_seed == ()
    assert judge(smaller, run, other_seeds=[run]).seeds == "0.1 against 0.2; 0.1 against 0.2; 2 of 2 agree"
    assert judge(CLAIM, RUN, protocol="released", other_seeds=[RUN]).seeds == "5, 5; 2 of 2 agree"


def test_a_count_stays_that_of_the_run_and_each_seed_is_shown():
    counts = {"key": "n", "of": "of", "what": "do", "by_chance": 0.5}
    entry = judge(
        replace(CLAIM, rule="none_of", arguments=counts, nulls=()),
        {"n": 0, "of": 9, "images": 8},
        other_seeds=[{"n": 9, "of": 9}],
    )
    assert (entry.verdict, entry.judgement.value) == (REPRODUCED, "0 of 9 heads do")
    assert entry.seeds == "0 of 9; 9 of 9; 1 of 2 agree"


def test_the_released_protocol_says_where_its_verdict_depends_on_the_width_of_a_head():
    claim = replace(CLAIM, protocols=("described", SCALED, "released"))
    for scaled, note in ((5.0, ""), (0.1, DEPENDS)):
        described, to_scale, released = Ledger.of(
            RUN | {"to_scale.x": scaled, "to_scale.images": 8}, against=[claim]
        ).entries
        assert (described.note, to_scale.note, released.note) == ("", "", note)
        assert to_scale.verdict == (PARTLY if note else NOT)
        assert released.remarked == (f"{NOT}; {DEPENDS}" if note else NOT)


def test_tables_hold_every_verdict_and_count_each_claim_once():
    reading = replace(CLAIM, name="other", reading_of="n")
    ledger = Ledger.of(RUN, [RUN], against=[CLAIM, reading])
    table = ledger.table()
    assert list(table.columns)[-1] == ledger.seeds_title == "2 fine-tuning seeds, same backbone"
    assert Ledger.of(RUN, against=[CLAIM]).seeds_title == "fine-tuning seeds, same backbone"
    assert table.iloc[:2].to_dict("list") == {
        "claim": ["a <claim>"] * 2,
        "published": ["0.11 %"] * 2,
        "protocol": ["described", "released"],
        "images": ["1,352", "8"],
        "here (95 % interval)": ["mean of 2 seeds: 0.1 % (0.08 to 0.12)", "mean of 2 seeds: 5 %"],
        "verdict": [REPRODUCED, NOT],
        "a trivial case scores": ["no head matters: 0 %, not reproduced"] * 2,
        ledger.seeds_title: ["0.1, 0.1; 2 of 2 agree", "5, 5; 2 of 2 agree"],
    }
    assert len(table) == 4
    assert ledger.summary()["claims"].to_dict() == dict.fromkeys(VERDICTS, 0) | {REPRODUCED: 1}
    assert set(ledger.summary()["of"]) == {1}


def test_it_shows_quote_section_rule_verdict_and_link():
    page = Ledger.of(RUN, [RUN], against=[CLAIM])._repr_html_()
    for part in (
        "<b>a &lt;claim&gt;</b>",
        "<q>a quote &amp; all</q> (abstract)",
        "the whole interval within 0.05 % of 0.11 %",
        '<a href="04_head_ablation.ipynb#By-layer">figure_4, notebook 4</a>',
        '<span class="verdict no">not reproduced</span>',
        "<td>1,352</td>",
        "<td>no head matters: 0 %, not reproduced</td>",
        "<td>0.1, 0.1; 2 of 2 agree</td>",
        "<th>2 fine-tuning seeds, same backbone</th>",
    ):
        assert part in page
    assert page.count("<tr>") == 5  # the first row alone, and folded away both protocols, each with a head
    assert page.index("<details>") < page.index("<q>") < page.index("</details>")
    assert "http" not in page


def test_only_the_papers_words_are_shown_as_a_quotation():
    page = Ledger.of(RUN, against=[replace(CLAIM, quote="", section="Figure 4")])._repr_html_()
    assert "<q>" not in page
    assert "In our words, from Figure 4." in page
    assert all(claim.quote == "" or len(claim.quote.split()) > 3 for claim in claims())


def test_every_verdict_has_a_mark():
    page = Ledger.of(RUN, against=[CLAIM])._repr_html_()
    assert list(CLASSES) == list(VERDICTS)
    assert all(f".ledger .{mark} {{" in page for mark in CLASSES.values())


def test_it_says_which_pixels_the_model_got():
    said = "0 more cannot be tested on this model. Pixels of the images that it got: "
    for known, words in (
        ({}, "as published, 0 to 1."),  # results from before there was a choice
        ({"origin.pixels": "published"}, "as published, 0 to 1."),
        ({"origin.pixels": "backbone"}, "normalised as the backbone was pre-trained."),
    ):
        assert said + words in Ledger.of(RUN | known, against=[CLAIM])._repr_html_()


def test_claims_that_no_image_shows_say_nothing_of_pixels():
    page = Ledger.of({"x": 0.1}, against=[replace(CLAIM, images="", nulls=(), protocols=("described",))])._repr_html_()
    assert "partly" in page
    assert "Pixels" not in page


def test_a_missing_number_is_named():
    with pytest.raises(CompanionError, match="results lack 'x'"):
        judge(CLAIM, {})
    with pytest.raises(CompanionError, match="results lack 'images'"):
        judge(CLAIM, {"x": 1})


def test_a_null_is_judged_with_its_interval():
    smaller = {"key": "x", "than": "y", "unit": "%", "difference": "d"}
    null = Null("others", {"x": "other.x", "y": "other.y", "d": "other.d"})
    claim = replace(CLAIM, rule="smaller", arguments=smaller, nulls=(null,), protocols=("described",), images="")
    surely = {"x": 1, "y": 9, "d": 8, "d_low": 7, "d_high": 9}
    for low, verdict in ((0.1, UNINFORMATIVE), (-0.1, REPRODUCED)):
        other = {"other.x": 1, "other.y": 2, "other.d": 1, "other.d_low": low, "other.d_high": 2}
        assert judge(claim, surely | other).verdict == verdict
