import pytest

from paper_utils.claims import Claim, Ledger, judge
from paper_utils.claims.rules import NOT, PARTLY, REPRODUCED, UNTESTABLE
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
CLAIM = Claim(
    "n", "a <claim>", "a quote & all", "abstract", "0.11 %", "near", NEAR, "figure_4", "04_head_ablation", "By layer",
    ("described", "released"),
)  # fmt: skip
SHIPPED = {  # claim: verdict as described, as released
    "early_mean": (NOT, NOT),
    "early_std": (NOT, NOT),
    "layer_6_mean": (PARTLY, NOT),
    "layer_6_std": (NOT, REPRODUCED),
    "threefold": (NOT, PARTLY),
    "early_least": (NOT, REPRODUCED),
}


@pytest.fixture(scope="module")
def shipped():
    return read_json(ROOT / "data" / "reference" / "results.json")


def test_the_shipped_run_keeps_its_verdicts(shipped):
    ledger = Ledger.of(shipped)
    found = {}
    for entry in ledger.entries:
        found.setdefault(entry.claim.name, {})[entry.protocol] = entry.judgement.verdict
    for name, verdicts in SHIPPED.items():
        assert tuple(found[name].values()) == verdicts, name
    assert ledger.metrics() == {key: value for key, value in shipped.items() if key.startswith("claims.")}


def test_a_changed_number_changes_the_verdict_that_rests_on_it_and_no_other(shipped):
    before = Ledger.of(shipped).entries
    for value, verdict in ((0.5, NOT), (0.99, REPRODUCED)):
        after = Ledger.of(shipped | {"accuracy.start_time.pearson_r": value}).entries
        changed = [entry for entry, old in zip(after, before, strict=True) if entry != old]
        assert [(entry.claim.name, entry.judgement.verdict) for entry in changed] == [("pearson_r", verdict)]


def test_other_training_seeds_are_counted_for_the_described_protocol_alone():
    ledger = Ledger.of({"x": 0.1, "released.x": 5.0}, [{"x": 0.12}, {"x": 7.0}], against=[CLAIM])
    described, released = ledger.entries
    assert (described.judgement.verdict, described.agreeing, described.seeds) == (REPRODUCED, (2, 3), "2 of 3")
    assert (released.judgement.verdict, released.agreeing, released.seeds) == (NOT, None, "-")
    assert judge(CLAIM, {"x": 0.1}, other_seeds=[{}]).agreeing is None  # it was not measured there


def test_tables_hold_every_verdict_and_count_each_claim_once():
    ledger = Ledger.of({"x": 0.1, "released.x": 5.0}, [{"x": 0.12}], against=[CLAIM])
    assert ledger.table().to_dict("list") == {
        "claim": ["a <claim>"] * 2,
        "published": ["0.11 %"] * 2,
        "protocol": ["described", "released"],
        "here (95 % interval)": ["0.1 %", "5 %"],
        "verdict": [REPRODUCED, NOT],
        "training seeds that agree": ["2 of 2", "-"],
    }
    assert ledger.summary()["claims"].to_dict() == {REPRODUCED: 1, PARTLY: 0, NOT: 0, UNTESTABLE: 0}
    assert set(ledger.summary()["of"]) == {1}


def test_it_shows_quote_section_rule_verdict_and_link():
    page = Ledger.of({"x": 0.1, "released.x": 5.0}, [{"x": 0.12}], against=[CLAIM])._repr_html_()
    for part in (
        "<b>a &lt;claim&gt;</b>",
        "<q>a quote &amp; all</q> (abstract)",
        "within 0.05 % of 0.11 %",
        '<a href="04_head_ablation.ipynb#By-layer">figure_4, notebook 4</a>',
        '<span class="verdict no">not reproduced</span>',
        "<td>2 of 2</td>",
    ):
        assert part in page
    assert page.count("<tr>") == 3
    assert "http" not in page


def test_a_missing_number_is_named():
    with pytest.raises(CompanionError, match="results lack 'x'"):
        judge(CLAIM, {})
