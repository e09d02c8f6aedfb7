"""How time and memory grow with images, layers, heads, width and tokens: `python -m benchmarks.growth --help`.

One size is changed at a time, from a small ViT with random weights, whose cost is that of a trained one. Each work is
measured in a process of its own, so that its peak memory is its own. A product of powers is fitted to the seconds and to
the memory, by least squares of the logarithms, and tried on a size that it was not fitted to: the embedded backbone's.
It takes ten minutes on an otherwise idle machine, and writes the laws to data/growth.json and docs/growth.md.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import ViTConfig, ViTModel

from benchmarks.timing import machine, peak_mib
from paper_utils.data.chirps import LabelScale
from paper_utils.errors import reported
from paper_utils.files import ROOT, write_json, write_text
from paper_utils.interventions.attribution import linearised
from paper_utils.interventions.engine import Engine
from paper_utils.models.regressor import ChirpRegressor, build_regressor
from paper_utils.pipeline.provenance import commit, environment
from tools.markdown import between_marks, markdown_table

__all__ = [
    "BASE",
    "EMBEDDED",
    "FIELDS",
    "PATCH",
    "WORKS",
    "Law",
    "Size",
    "filled",
    "fit",
    "in_parts",
    "measured",
    "report",
    "sizes",
    "tables",
]

TARGET, PAGE = ROOT / "data" / "growth.json", ROOT / "docs" / "growth.md"
PATCH = 16
FIELDS = ("images", "layers", "heads", "width", "tokens")


@dataclass(frozen=True)
class Size:
    """What is computed on: images, and the sizes of a ViT."""

    images: int
    layers: int
    heads: int  # of a layer
    width: int
    grid: int  # patches on a side

    @property
    def tokens(self) -> int:
        """Patches and CLS."""
        return self.grid**2 + 1

    def logarithms(self) -> list[float]:
        """Return those of `FIELDS`."""
        return [float(np.log(getattr(self, name))) for name in FIELDS]


BASE = Size(images=8, layers=6, heads=6, width=192, grid=14)
VARIED = {
    "images": (4, 8, 16, 32),
    "layers": (3, 6, 9, 12),
    "heads": (2, 4, 6, 12),
    "width": (96, 192, 384, 768),
    "grid": (7, 10, 14, 20),
}
EMBEDDED = Size(images=16, layers=12, heads=12, width=192, grid=14)
ASKED = {  # by name: what a reader wants to know
    "embedded backbone, 100,000 images": dataclasses.replace(EMBEDDED, images=100_000),
    "ViT-Base, 100,000 images": Size(images=100_000, layers=12, heads=12, width=768, grid=14),
    "ViT-Large, 100,000 images": Size(images=100_000, layers=24, heads=16, width=1024, grid=14),
}


def _train(model: ChirpRegressor, pixels: torch.Tensor) -> None:
    for part in pixels.split(4):
        model(part).square().mean().backward()


WORKS: dict[str, tuple[str, Callable[[ChirpRegressor, torch.Tensor], object]]] = {
    "prediction": ("predict", lambda model, pixels: Engine(model).predict(pixels)),
    "training": ("forward and backward, LoRA", _train),
    "attribution": (
        "every head to first order",
        lambda model, pixels: linearised(model, pixels, np.zeros((len(pixels), 3))),
    ),
    "sweep": ("every head exactly", lambda model, pixels: Engine(model).sweep(pixels)),
}


def sizes() -> list[Size]:
    """Return the sizes that a law is fitted to: four of each field, the others as in `BASE`."""
    varied = (dataclasses.replace(BASE, **{name: value}) for name, values in VARIED.items() for value in values)
    return list(dict.fromkeys(varied))


def measured(work: str, size: Size) -> dict[str, float]:
    """Return the seconds of a work, the better of two, and the MiB by which it raises the peak memory of this process."""
    model = _model(size)
    side = size.grid * PATCH
    pixels = torch.randint(0, 256, (size.images, 3, side, side), dtype=torch.uint8)
    run = WORKS[work][1]
    before, seconds = peak_mib(), []
    for _ in range(2):
        begun = time.perf_counter()
        run(model, pixels)
        seconds.append(time.perf_counter() - begun)
    return {"seconds": min(seconds), "mib": max(peak_mib() - before, 1.0)}


def _model(size: Size) -> ChirpRegressor:
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=size.width,
        intermediate_size=4 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        image_size=size.grid * PATCH,
        patch_size=PATCH,
    )
    with tempfile.TemporaryDirectory() as folder:
        ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
        return build_regressor(folder, LabelScale(np.zeros(3), np.ones(3)), seed=0)


@dataclass(frozen=True)
class Law:
    """A product of powers of `FIELDS`."""

    factor: float
    powers: dict[str, float]

    def at(self, size: Size) -> float:
        """Return its value at a size."""
        return self.factor * float(np.exp(np.dot(list(self.powers.values()), size.logarithms())))


def fit(found: Sequence[tuple[Size, float]]) -> Law:
    """Return the law of least squares of the logarithms of values, by size."""
    rows = [[1.0, *size.logarithms()] for size, _ in found]
    solution, *_ = np.linalg.lstsq(np.array(rows), np.log([value for _, value in found]), rcond=None)
    return Law(float(np.exp(solution[0])), dict(zip(FIELDS, solution[1:].tolist(), strict=True)))


def in_parts(law: Law, size: Size) -> float:
    """Return what a law gives for many images: as many times the most that were measured, since they come in parts.

    The power of images is that of few, for which there are costs beside them, and says nothing of a hundred thousand.
    """
    most = max(VARIED["images"])
    return law.at(dataclasses.replace(size, images=most)) * size.images / most


def report(values: Mapping[str, Sequence[tuple[Size, Mapping[str, float]]]]) -> dict[str, dict[str, Any]]:
    """Return by work and unit the fitted law, how it does on the embedded backbone's sizes, and what `ASKED` would take.

    Args:
        values: by work what `measured` returned, by size; `EMBEDDED` among them, which nothing is fitted to.
    """
    result: dict[str, dict[str, Any]] = {}
    for work, found in values.items():
        by_size = dict(found)
        for unit in ("seconds", "mib"):
            law = fit([(size, each[unit]) for size, each in found if size != EMBEDDED])
            result[f"{work}.{unit}"] = {
                "factor": law.factor,
                "powers": law.powers,
                "measured": by_size[EMBEDDED][unit],
                "by_the_law": law.at(EMBEDDED),
            }
            if unit == "seconds":
                result[f"{work}.{unit}"]["asked"] = {name: in_parts(law, size) for name, size in ASKED.items()}
    return result


def tables(laws: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return two tables in Markdown, the fitted powers and the hours of `ASKED`, of what `report` returned."""
    rows, hours = [], []
    for work, (title, _) in WORKS.items():
        for unit, name in (("seconds", "time"), ("mib", "memory")):
            law = laws[f"{work}.{unit}"]
            powers = [f"{law['powers'][field]:.2f}" for field in FIELDS]
            rows.append([title, name, *powers, f"{law['measured']:.3g}", f"{law['by_the_law']:.3g}"])
        hours.append([title, *(f"{laws[f'{work}.seconds']['asked'][name] / 3600:,.1f} h" for name in ASKED)])
    columns = ["work", "of", *FIELDS, "embedded backbone, 16 images: measured (s, MiB)", "by the law"]
    return {"powers": markdown_table(columns, rows), "hours": markdown_table(["work", *ASKED], hours)}


