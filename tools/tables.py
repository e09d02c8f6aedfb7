"""The tables of README and docs, as text, from the numbers of the runs that ship."""

from collections.abc import Mapping

from paper_utils.claims import SCALED, Backbones, Entry, Ledger
from paper_utils.claims.judgements import UNTESTABLE, VERDICTS
from paper_utils.data.chirps import TARGETS, UNITS
from paper_utils.interventions.protocol_effects import RELEASES
from paper_utils.pipeline.figures import FIGURES, PAPER_FIGURES
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.stages import STAGES
from tools.markdown import markdown_table

__all__ = [
    "RESULTS",
    "ablation_table",
    "accuracy_table",
    "figures_table",
    "findings_table",
    "ledger_table",
    "paper_and_here",
    "papers_table",
    "protocols_table",
    "speed",
]

RESULTS = tuple(
    name for name, stage in STAGES.items() if stage.file and name != "fine_tuning" and not stage.repeats
)  # those of `make figures`
UNSELECTED = "accuracy.unselected."
# the claim that each figure of the paper supports most directly; nothing is claimed of the first two
JUDGED_BY = {3: "like_baseline", 4: "largest_effect", 5: "chirp_layers", 6: "l6h4", 7: "l12h12", 8: "early_distractors"}
# and those that its notebook has below it: of these figures of ours, where the claims name others than `figure_N`
SHOWN_BY = {4: ("figure_4", "effect_intervals")}
OTHER_PAPERS = {  # of the author: what each is about, and where it is tested
    "2503.22713": ("chirps", ("02_finetune_vit",)),
    "2504.09393": (
        "lines",
        ("08_orientation_and_colour", "08b_what_a_vit_makes_of_them", "08c_colour_and_transitions"),
    ),
    "2212.09641": ("networks", ("09_attention_and_stability",)),
    "2504.02976": ("language", ("10_clap", "10b_definitions_and_associations")),
}


def _cost(*records: dict) -> list[str]:
    seconds, peak = sum(one["seconds"] for one in records), max(one["peak_memory_mib"] for one in records)
    time = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return [part.replace(" ", "&nbsp;") for part in (time, f"{peak:.0f} MiB")]


def papers_table(ledgers: Mapping[str, Ledger]) -> str:
    """Return how many claims of each of the author's other papers come to each verdict, by its arXiv number."""
    rows = []
    for paper, ledger in ledgers.items():
        counts = ledger.summary()["claims"]
        title, notebooks = OTHER_PAPERS[paper]
        links = ", ".join(f"[{name.partition('_')[0]}](notebooks/{name}.ipynb)" for name in notebooks)
        rows.append([f"[{paper}](https://arxiv.org/abs/{paper}) {title}", links, *map(str, counts)])
    return markdown_table(["another paper of the author", "notebook", *VERDICTS], rows)


def _without_details(entry: Entry) -> str:
    """Return verdict, value and images, less what stands behind a semicolon; a dash for what cannot be tested."""
    if entry.verdict == UNTESTABLE:
        return "-"
    value = entry.judgement.value
    return f"**{entry.verdict}**{entry.in_short.removeprefix(entry.verdict).replace(value, value.split(';')[0])}"


