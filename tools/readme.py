"""Fill README, docs and the tables of notebooks from the numbers of the runs that ship: `python -m tools.readme`."""

import argparse
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData
from jupytext.cli import jupytext

from paper_utils.claims import Backbones, Ledger, claims
from paper_utils.data.chirps import UNITS
from paper_utils.errors import reported
from paper_utils.files import ROOT, load_template, read_json, write_text
from paper_utils.pipeline.compared import shipped_metrics
from paper_utils.pipeline.figures import FIGURES, PAPER_FIGURES
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run
from tools import tables
from tools.markdown import between_marks, markdown_table
from tools.ship import FIGURES as FIGURE_FOLDERS

__all__ = [
    "CARD",
    "NO_ADDRESS",
    "PAGES",
    "PROVENANCE",
    "README",
    "SHIPPED",
    "address",
    "badges",
    "filled",
    "findings",
    "model_card",
    "parts",
]

README = ROOT / "README.md"
PAGES = {  # and the parts of each that are filled
    README: ("badges", "findings", "figures", "papers"),
    ROOT / "docs" / "ledger.md": ("counts", "backbones", "claims"),
    ROOT / "docs" / "measurements.md": ("accuracy", "speed", "ablation", "protocols"),
}
NOTEBOOK_OF = {number: FIGURES[f"figure_{number}"].notebook for number in PAPER_FIGURES}
PAGES |= {  # below each figure of the paper, what the paper says and what is here
    ROOT / "notebooks" / f"{name}.py": tuple(
        f"figure_{number}" for number in PAPER_FIGURES if NOTEBOOK_OF[number] == name
    )
    for name in sorted(set(NOTEBOOK_OF.values()))
}
CARD = REFERENCE / "README.md"  # the card of the fine-tuned model, which is filled whole
SHIPPED, PROVENANCE = REFERENCE / "results.json", REFERENCE / "provenance.json"
BENCHMARK = ROOT / "data" / "benchmark.json"
TEMPLATES = Path(__file__).with_name("templates")
NO_ADDRESS = "OWNER/REPOSITORY"  # ends the address in pyproject.toml until it is known


def address() -> str:
    """Return the repository's address, as pyproject.toml has it."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def badges(where: str) -> str:
    """Return the badges of tests, Binder and Colab for a repository's address; a comment while there is none."""
    if where.endswith(NO_ADDRESS):
        return "<!-- badges wait for this repository's address in pyproject.toml -->"
    name = "/".join(where.rstrip("/").split("/")[-2:])
    tests = f"[![tests]({where}/actions/workflows/ci.yml/badge.svg)]({where}/actions/workflows/ci.yml)"
    binder = f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/notebooks"
    colab = f"https://colab.research.google.com/github/{name}/blob/main/notebooks/00_index.ipynb"
    return (
        f"{tests} [![Binder](https://mybinder.org/badge_logo.svg)]({binder}) "
        f"[![Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})"
    )


def parts(provenance: dict, found: Backbones, papers: Mapping[str, Ledger]) -> dict[str, str]:
    """Return the text of each part.

    Args:
        provenance: seconds and peak memory of the shipped run, as `tools.figures` gathers them.
        found: that run beside those on other backbones.
        papers: the ledgers on the author's other papers, by their arXiv numbers.
    """
    metrics = dict(next(iter(found.numbers.values())))
    return {
        "badges": badges(address()),
        "findings": findings(found),
        "figures": tables.figures_table(provenance, found),
        "papers": tables.papers_table(papers),
        "counts": _counts(found),
        "backbones": tables.findings_table(found),
        "claims": tables.ledger_table(found),
        "accuracy": tables.accuracy_table(metrics),
        "speed": tables.speed(read_json(BENCHMARK)),
        "ablation": tables.ablation_table(metrics),
        "protocols": tables.protocols_table(metrics),
    } | {f"figure_{number}": tables.paper_and_here(found, number) for number in PAPER_FIGURES}


def filled(page: Path, text: str, content: dict[str, str]) -> str:
    """Return the text of a page with its parts replaced.

    Raises:
        CompanionError: the text lacks a part's marks.
    """
    prefix = "# " if page.suffix == ".py" else ""  # the text of a notebook stands in comments there
    return between_marks(text, {part: content[part] for part in PAGES[page]}, name=page.name, prefix=prefix)


