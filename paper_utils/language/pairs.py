"""Pairs of prompts of equal length that differ in a term or a disease, and the two tokens that tell the answers apart.

A definitional pair goes from a term to its definition, an associative one from a disease to a phenotype annotated to it
and not to the other disease. The clean term or disease has to do with seizures, epilepsy or EEG. The answers' common beginning stands in both prompts, so that the next token is the first in which
the answers differ.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..errors import CompanionError
from .ontology import Ontology

__all__ = ["KINDS", "TEMPLATES", "Pair", "candidate_pairs", "in_sentence", "make_pair"]

TEMPLATES = {"definitional": "{subject} is defined as", "associative": "{subject} is associated with"}
KINDS = tuple(TEMPLATES)
LONGEST_BEGINNING = 6  # common tokens of two answers
LONGEST_PROMPT = 28  # tokens; it bounds the time of a pair
SHORTEST_WORD, STEM = 4, 5  # letters
MOST_TRIES = 200  # of partners for a subject

Tokenize = Callable[[str], list[int]]


@dataclass(frozen=True)
class Pair:
    """Two prompts of the same number of tokens, and the first token in which their answers differ."""

    kind: str  # of KINDS
    subjects: tuple[str, str]  # clean, corrupted
    answers: tuple[str, str]
    clean: tuple[int, ...]  # ids of the prompt
    corrupted: tuple[int, ...]
    tokens: tuple[int, int]  # ids of the first differing token of the clean and of the corrupted answer

    def __post_init__(self) -> None:
        """Raise CompanionError unless the prompts have equal length and differ, and so do the answers' tokens."""
        if len(self.clean) != len(self.corrupted):
            raise CompanionError(
                f"{self.subjects[0]!r} and {self.subjects[1]!r} make prompts of {len(self.clean)} and "
                f"{len(self.corrupted)} tokens; pair subjects of equal length"
            )
        if self.clean == self.corrupted or self.tokens[0] == self.tokens[1]:
            raise CompanionError(f"{self.subjects[0]!r} and {self.subjects[1]!r} do not differ; pair two that do")

    @property
    def differing(self) -> list[int]:
        """The positions at which the prompts differ."""
        return [place for place, (a, b) in enumerate(zip(self.clean, self.corrupted, strict=True)) if a != b]

    @property
    def places(self) -> dict[str, int]:
        """The two tokens that are patched in every pair: the last of the subject that differs, and that which predicts."""
        return {"subject": self.differing[-1], "last": len(self.clean) - 1}


def make_pair(kind: str, subjects: Sequence[str], answers: Sequence[str], tokenize: Tokenize) -> Pair:
    """Return the pair of two subjects and their answers.

    Args:
        kind: of KINDS.
        subjects: clean and corrupted.
        answers: of each, without the space before it.
        tokenize: returns the ids of a text, without special tokens.

    Raises:
        CompanionError: the prompts differ in length, or subjects or answers do not differ.
    """
    prompts = [tokenize(TEMPLATES[kind].format(subject=subject)) for subject in subjects]
    first, second = (tokenize(f" {answer}") for answer in answers)
    shared = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if shared is None:
        raise CompanionError(f"{subjects[0]!r} and {subjects[1]!r} do not differ in their answers; pair two that do")
    clean, corrupted = (tuple(prompt + first[:shared]) for prompt in prompts)
    return Pair(
        kind,
        (subjects[0], subjects[1]),
        (answers[0], answers[1]),
        clean,
        corrupted,
        (first[shared], second[shared]),
    )


def candidate_pairs(
    kind: str, ontology: Ontology, tokenize: Tokenize, decode: Callable[[Sequence[int]], str], *, seed: int = 0
) -> list[Pair]:
    """Return pairs in which each subject stands once, in an order drawn by the seed.

    Left out are pairs whose prompts are longer than LONGEST_PROMPT, whose answers share more than LONGEST_BEGINNING
    tokens, in which the word of a differing token is shorter than SHORTEST_WORD letters, or could be copied: a prompt
    holds its first STEM letters.

    Args:
        kind: of KINDS.
        ontology: whose topical terms are paired with other terms, and whose diseases with each other.
        tokenize: returns the ids of a text, without special tokens.
        decode: returns the text of ids.
        seed: of the order, and of the phenotype that stands for a disease.
    """
    rng, tokenize = np.random.default_rng(seed), cache(tokenize)
    if kind == "definitional":
        subjects, others = sorted(ontology.topical), sorted(ontology.definitions.keys() - ontology.topical)
    else:
        subjects = others = sorted(ontology.associations)
    by_length: dict[int, list[str]] = {}
    for other in _shuffled(others, rng):
        by_length.setdefault(len(tokenize(TEMPLATES[kind].format(subject=other))), []).append(other)
    found: list[Pair] = []
    used: set[str] = set()
    for subject in _shuffled(subjects, rng):
        length = len(tokenize(TEMPLATES[kind].format(subject=subject)))
        if subject in used or length > LONGEST_PROMPT:
            continue
        used.add(subject)
        for other in [one for one in by_length.get(length, ()) if one not in used][:MOST_TRIES]:
            answers = _answers(kind, subject, other, ontology, rng)
            if answers is None or not _differ(*map(tokenize, answers)):
                continue
            pair = make_pair(kind, (subject, other), answers, tokenize)
            if _is_fit(pair, tokenize, decode):
                found.append(pair)
                used.add(other)
                break
    return _shuffled(found, rng)


def _shuffled(items: list, rng: np.random.Generator) -> list:
    return [items[index] for index in rng.permutation(len(items))]


def _answers(
    kind: str, first: str, second: str, ontology: Ontology, rng: np.random.Generator
) -> tuple[str, str] | None:
    """Return both subjects' answers; None where a disease has no phenotype that the other lacks."""
    if kind == "definitional":
        return in_sentence(ontology.definitions[first]), in_sentence(ontology.definitions[second])
    both = set(ontology.associations[first]), set(ontology.associations[second])
    own = [sorted(both[0] - both[1]), sorted(both[1] - both[0])]
    if not all(own):
        return None
    return in_sentence(str(rng.choice(own[0]))), in_sentence(str(rng.choice(own[1])))


def _differ(first: Sequence[int], second: Sequence[int]) -> bool:
    """Return whether neither answer begins with the other."""
    return any(a != b for a, b in zip(first, second, strict=False))


def in_sentence(text: str) -> str:
    """Return a definition or a phenotype as it stands within a sentence: no capital first but of an abbreviation."""
    return text if text[1:2].isupper() else text[0].lower() + text[1:]


def _is_fit(pair: Pair, tokenize: Tokenize, decode: Callable[[Sequence[int]], str]) -> bool:
    shared = len(pair.clean) - len(tokenize(TEMPLATES[pair.kind].format(subject=pair.subjects[0])))
    if len(pair.clean) > LONGEST_PROMPT or shared > LONGEST_BEGINNING:
        return False
    words = [_word_at(f" {answer}", len(decode(tokenize(f" {answer}")[:shared]))) for answer in pair.answers]
    said = " ".join(decode(prompt) for prompt in (pair.clean, pair.corrupted)).lower()
    return all(len(word) >= SHORTEST_WORD and word[:STEM] not in said for word in words)


def _word_at(text: str, place: int) -> str:
    """Return the word of a text that a token beginning at an index belongs to, in lower case."""
    begin = text.rfind(" ", 0, place + 1) + 1
    found = re.match(r"[^\W_]*", text[begin:])
    return found.group().lower() if found else ""
