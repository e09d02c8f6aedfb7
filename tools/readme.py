"""Fill the README's tables from the numbers of the shipped run: `python -m tools.readme`."""

from paper_utils.claims import SCALED, VERDICTS, Backbones
from paper_utils.data.chirps import TARGETS
from paper_utils.errors import reported
from paper_utils.files import ROOT, atomic_path, read_json
from paper_utils.interventions.protocol_effects import RELEASES
from paper_utils.pipeline.figures import FIGURES, PAPER_FIGURES
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from paper_utils.plots.style import UNITS
from tools.markdown import between_marks, markdown_table

__all__ = ["PROVENANCE", "README", "SHIPPED", "filled", "ledger_table", "tables"]

README = ROOT / "README.md"
RESULTS = tuple(
    name for name, stage in STAGES.items() if stage.file and name != "fine_tuning" and not stage.repeats
)  # those of `make figures`
UNSELECTED = "accuracy.unselected."
SHIPPED, PROVENANCE = REFERENCE / "results.json", REFERENCE / "provenance.json"


def filled(text: str, provenance: dict, found: Backbones) -> str:
    """Return the README with every table replaced.

    Args:
        text: the README.
        provenance: seconds and peak memory of the shipped run, as `tools.figures` gathers them.
        found: that run beside those on other backbones.

    Raises:
        CompanionError: the text lacks a table's marks.
    """
    side_by_side = {"claims": ledger_table(found), "backbones": findings_table(found)}
    metrics = next(iter(found.numbers.values()))
    return between_marks(text, tables(dict(metrics), provenance) | side_by_side)


def tables(metrics: dict, provenance: dict) -> dict[str, str]:
    """Return the README's tables of numbers by name."""
    return {
        "figures": _figures(provenance),
        "accuracy": _accuracy(metrics),
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
    results = [record for name, record in provenance["stages"].items() if name in RESULTS]
    cost = {
        "seconds": sum(record["seconds"] for record in results),
        "peak_memory_mib": max(record["peak_memory_mib"] for record in results),
    }
    rows.append(["", "(the results behind them)", "computed by the first that asks", "`make figures`", *_cost(cost)])
    training = "[02_finetune_vit](notebooks/02_finetune_vit.ipynb)"
    rows.append(
        ["", "(fine-tuning)", training, "`make figures FROM=seeds`", *_cost(provenance["stages"]["fine_tuning"])]
    )
    return markdown_table(["Figure", "shows", "notebook", "command", "time", "memory"], rows)


def _accuracy(metrics: dict) -> str:
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
    return (
        f"On {metrics['accuracy.images']:,} test images, by which the last curriculum stages of the backbone were chosen:"
        f"\n\n{markdown_table(columns, rows)}\n\n{_unselected(metrics)}\n\n"
        f"{metrics['training.images']:,} images were seen in fine-tuning."
    )


def _unselected(metrics: dict) -> str:
    """Return r on images by which nothing was chosen."""
    found = {key.removeprefix(UNSELECTED): value for key, value in metrics.items() if key.startswith(UNSELECTED)}
    rates = [
        f"{found[f'{target}.pearson_r']:.3f} ({found[f'{target}.pearson_r_low']:.3f} to {found[f'{target}.pearson_r_high']:.3f})"
        for target in TARGETS
    ]
    return (
        f"On {found['images']:,} other held-out images, by which nothing was chosen, r is **{rates[0]}**, {rates[1]} and "
        f"{rates[2]}: that is what to expect of the shipped model."
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
        f"On {found['images']:,} of {get_profile('laptop').ablation_pool:,} held-out images, {found['exact_images']} of "
        f"them with every head ablated exactly and all to first order (weighted: they count as much as "
        f"{found['effective_images']:,.0f} plainly drawn ones), {found['significant_heads_bh']} of 144 heads have a significant effect (FDR 5 %, Benjamini-Hochberg; "
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
    for name, prefix in ({"as described": ""} | RELEASES | {"as published": "published."}).items():
        cells = []
        for mark in marks:
            ends = ("", "_shuffled_low", "_shuffled_high")
            cells.append(
                "{:.2f} ({:.2f} to {:.2f})".format(*(metrics[f"{prefix}ablation.{mark}{end}"] for end in ends))
            )
        images = metrics.get(f"{prefix}ablation.images", "not stated")
        rows.append([name, *cells, str(images)])
    return markdown_table(["Figure 4", *(f"{mark} (95 % of shuffled rows)" for mark in marks.values()), "images"], rows)


def findings_table(found: Backbones) -> str:
    """Return what the paper says most about on every backbone, and of how many rows the verdicts agree."""
    table = found.findings().reset_index(names="")
    rows = markdown_table(["", *(f"{name} backbone" for name in table.columns[1:])], table.values.tolist())
    return f"{rows}\n\n{found}"


def ledger_table(found: Backbones) -> str:
    """Return the table of verdicts; claims on single heads that cannot be tested share a row.

    Another reading of a claim has a row where it comes to another verdict on one of the backbones, and so has the
    released protocol beside what it comes to when scaled to the width of a head; the ledger has all.
    """
    (_, ledger), *others = found.ledgers.items()
    columns = {f"on {name}": [entry.in_short for entry in other.entries] for name, other in others}
    table = ledger.table().assign(verdict=[f"**{entry.remarked}**" for entry in ledger.entries], **columns)
    alike = [tuple(entry.verdict for entry in entries) for entries in found.by_row()]
    verdicts = {(entry.claim.name, entry.protocol): each for entry, each in zip(ledger.entries, alike, strict=True)}
    rows, untestable = [], []
    for entry, cells in zip(ledger.entries, table.values.tolist(), strict=True):
        own = verdicts[entry.claim.name, entry.protocol]
        if own == verdicts.get((entry.claim.reading_of, entry.protocol)):
            continue
        if entry.protocol == "released" and own == verdicts.get((entry.claim.name, SCALED)):
            continue
        if entry.claim.rule == "head_is" and entry.verdict == VERDICTS[-1]:
            untestable.append(entry.claim.arguments["head"])
        else:
            rows.append(cells)
    if untestable:
        heads = f"what {len(untestable)} single heads attend to ({', '.join(untestable)})"
        why = f"**{VERDICTS[-1]}**: heads of different backbones correspond in nothing but their number"
        images = next(entry.images for entry in ledger.entries if entry.claim.arguments.get("head") == untestable[0])
        dashes = ["-"] * (2 + len(columns))
        rows.append([heads, "Figures 6 to 8", "described", images, "see notebook 6", why, *dashes])
    return markdown_table(list(table.columns), rows)


def main() -> None:
    with reported():
        found = Run(notebook="readme").backbones()
        text = filled(README.read_text(), read_json(PROVENANCE), found)
        with atomic_path(README) as path:
            path.write_text(text)


if __name__ == "__main__":
    main()