def findings(found: Backbones) -> str:
    """Return what was found, in sentences whose numbers are those of the runs that ship."""
    filters: dict[str, Callable[..., str]] = {
        "ci": _with_interval,
        "shuffled": _shuffled,
        "n": lambda metrics, key: f"{metrics[key]:,}",
    }
    numbers = found.numbers
    return load_template(TEMPLATES / "findings.md.j2", filters=filters).render(
        e=numbers["embedded"], p=numbers["photographs"], counts=_counts(found)
    )


def model_card(metrics: dict) -> str:
    """Return the card of the fine-tuned model that ships, with metadata and results as the Hugging Face hub reads them."""
    images = metrics["accuracy.unselected.images"]
    results = [
        EvalResult(
            task_type="image-regression",
            dataset_type="chirp-spectrograms",
            dataset_name=f"{images:,} held-out images by which nothing was chosen",
            metric_type="pearsonr",
            metric_name=f"Pearson r of the {target.replace('_', ' ')}",
            metric_value=round(metrics[f"accuracy.unselected.{target}.pearson_r"], 4),
        )
        for target in UNITS
    ]
    tags = ["lora", "vit", "spectrogram", "chirp", "regression", "arxiv:2503.18762"]
    data = ModelCardData(
        license="mit", library_name="peft", tags=tags, model_name="chirps-lora-embedded", eval_results=results
    )
    return load_template(TEMPLATES / "model_card.md.j2").render(metadata=data.to_yaml(), m=metrics, units=UNITS.items())


def whole_pages() -> dict[Path, str]:
    """Return the pages that are filled whole: the card of the fine-tuned model, and the captions of its figures."""
    runs = {name: shipped_metrics(name) for name in FIGURE_FOLDERS}
    filled_in = {folder / "README.md": captions(name, runs[name]) for name, folder in FIGURE_FOLDERS.items()}
    texts = {CARD: model_card(runs["embedded"])} | filled_in
    return {place: f"{text.rstrip()}\n" for place, text in texts.items()}


def captions(name: str, metrics: dict) -> str:
    """Return the captions of the figures that ship of a backbone, each with an alternative text and its images."""
    drawn = {path.stem for path in FIGURE_FOLDERS[name].glob("*.png")}
    return load_template(TEMPLATES / "captions.md.j2").render(
        name=name,
        m=metrics,
        drawn=drawn,
        n=f"{metrics['ablation.images']:,}",
        n_common=metrics["released.ablation.images"],
    )


def _with_interval(metrics: dict, key: str, digits: int, unit: str = "") -> str:
    """Return "0.981 (0.978 to 0.983)" for a key and those of its interval, to each of which "_percent" may be added."""
    value, low, high = (f"{metrics[f'{key}{end}{unit}']:.{digits}f}" for end in ("", "_low", "_high"))
    return f"{value}{' %' if unit else ''} ({low} to {high})"


def _shuffled(metrics: dict, prefix: str) -> str:
    low, high = (metrics[f"{prefix}ablation.rank_autocorrelation_shuffled_{end}"] for end in ("low", "high"))
    return f"{low:.2f} to {high:.2f}"


def _counts(found: Backbones) -> str:
    """Return how many claims come to each verdict, a row for each backbone."""
    summary = found.summary()
    rows = [[str(name), *map(str, summary[name])] for name in summary]
    total = summary.iloc[:, 0].sum()
    return markdown_table([f"{total} claims, by the main test of each, on", *summary.index], rows)


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.readme", description=__doc__.split(":")[0] + ".").parse_args()
    with reported():
        run = Run(notebook="readme")
        papers = {paper: Ledger.of(run.metrics_on(paper), against=claims(paper)) for paper in tables.OTHER_PAPERS}
        content = parts(read_json(PROVENANCE), run.backbones(), papers)
        for place, text in whole_pages().items():
            write_text(place, text)
        for page in PAGES:
            write_text(page, filled(page, page.read_text(encoding="utf-8"), content))
            if page.suffix == ".py":
                jupytext(["--update", "--to", "ipynb", "--quiet", str(page)])  # its outputs stay


if __name__ == "__main__":
    main()
