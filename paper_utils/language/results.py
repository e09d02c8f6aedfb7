"""The shipped measurements of SmolLM2, and a random GPT-2 measured here: as tables, curves, and metrics for the claims."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..files import read_arrays, read_json
from ..interventions.sites import SITES
from .editing import EDITED
from .measuring import Arrays, told_apart
from .pairs import KINDS
from .recovered import PLACES, PairLogits, difference_with_ends, mean_with_ends
from .released import ReleasedProtocol
from .study import SHIPPED, STATES

__all__ = ["Clap", "PairMap"]

LONGEST_TITLE = 36  # letters of a subject
Ends = tuple[float, float, float]  # a value and its 95 % interval


@dataclass(frozen=True)
class PairMap:
    """What patching recovers of one pair at every token from the first that differs on."""

    title: str
    tokens: list[str]  # of the corrupted prompt, at these positions
    recovered: np.ndarray  # (sites, layers, positions) percent


@dataclass(frozen=True)
class Clap:
    """All that is measured of 2504.02976."""

    arrays: Arrays
    pairs: dict[str, list[dict[str, Any]]]  # by kind: the pairs in words
    origin: dict[str, Any]

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> "Clap":
        """Return what ships, or what `language.compute` wrote.

        Raises:
            CompanionError: the folder lacks a file.
        """
        if not (folder / "arrays.npz").is_file():
            raise CompanionError(f"{folder} holds no arrays.npz; `make study-clap` computes it into build/clap")
        return cls(
            read_arrays(folder / "arrays.npz"), read_json(folder / "pairs.json"), read_json(folder / "origin.json")
        )

    @cached_property
    def random(self) -> ReleasedProtocol:
        """The same on a GPT-2 of random weights, measured when it is first asked for; seconds."""
        return ReleasedProtocol.measure()

    def logits(self, kind: str, state: str) -> PairLogits:
        """Return the logits of the pairs of a kind, before or after fine-tuning."""
        return PairLogits(*(self.arrays[f"{kind} {state} {name}"] for name in ("plain", "patched")))

    def recovered(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return by kind and state what `PairLogits.recovered` does: percent with ends, (sites, places, layers) each."""
        return {(kind, state): self.logits(kind, state).recovered() for kind in KINDS for state in STATES}

    def clean_differences(self) -> dict[tuple[str, str], np.ndarray]:
        """Return by kind and state the clean logit differences of all candidates, (candidates,)."""
        found = {(kind, state): self.arrays[f"{kind} {state} candidates"] for kind in KINDS for state in STATES}
        return {key: logits[:, 0, 0] - logits[:, 0, 1] for key, logits in found.items()}

    def clean_ends(self) -> dict[tuple[str, str], Ends]:
        """Return by kind and state the mean of `clean_differences`, with its interval over candidates."""
        return {key: mean_with_ends(values) for key, values in self.clean_differences().items()}

    def example_maps(self, state: str = "before") -> list[PairMap]:
        """Return the map of the first pair of each kind."""
        maps = []
        for kind in KINDS:
            pair = self.pairs[kind][0]
            logits = PairLogits(*(self.arrays[f"{kind} {state} map {name}"][None] for name in ("plain", "patched")))
            clean, corrupted = logits.differences[0]
            share = 100 * logits.effects[0] / (clean - corrupted)
            subjects, tokens = ([text.strip() for text in pair[name]] for name in ("subjects", "tokens"))
            title = f"{kind}: {_short(subjects[0])} ({tokens[0]}) into {_short(subjects[1])} ({tokens[1]})"
            maps.append(PairMap(title, pair["corrupted"][pair["from"] :], np.moveaxis(share, 0, 1)))
        return maps

    def by_metric(self) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """Return by kind and protocol what patching a layer's MLP recovers: percent with ends, (layers,) each.

        Of the same pairs: all tokens at once by the released metric, all at once by the corrected one, one token by that.
        """
        found: dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
        mlp = SITES.index("MLP")
        for kind in KINDS:
            found[kind] = {}
            for name, title in (
                ("released", "all tokens, words after the answer"),
                ("corrected", "all tokens, the answer"),
            ):
                plain, patched = (self.arrays[f"{kind} {name}{end}"] for end in ("", " patched"))
                logits = PairLogits(_with_zeros(plain), _with_zeros(patched[:, :, :, None]))
                found[kind][title] = tuple(ends[mlp, 0] for ends in logits.recovered())
            own = self.logits(kind, "before")
            count = len(self.arrays[f"{kind} released"])
            one = PairLogits(own.plain[:count], own.patched[:count]).recovered()
            found[kind]["one token (the last), the answer"] = tuple(ends[mlp, PLACES.index("last")] for ends in one)
        return found

    def knowledge_table(self) -> pd.DataFrame:
        """Return for each kind, before and after, how many candidates are told apart, and the clean logit difference."""
        rows = {}
        for (kind, state), differences in self.clean_differences().items():
            right = told_apart(self.arrays[f"{kind} {state} candidates"])
            rows[(kind, state)] = {
                "Told apart (%; by chance 50)": _percent(mean_with_ends(100.0 * right)),
                "Clean logit difference": _signed(mean_with_ends(differences)),
                "Pairs": len(right),
            }
        return _table(rows)

    def spread_table(self) -> pd.DataFrame:
        """Return for each kind, before and after, over how many outputs the effect is spread, and what recovers most."""
        rows = {}
        for (kind, state), (value, low, high) in self.recovered().items():
            logits = self.logits(kind, state)
            row: dict[str, object] = {"Spread over (outputs)": _percent(mean_with_ends(logits.spread()))}
            for site in ("attention", "MLP"):
                at = SITES.index(site)
                place, layer = np.unravel_index(value[at].argmax(), value[at].shape)
                best = (float(value[at, place, layer]), float(low[at, place, layer]), float(high[at, place, layer]))
                row[f"Most by one layer's {site} (%)"] = f"layer {layer + 1}, {PLACES[place]} token: {_percent(best)}"
            rows[(kind, state)] = row | {"Pairs": len(logits.plain)}
        return _table(rows)

    def edits(self) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """Return by what is counted and kind of pairs what edits come to before fine-tuning: percent with ends, (layers,) each.

        In how many pairs the wanted token becomes the likeliest one, in how many likelier than the other answer's, and
        of how many other pairs' prompts the likeliest token stays.
        """
        found: dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
        for kind in KINDS:
            logits, takes, leaves = (self.arrays[f"{kind} edited{end}"] for end in ("", " takes", " leaves"))
            for title, shares in (
                ("wanted token the likeliest", takes),
                ("likelier than the other answer's", logits[..., 0] > logits[..., 1]),
                ("other prompts left as they were", leaves),
            ):
                ends = np.array([mean_with_ends(column) for column in 100.0 * shares.T])
                found.setdefault(title, {})[kind] = (ends[:, 0], ends[:, 1], ends[:, 2])
        return found

    @property
    def edited_layers(self) -> list[int]:
        """The layers that were edited, from 1."""
        return [layer + 1 for layer in EDITED]

    def released_table(self) -> pd.DataFrame:
        """Return what replacing the output layer's output recovers of the released metric, by model and question."""
        rows = {f"SmolLM2, {kind} pairs": self.arrays[f"{kind} output layer"] for kind in KINDS}
        rows["GPT-2 with random weights, random questions"] = self.random.by_module["lm_head"]
        return pd.DataFrame.from_dict(
            {
                name: {"Recovered by the output layer (%)": _percent(mean_with_ends(values)), "Questions": len(values)}
                for name, values in rows.items()
            },
            orient="index",
        ).rename_axis("Model and questions")

    def made_with(self) -> pd.DataFrame:
        """Return what the shipped measurements were made of and how."""
        tuning, versions = self.origin["fine_tuning"], self.origin["versions"]
        rows = {
            "wheels": ", ".join(f"{package} (sha256 {sha[:8]})" for package, sha in self.origin["wheels"].items()),
            "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
            "LoRA": f"{tuning['definitions']} definitions, loss a token by epoch {tuning['losses']}",
            "minutes": f"{self.origin['seconds'] / 60:.0f} on one core",
        }
        return pd.DataFrame({"measured with": rows})

    def metrics(self) -> dict[str, float]:
        """Return flat keys, as the claims name them."""
        found: dict[str, Ends] = {}
        for kind in KINDS:
            found[f"released.{kind}.output_layer_percent"] = mean_with_ends(self.arrays[f"{kind} output layer"])
        found["released.random.output_layer_percent"] = self.random.output_layer
        found["released.output_layer_difference_percent"] = difference_with_ends(
            *(self.arrays[f"{kind} output layer"] for kind in KINDS)
        )
        for name in ("takes", "leaves"):
            shares = {kind: 100.0 * self.arrays[f"{kind} edited {name}"].mean(1) for kind in KINDS}
            for kind in KINDS:
                found[f"edited.{kind}.{name}_percent"] = mean_with_ends(shares[kind])
            found[f"edited.{name}_difference_percent"] = difference_with_ends(
                *(shares[kind] for kind in reversed(KINDS))
            )
        for state in STATES:
            spreads = {kind: self.logits(kind, state).spread() for kind in KINDS}
            clean = {kind: self.clean_differences()[kind, state] for kind in KINDS}
            for kind in KINDS:
                found[f"{state}.{kind}.spread"] = mean_with_ends(spreads[kind])
                found[f"{state}.{kind}.clean_difference"] = mean_with_ends(clean[kind])
            # definitional is the first kind: less spread, and a larger clean difference, are claimed of it
            found[f"{state}.spread_difference"] = difference_with_ends(*(spreads[kind] for kind in reversed(KINDS)))
            found[f"{state}.clean_difference_difference"] = difference_with_ends(*(clean[kind] for kind in KINDS))
            p = max(self.logits(kind, state).layers_differ() for kind in KINDS)
            found[f"{state}.layers_differ_p"] = (p, p, p)
        p = self.random.one_token.layers_differ()
        found["random.layers_differ_p"] = (p, p, p)
        flat: dict[str, float] = {}
        for name, ends in found.items():
            stem, unit = (name.removesuffix("_percent"), "_percent") if name.endswith("_percent") else (name, "")
            flat |= {f"clap.{stem}{end}{unit}": value for end, value in zip(("", "_low", "_high"), ends, strict=True)}
        return flat


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[:LONGEST_TITLE]} ..."


def _with_zeros(differences: np.ndarray) -> np.ndarray:
    """Return logit differences as logits of two tokens, of which the second is zero."""
    return np.stack([differences, np.zeros_like(differences)], axis=-1)


def _table(rows: dict[tuple[str, str], dict]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=["Pairs of kind", "Fine-tuning"])
    return pd.DataFrame(list(rows.values()), index)


def _percent(ends: Ends) -> str:
    return "{:.0f} ({:.0f} to {:.0f})".format(*ends)


def _signed(ends: Ends) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*ends)