def filled(page: str, content: Mapping[str, Any]) -> str:
    """Return the page of the docs with its tables, of what data/growth.json holds.

    Raises:
        CompanionError: the page lacks a table's marks.
    """
    origin = content["origin"]
    where = f"Measured on {origin['cores']} cores of {origin['processor']}, with torch {origin['versions']['torch']}."
    return between_marks(page, tables(content["laws"]) | {"origin": where}, name=PAGE.name)


def _in_own_process(work: str, size: Size) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--one", work, json.dumps(asdict(size))]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.split("\n\n")[0])
    parser.add_argument("--one", nargs=2, metavar=("WORK", "SIZE"), help="measure one work at one size, as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one[0], Size(**json.loads(options.one[1])))))
        return
    with reported():
        tasks = [(work, size) for work in WORKS for size in (*sizes(), EMBEDDED)]
        values: dict[str, list[tuple[Size, dict[str, float]]]] = {work: [] for work in WORKS}
        for work, size in tqdm(tasks, unit=" sizes"):
            values[work].append((size, _in_own_process(work, size)))
        origin = {"commit": commit(), "versions": environment()} | machine()
        points = {work: [asdict(size) | each for size, each in found] for work, found in values.items()}
        content = {"laws": report(values), "points": points, "origin": origin}
        write_json(TARGET, content)
        text = filled(PAGE.read_text(encoding="utf-8"), content)
        write_text(PAGE, text)
        print(f"{PAGE.relative_to(ROOT)} has the tables")


if __name__ == "__main__":
    main()
