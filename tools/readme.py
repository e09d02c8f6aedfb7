"""Fill the README's tables from the numbers of the shipped run: `python -m tools.readme`."""

from collections.abc import Sequence

from paper_utils.claims import VERDICTS, Ledger
from paper_utils.data.chirps import TARGETS
from paper_utils.errors import reported
from paper_utils.files import ROOT, atomic_path, read_json
from paper_utils.pipeline.figures import FIGURES, PAPER_FIGURES
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run
from paper_utils.plots.style import UNITS
from tools.markdown import between_marks, markdown_table

__all__ = ["PROVENANCE", "README", "SHIPPED", "filled", "ledger_table", "tables"]

README = ROOT / "README.md"
SHIPPED, PROVENANCE = REFERENCE / "results.json", REFERENCE / "provenance.json"


def filled(text: str, metrics: dict, provenance: dict, other_seeds: Sequence[dict]) -> str:
    """Return the README with every table replaced.

    Args:
        text: the README.
        metrics: of the shipped run, flat keys as in results.json.
        provenance: seconds and peak memory of its notebooks and stages, as `tools.figures` gathers them.
        other_seeds: metrics of the fine-tunings from other training seeds.

    Raises:
        CompanionError: the text lacks a table's marks, or the metrics a number that a claim rests on.
    """
    return between_marks(text, tables(metrics, provenance) | {"claims": ledger_table(metrics, other_seeds)})


def tables(metrics: dict, provenance: dict) -> dict[str, str]:
    """Return the README's tables of numbers by name."""
    return {
        "figures": _figures(provenance),
        "accuracy": _accuracy(metrics, provenance),
        "ablation": _ablation(metrics),
        "protocols": _protocols(metrics),
    }


def _cost(record: dict) -> list[str]:
    return [f"{record['seconds']:.0f} s", f"{record['peak_memory_mib']:.0f} MiB"]


def _figures(provenance: dict) -> str:
    rows = []
    for number, shows in PAPER_FIGURES.items():
        notebook = FIGURES[f"figure_{number}"].notebook
        link = f"[{notebook}](notebooks/{notebook}.ipynb)"
        rows.append([str(number), shows, link, f"`make figure-{number}`", *_cost(provenance["notebooks"][notebook])])
    training = "[02_finetune_vit](notebooks/02_finetune_vit.ipynb)"
    rows.append(
        ["", "(fine-tuning)", training, "`make figures FROM=seeds`", *_cost(provenance["stages"]["fine_tuning"])]
    )
    return markdown_table(["Figure", "shows", "notebook", "command", "time", "memory"], rows)


def _accuracy(metrics: dict, provenance: dict) -> str:
    columns = ["target", "Pearson r (95 % interval)", "training seeds: mean, std", "oracle upper bound"]
    columns += ["mean absolute error", "bias"]
    rows = []
    for target in TARGETS:
        r, low, high, error, bias = (
            metrics[f"accuracy.{target}.{key}"]
            for key in ("pearson_r", "pearson_r_low", "pearson_r_high", "mean_absolute_error", "bias")
        )
        mean, std = (metrics[f"starts.{target}.{key}"] for key in ("mean_r", "std_r"))
        oracle, unit = metrics[f"ceiling.oracle.{target}.pearson_r"], UNITS[target]
        cells = [f"{r:.3f} ({low:.3f} to {high:.3f})", f"{mean:.3f}, {std:.4f}", f"{oracle:.4f}"]
        rows.append([target.replace("_", " "), *cells, f"{error:.2f} {unit}", f"{bias:+.2f} {unit}"])
    costs = provenance["notebooks"].values()
    minutes, memory = sum(cost["seconds"] for cost in costs) / 60, max(cost["peak_memory_mib"] for cost in costs)
    return (
        f"On {metrics['accuracy.images']:,} held-out images:\n\n{markdown_table(columns, rows)}\n\n"
        f"The whole laptop run: {minutes:.1f} minutes, {memory:.0f} MiB at most; {metrics['training.images']:,} images "
        "seen in fine-tuning."
    )


