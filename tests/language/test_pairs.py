"""Pairs have prompts of equal length, differ where they should, and cannot be answered by copying."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils.errors import CompanionError
from paper_utils.language.ontology import Ontology
from paper_utils.language.pairs import KINDS, SHORTEST_WORD, candidate_pairs, in_sentence, make_pair

WORDS = ["alpha", "brisk", "cough", "delta", "ember", "flint", "grain", "of", "a"]
PHRASE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


def functions():
    """A tokenizer of words: what tokenizes, and what decodes."""
    known = {}

    def tokenize(text):
        return [known.setdefault(word, len(known)) for word in text.split()]

    return tokenize, lambda ids: "".join(f" {list(known)[one]}" for one in ids)


@settings(max_examples=60, deadline=None)
@given(
    terms=st.dictionaries(PHRASE, PHRASE, min_size=2, max_size=12),
    diseases=st.dictionaries(PHRASE, st.lists(PHRASE, min_size=1, max_size=3).map(tuple), min_size=2, max_size=8),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 5),
)
def test_every_candidate_is_fit_to_be_patched(terms, diseases, kind, seed):
    tokenize, decode = functions()
    topical = frozenset(list(terms)[::2])
    found = candidate_pairs(kind, Ontology(terms, topical, diseases), tokenize, decode, seed=seed)
    used = [subject for pair in found for subject in pair.subjects]
    assert len(used) == len(set(used))
    for pair in found:
        assert len(pair.clean) == len(pair.corrupted)
        assert pair.clean != pair.corrupted
        assert 0 <= pair.places["subject"] < pair.places["last"] == len(pair.clean) - 1
        said = decode(pair.clean) + decode(pair.corrupted)
        for which, prompt in enumerate((pair.clean, pair.corrupted)):
            word = decode([pair.tokens[which]]).strip()
            assert len(word) >= SHORTEST_WORD
            assert word not in said.split()
            # prompt and token go on as the subject's own definition or phenotype does
            subject = pair.subjects[which]
            own = [terms[subject]] if kind == "definitional" else diseases[subject]
            goes_on = decode([*prompt, pair.tokens[which]])
            assert any(goes_on.split()[-1] in answer.split() for answer in own)
        if kind == "definitional":
            assert pair.subjects[0] in topical
            assert pair.subjects[1] not in topical


def test_what_answers_share_stands_in_both_prompts():
    tokenize, decode = functions()
    pair = make_pair("definitional", ("alpha", "brisk"), ("a grain of flint", "a grain with ember"), tokenize)
    assert decode(pair.clean) == " alpha is defined as a grain"
    assert decode(pair.corrupted) == " brisk is defined as a grain"
    assert [decode([one]) for one in pair.tokens] == [" of", " with"]
    assert (pair.differing, pair.places) == ([0], {"subject": 0, "last": 5})


@pytest.mark.parametrize(
    ("subjects", "answers", "message"),
    [
        (
            ("alpha", "brisk cough"),
            ("delta", "ember"),
            "'alpha' and 'brisk cough' make prompts of 4 and 5 tokens; pair",
        ),
        (("alpha", "alpha"), ("delta", "ember"), "do not differ"),
        (("alpha", "brisk"), ("delta", "delta ember"), "do not differ in their answers"),
    ],
)
def test_two_that_make_no_pair_are_named(subjects, answers, message):
    with pytest.raises(CompanionError, match=message):
        make_pair("associative", subjects, answers, functions()[0])


@pytest.mark.parametrize(("text", "expected"), [("Seizure", "seizure"), ("A type", "a type"), ("EEG with", "EEG with")])
def test_a_capital_is_kept_in_abbreviations_alone(text, expected):
    assert in_sentence(text) == expected
