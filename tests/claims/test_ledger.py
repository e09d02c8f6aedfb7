from dataclasses import replace

import pytest

from paper_utils.claims import SEEDS, VERDICTS, Claim, Ledger, Null, claims, judge
from paper_utils.claims.ledger import CLASSES
from paper_utils.claims.rules import NOT, PARTLY, REPRODUCED, UNINFORMATIVE, UNTESTABLE, exactly
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
CLAIM = Claim(
    "n", "a <claim>", "a quote & all", "abstract", "0.11 %", "near", NEAR, "figure_4", "04_head_ablation", "By layer",
    ("described", "released"), "images", nulls=(Null("no head matters", {"x": 0}),),
)  # fmt: skip
RUN = {"x": 0.1, "x_low": 0.08, "x_high": 0.12, "images": 1352, "released.x": 5.0, "released.images": 8}
SHIPPED = {  # claim: verdict as described, as released
    "early_mean": (NOT, NOT),
    "early_mean_without_largest": (NOT,),
    "early_median": (PARTLY,),
    "early_std": (NOT, NOT),
    "layer_6_mean": (PARTLY, NOT),
    "layer_6_std": (NOT, PARTLY),
    "threefold": (NOT, PARTLY),
    "early_least": (NOT, PARTLY),
    "early_least_without_largest": (REPRODUCED,),
    "early_least_median": (PARTLY,),
    "largest_effect": (NOT, NOT),
    "none_lowers": (PARTLY,),
    "example_loss": (UNINFORMATIVE,),
    "slow_walk": (NOT, REPRODUCED),
    "slow_walk_continuity": (NOT, REPRODUCED),
    "slow_walk_autocorrelation": (NOT, UNINFORMATIVE),
    "like_baseline": (UNINFORMATIVE,),
    "chirp_heads_matter": (NOT,),
    "chirp_heads_matter_without_largest": (UNINFORMATIVE,),
    "chirp_heads_matter_same_layers": (REPRODUCED,),
    "early_distractors": (PARTLY,),
    "early_distractors_idle": (NOT,),
}


@pytest.fixture(scope="module")
def shipped():
    return read_json(ROOT / "data" / "reference" / "results.json")


def test_the_shipped_run_keeps_its_verdicts(shipped):
    ledger = Ledger.of(shipped)
    found = {}
    for entry in ledger.entries:
        found.setdefault(entry.claim.name, {})[entry.protocol] = entry.verdict
    for name, verdicts in SHIPPED.items():
        assert tuple(found[name].values()) == verdicts, name
    assert ledger.metrics() == {key: value for key, value in shipped.items() if key.startswith("claims.")}


def test_a_changed_number_changes_the_verdict_that_rests_on_it_and_no_other(shipped):
    before = Ledger.of(shipped).entries
    for value, verdict in ((0.5, NOT), (0.99, REPRODUCED)):
        after = Ledger.of(shipped | exactly({"accuracy.start_time.pearson_r": value})).entries
        changed = [entry for entry, old in zip(after, before, strict=True) if entry != old]
        assert [(entry.claim.name, entry.verdict) for entry in changed] == [("pearson_r", verdict)]


def test_every_shipped_row_says_how_many_images_it_rests_on_and_few_lack_a_trivial_case(shipped):
    entries = Ledger.of(shipped).entries
    assert {entry.claim.name for entry in entries if entry.image_count is None} == {"inference_time"}
    measured = [entry for entry in entries if entry.judgement.verdict != UNTESTABLE]
    # the shuffled rows of a walk stand beside its value
    assert {entry.claim.name for entry in measured if not entry.nulls} == {"slow_walk", "slow_walk_continuity"}


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


def test_other_training_seeds_are_counted_for_the_described_protocol_alone():
    ledger = Ledger.of(RUN, [RUN, {"x": 7.0}], against=[CLAIM])
    described, released = ledger.entries
    assert (described.verdict, described.agreeing, described.seeds) == (REPRODUCED, (2, 3), "2 of 3")
    assert (released.verdict, released.agreeing, released.seeds) == (NOT, None, "-")
    assert judge(CLAIM, RUN, other_seeds=[{}]).agreeing is None  # it was not measured there


def test_tables_hold_every_verdict_and_count_each_claim_once():
    reading = replace(CLAIM, name="other", reading_of="n")
    ledger = Ledger.of(RUN, [RUN], against=[CLAIM, reading])
    table = ledger.table()
    assert table.iloc[:2].to_dict("list") == {
        "claim": ["a <claim>"] * 2,
        "published": ["0.11 %"] * 2,
        "protocol": ["described", "released"],
        "images": ["1,352", "8"],
        "here (95 % interval)": ["0.1 % (0.08 to 0.12)", "5 %"],
        "verdict": [REPRODUCED, NOT],
        "a trivial case scores": ["no head matters: 0 %, not reproduced"] * 2,
        SEEDS: ["2 of 2", "-"],
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
        "<td>2 of 2</td>",
        f"<th>{SEEDS}</th>",
    ):
        assert part in page
    assert page.count("<tr>") == 3
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


def test_a_missing_number_is_named():
    with pytest.raises(CompanionError, match="results lack 'x'"):
        judge(CLAIM, {})
    with pytest.raises(CompanionError, match="results lack 'images'"):
        judge(CLAIM, {"x": 1})