def _ablation(metrics: dict) -> str:
    columns = ["layer", "mean increase of the loss (95 % interval)", "standard deviation over its heads"]
    rows = []
    for layer in range(1, 13):
        mean, low, high, std = (
            metrics[f"ablation.layer_{layer}.{key}_percent"] for key in ("mean", "mean_low", "mean_high", "std")
        )
        rows.append([str(layer), f"{mean:.2f} % ({low:.2f} to {high:.2f})", f"{std:.2f} %"])
    found = {key.removeprefix("ablation."): value for key, value in metrics.items() if key.startswith("ablation.")}
    return (
        f"{markdown_table(columns, rows)}\n\n"
        f"On {found['images']} of {get_profile('laptop').ablation_pool:,} held-out images, "
        f"{found['significant_heads_bh']} of 144 heads have a significant effect (FDR 5 %, Benjamini-Hochberg; "
        f"{found['significant_heads_by']} by Benjamini-Yekutieli, which holds under any dependence between heads). The "
        f"median half-width of the heads' intervals is {found['median_half_width_percent']:.2f} %, the standard deviation "
        f"between heads {found['spread_between_heads_percent']:.2f} %."
    )


def _protocols(metrics: dict) -> str:
    marks = {
        "rank_autocorrelation": "rank autocorrelation within rows",
        "continuity": "continuity from row to row",
        "lag_1_autocorrelation": "autocorrelation in row order",
    }
    rows = []
    for name, prefix in (("as described", ""), ("as released", "released."), ("as published", "published.")):
        cells = []
        for mark in marks:
            ends = ("", "_shuffled_low", "_shuffled_high")
            cells.append(
                "{:.2f} ({:.2f} to {:.2f})".format(*(metrics[f"{prefix}ablation.{mark}{end}"] for end in ends))
            )
        images = metrics.get(f"{prefix}ablation.images", "not stated")
        rows.append([name, *cells, str(images)])
    return markdown_table(["Figure 4", *(f"{mark} (95 % of shuffled rows)" for mark in marks.values()), "images"], rows)


def ledger_table(metrics: dict, other_seeds: Sequence[dict]) -> str:
    """Return the table of verdicts; claims on single heads that cannot be tested share a row.

    Another reading of a claim has a row where it comes to another verdict; the ledger has all.

    Raises:
        CompanionError: the metrics lack a number that a claim rests on.
    """
    ledger = Ledger.of(metrics, other_seeds)
    table = ledger.table().assign(verdict=[f"**{entry.verdict}**" for entry in ledger.entries])
    verdicts = {(entry.claim.name, entry.protocol): entry.verdict for entry in ledger.entries}
    rows, untestable = [], []
    for entry, cells in zip(ledger.entries, table.values.tolist(), strict=True):
        if entry.verdict == verdicts.get((entry.claim.reading_of, entry.protocol)):
            continue
        if entry.claim.rule == "head_is" and entry.verdict == VERDICTS[-1]:
            untestable.append(entry.claim.arguments["head"])
        else:
            rows.append(cells)
    if untestable:
        heads = f"what {len(untestable)} single heads attend to ({', '.join(untestable)})"
        why = f"**{VERDICTS[-1]}**: heads of different backbones correspond in nothing but their number"
        images = next(entry.images for entry in ledger.entries if entry.claim.arguments.get("head") == untestable[0])
        rows.append([heads, "Figures 6 to 8", "described", images, "see notebook 6", why, "-", "-"])
    return markdown_table(list(table.columns), rows)


def main() -> None:
    with reported():
        text = filled(
            README.read_text(), read_json(SHIPPED), read_json(PROVENANCE), Run(notebook="readme").other_seeds()
        )
        with atomic_path(README) as path:
            path.write_text(text)


if __name__ == "__main__":
    main()
