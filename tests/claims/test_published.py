import dataclasses

import numpy as np
import pytest

from paper_utils.attention.scores import FEATURES
from paper_utils.claims import published
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json
from paper_utils.pipeline.figures import FIGURES


def test_the_published_figure_has_one_blank_cell():
    figure = published.figure_4()
    assert figure.shape == (12, 12)
    assert np.argwhere(np.isnan(figure)).tolist() == [[11, 9]]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (",", ";", "could not convert string to float: .1;0.00;"),
        ("0.15", "abc", "could not convert string to float: 'abc'"),
        ("\n7,", "\n70,", "has not 12 layers of 12 heads, in their order"),
        ("head_3,", "", "layer"),
        ("head_3", "head_\xe9", "has not 12 layers of 12 heads"),
    ],
)
def test_a_published_figure_that_was_damaged_is_named(tmp_path, monkeypatch, before, after, message):
    text = (published.DATA / "published_figure4.csv").read_text(encoding="utf-8")
    (tmp_path / "published_figure4.csv").write_text(text.replace(before, after), encoding="utf-8")
    monkeypatch.setattr(published, "DATA", tmp_path)
    with pytest.raises(CompanionError, match=rf"published_figure4\.csv.*{message}"):
        published.figure_4()
    (tmp_path / "published_figure4.csv").unlink()
    with pytest.raises(CompanionError, match=r"cannot read .*published_figure4\.csv.*No such file"):
        published.figure_4()


def test_named_heads_name_features_that_exist():
    assert {feature for head in published.heads() for feature in head["features"]} <= set(FEATURES)
    assert len(published.heads()) == 15


EVERY_PAPER = pytest.mark.parametrize("paper", published.FILES)


@EVERY_PAPER
def test_every_claim_has_a_rule_a_figure_and_a_notebook_section(paper):
    found = published.claims(paper)
    assert len({claim.name for claim in found}) == len(found)
    for claim in found:
        notebook = (ROOT / "notebooks" / f"{claim.notebook}.py").read_text()
        assert f"# ## {claim.heading}\n" in notebook, claim.name
        assert FIGURES[claim.figure].notebook == claim.notebook, claim.name
    assert sum(claim.rule == "head_is" for claim in found) == (15 if paper == published.PAPER else 0)


def test_a_paper_without_claims_is_named():
    with pytest.raises(CompanionError, match="no claims of 1234.5678 are tested here; choose one of 2503.18762, 2212"):
        published.claims("1234.5678")


@EVERY_PAPER
def test_another_reading_of_a_claim_follows_it_and_says_what_it_reads_otherwise(paper):
    found = {claim.name: claim for claim in published.claims(paper)}
    readings = [claim for claim in found.values() if claim.reading_of]
    for claim in readings:
        first = found[claim.reading_of]
        assert not first.reading_of
        assert claim.statement != first.statement
        assert set(claim.protocols) <= set(first.protocols)


@EVERY_PAPER
def test_nulls_stand_for_numbers_that_the_rule_reads(paper):
    for claim in published.claims(paper):
        read = {value for value in claim.arguments.values() if isinstance(value, str)}
        counted = claim.arguments.get("counted", "semantics")
        read |= {f"{counted}.layer_{layer}.chirp_heads" for layer in range(1, 13)}
        assert all(set(null.values) <= read for null in claim.nulls), claim.name


def test_bad_claims_are_named():
    entry = dataclasses.asdict(published.claims()[0])
    with pytest.raises(CompanionError, match="claim 'early_mean' names no rule or protocol that exists: guess"):
        published.load_claims([entry | {"rule": "guess"}])
    with pytest.raises(CompanionError, match=r"names no rule or protocol that exists: near, \('guess',\)"):
        published.load_claims([entry | {"protocols": ["guess"]}])
    with pytest.raises(CompanionError, match="claim 'early_mean': missing 1 required"):
        published.load_claims([{key: value for key, value in entry.items() if key != "quote"}])
    with pytest.raises(CompanionError, match="'early_mean' is a reading of 'later', which does not precede it"):
        published.load_claims([entry | {"reading_of": "later"}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": "lots"}, "claims.json, claim 'early_mean': tolerance is 'lots', not a number"),
        ({"limit": 3.0}, "claims.json, claim 'early_mean': rule near: got an unexpected keyword argument 'limit'"),
    ],
)
def test_an_argument_that_its_rule_cannot_take_is_named(change, message):
    entry = read_json(published.CLAIMS)[0]
    with pytest.raises(CompanionError, match=message):
        published.load_claims([entry | {"arguments": entry["arguments"] | change}])


def test_an_entry_that_lacks_a_field_is_named_with_its_file():
    entry = read_json(published.CLAIMS)[0]
    del entry["published"]
    with pytest.raises(CompanionError, match="claims.json, claim 'early_mean': missing 1 required .*'published'; mend"):
        published.load_claims([entry])
