"""Fill the README's tables from the shipped run's results.json: `python -m paper_utils.readme`."""

import re

from paper_utils.claims import VERDICTS, Ledger
from paper_utils.data.chirps import TARGETS
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.run import REFERENCE, Run
from paper_utils.plots.style import UNITS
from tools.summary import FIGURES

__all__ = ["between_marks", "filled", "ledger", "shipped_starts", "tables"]

README = ROOT / "README.md"
# the shipped run's numbers; figures/laptop/results.json becomes the reader's own with the first `make figures`
SHIPPED = REFERENCE / "results.json"
SHOWS = {
    1: "flowchart of the method",
    2: "fifteen sample images",
    3: "predicted start times with each head ablated",
    4: "increase of the loss, head by head",
    5: "heads that see the chirp alone",
    6: "layer 6 head 4",
    7: "layer 12 head 12",
    8: "early heads that see something else",
}


def tables(results: dict) -> dict[str, str]:
    """Return the README's tables by name, from the flat keys of results.json."""
    figures = ["| Figure | shows | notebook | command | time | memory |", "| --- | --- | --- | --- | --- | --- |"]
    for number, shows in SHOWS.items():
        notebook = FIGURES[number]
        seconds, memory = (results[f"run.{notebook}.{key}"] for key in ("seconds", "peak_memory_mib"))
        link = f"[{notebook}](notebooks/{notebook}.ipynb)"
        figures.append(f"| {number} | {shows} | {link} | `make figure-{number}` | {seconds:.0f} s | {memory:.0f} MiB |")
    training = "run.02_finetune_vit"
    figures.append(
        f"| | (fine-tuning, which all but Figure 2 need) | [02_finetune_vit](notebooks/02_finetune_vit.ipynb) | "
        f"| {results[f'{training}.seconds']:.0f} s | {results[f'{training}.peak_memory_mib']:.0f} MiB |"
    )
    accuracy = [
        f"On {results['accuracy.images']:,} held-out images:\n",
        "| target | Pearson r (95 % interval) | three starts: mean, std | oracle | mean absolute error | bias |",
        "| --- " * 6 + "|",
    ]
    for target in TARGETS:
        r, low, high, error, bias = (
            results[f"accuracy.{target}.{key}"]
            for key in ("pearson_r", "pearson_r_low", "pearson_r_high", "mean_absolute_error", "bias")
        )
        unit, name = UNITS[target], target.replace("_", " ")
        mean, std = (results[f"starts.{target}.{key}"] for key in ("mean_r", "std_r"))
        oracle = results[f"oracle.oracle.{target}.pearson_r"]
        accuracy.append(
            f"| {name} | {r:.3f} ({low:.3f} to {high:.3f}) | {mean:.3f}, {std:.4f} | {oracle:.4f} | {error:.2f} {unit} | "
            f"{bias:+.2f} {unit} |"
        )
    whole = (
        f"The whole laptop run: {results['run.seconds'] / 60:.1f} minutes, {results['run.peak_memory_mib']:.0f} MiB at "
        f"most; {results['training.images']:,} images seen in fine-tuning."
    )
    ablation = [
        "| layer | mean increase of the loss (95 % interval) | standard deviation over its heads |",
        "| --- " * 3 + "|",
    ]
    for layer in range(1, 13):
        mean, low, high, std = (
            results[f"ablation.layer_{layer}.{key}_percent"] for key in ("mean", "mean_low", "mean_high", "std")
        )
        ablation.append(f"| {layer} | {mean:.2f} % ({low:.2f} to {high:.2f}) | {std:.2f} % |")
    ablation.append(
        f"\nOn {results['ablation.images']} of {get_profile('laptop').ablation_pool:,} held-out images, "
        f"{results['ablation.significant_heads_bh']} of 144 heads are told from zero at a false discovery rate of 5 % "
        f"({results['ablation.significant_heads_by']} whatever the dependence between heads); half of the heads' intervals "
        f"reach {results['ablation.median_half_width_percent']:.2f} % or more to either side, the spread between heads "
        f"is {results['ablation.spread_between_heads_percent']:.2f} %."
    )
    protocols = ["| Figure 4 | autocorrelation in row order | continuity from row to row |", "| --- " * 3 + "|"]
    for name, prefix in (("as described", ""), ("as released", "released."), ("as published", "published.")):
        lag, step = (results[f"{prefix}ablation.{key}"] for key in ("lag_1_autocorrelation", "continuity"))
        protocols.append(f"| {name} | {lag:.2f} | {step:.2f} |")
    return {
        "figures": "\n".join(figures),
        "accuracy": "\n".join([*accuracy, "", whole]),
        "ablation": "\n".join(ablation),
        "protocols": "\n".join(protocols),
    }


def ledger(results: dict, starts: list[dict]) -> str:
    """Return the table of verdicts; heads that are named by number share a row where their number means nothing."""
    rows = ["| claim | published | protocol | here (95 % interval) | verdict | training seeds |", "| --- " * 6 + "|"]
    by_number = []
    for entry in Ledger.of(results, starts).entries:
        claim, found = entry.claim, entry.judgement
        if claim.rule == "head_is" and found.verdict == VERDICTS[-1]:
            by_number.append(claim.arguments["head"])
            continue
        rows.append(
            f"| {claim.statement} | {claim.published} | {entry.protocol} | {found.value} | **{found.verdict}** "
            f"| {entry.seeds} |"
        )
    if by_number:
        rows.append(
            f"| what {len(by_number)} single heads see ({', '.join(by_number)}) | Figures 6 to 8 | described | see notebook 6 "
            f"| **{VERDICTS[-1]}**: another backbone's head shares only the number | - |"
        )
    return "\n".join(rows)


def between_marks(text: str, parts: dict[str, str], *, name: str = "README.md") -> str:
    """Return a text with what stands between its marks `<!-- part -->` and `<!-- /part -->` replaced.

    Raises:
        CompanionError: the text lacks a part's marks.
    """
    for part, content in parts.items():
        pattern = re.compile(rf"(<!-- {part} -->).*?(<!-- /{part} -->)", re.DOTALL)
        if not pattern.search(text):
            raise CompanionError(f"{name} lacks the marks <!-- {part} --> and <!-- /{part} -->; put them back")
        text = pattern.sub(lambda marks, content=content: f"{marks[1]}\n{content}\n{marks[2]}", text)
    return text


def filled(text: str, results: dict, starts: list[dict]) -> str:
    """Return the README with every table replaced; raises as `between_marks` does."""
    return between_marks(text, tables(results) | {"claims": ledger(results, starts)})


def shipped_starts() -> list[dict]:
    """Return the findings of the shipped study's other starts."""
    return Run(notebook="readme").starts()


def main() -> None:
    with reported():
        text = filled(README.read_text(), read_json(SHIPPED), shipped_starts())
        with atomic_path(README) as path:
            path.write_text(text)


if __name__ == "__main__":
    main()