def figures_table(provenance: dict, found: Backbones) -> str:
    """Return a row for each figure of the paper: what it shows there and on each backbone, and what it takes here."""
    judged = {entries[0].claim.name: entries for entries in reversed(found.by_row())}  # by the first row of each claim
    dashes = ["-"] * len(found.ledgers)
    rows = []
    for number, shows in PAPER_FIGURES.items():
        notebook = FIGURES[f"figure_{number}"].notebook
        here = [_without_details(entry) for entry in judged[JUDGED_BY[number]]] if number in JUDGED_BY else dashes
        link = f"[{notebook[:2]}](notebooks/{notebook}.ipynb)"
        rows.append(
            [str(number), shows, *here, link, f"`make figure-{number}`", *_cost(provenance["notebooks"][notebook])]
        )
    results = [record for name, record in provenance["stages"].items() if name in RESULTS]
    took = [record["seconds"] for record in provenance["notebooks"].values()]
    rows.append(
        [
            "all",
            f"what they are drawn from; all notebooks {sum(took) / 60:.0f} min more",
            *dashes,
            "-",
            "`make figures`",
            *_cost(*results),
        ]
    )
    link = "[02](notebooks/02_finetune_vit.ipynb)"
    rows.append(
        [
            "all",
            "the same, and fine-tuning, instead of the model that ships",
            *dashes,
            link,
            "`make figures FROM=seeds`",
            *_cost(*results, provenance["stages"]["fine_tuning"]),
        ]
    )
    columns = ["figure", "the paper shows", *(f"here, {name}" for name in found.ledgers)]
    return markdown_table([*columns, "notebook", "command", "time", "memory"], rows)


def paper_and_here(found: Backbones, number: int) -> str:
    """Return what the paper says of one of its figures beside what each backbone gives, a row a claim."""
    shown_by = SHOWN_BY.get(number, (f"figure_{number}",))
    judged = [
        entries
        for entries in found.by_row()
        if entries[0].claim.figure in shown_by
        and not entries[0].claim.reading_of
        and entries[0].protocol == "described"
    ]
    rows = [
        [entries[0].claim.statement, entries[0].claim.published, *(_without_details(entry) for entry in entries)]
        for entries in judged
    ]
    why = ""
    if not rows:
        rows = [[PAPER_FIGURES[number], "-", *["drawn anew; nothing is claimed of it"] * len(found.ledgers)]]
    elif all(entry.verdict == UNTESTABLE for entries in judged for entry in entries):
        why = f"\n\nA dash: {UNTESTABLE}, since heads of different backbones have nothing in common but their number."
    columns = ["the paper says", "published", *(f"here, {name}" for name in found.ledgers)]
    return f"{markdown_table(columns, rows)}{why}"


def accuracy_table(metrics: dict) -> str:
    """Return how well the shipped model reads chirps, on images that chose something and on others."""
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


def speed(measured: dict) -> str:
    """Return what `make bench` measured when it was last kept, as ratios of one run on one machine."""
    gains = [
        f"{measured[f'estimates.{images}.width_for_the_same_time']:.2f} of the half-width of {images} exact images in the "
        f"same time, the same half-width in {measured[f'estimates.{images}.time_for_the_same_width']:.2f} of the time"
        for images in (64, 128)
    ]
    return (
        f"When it was last kept ({measured['origin.cores']} cores): drawing {measured['rendering.speedup_memory']:.0f} times as "
        f"fast in memory as the same matplotlib calls, one image after the other, and {measured['rendering.speedup_png']:.1f} "
        f"times in files; the sweep {measured['sweep.speedup_plain']:.1f} times as fast as one head after the other, "
        f"{measured['sweep.speedup_hooks']:.1f} times as torch's forward hooks (64 images); control variates: {'; '.join(gains)}."
    )


def ablation_table(metrics: dict) -> str:
    """Return the effects of the heads of each layer, and what they rest on."""
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


def protocols_table(metrics: dict) -> str:
    """Return the marks of a walk in Figure 4 as described, released and published."""
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
        if entry.claim.rule == "head_is" and entry.verdict == UNTESTABLE:
            untestable.append(entry.claim.arguments["head"])
        else:
            rows.append(cells)
    if untestable:
        heads = f"what {len(untestable)} single heads attend to ({', '.join(untestable)})"
        why = f"**{UNTESTABLE}**: heads of different backbones correspond in nothing but their number"
        images = next(entry.images for entry in ledger.entries if entry.claim.arguments.get("head") == untestable[0])
        dashes = ["-"] * (2 + len(columns))
        rows.append([heads, "Figures 6 to 8", "described", images, "see notebook 6b", why, *dashes])
    return markdown_table(list(table.columns), rows)
