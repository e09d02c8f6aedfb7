"""The paper's figures: data in, a matplotlib Figure out. Nothing here computes a result, trains or reads files."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from ..files import atomic_path, write_json
from ..heads import min_max

__all__ = [
    "ablation_heatmap",
    "flowchart",
    "gallery",
    "grid",
    "overlays",
    "plain_numbers",
    "prediction_histograms",
    "region_map",
    "save_figure",
    "spectrogram_samples",
    "variant_panel",
]

STYLE = str(Path(__file__).with_name("house.mplstyle"))
WIDTH = 7.2  # inches: a page's text width
UNITS = {"start_time": "s", "start_frequency": "Hz", "end_frequency": "Hz"}
mpl.style.use(STYLE)


def save_figure(figure: Figure, stem: Path, origin: dict) -> None:
    """Write stem.png and stem.pdf with a line of origin in their metadata, and all of it in stem.json."""
    line = f"profile {origin['profile']}, seed {origin['seed']}, commit {origin['commit']}"
    with mpl.style.context(STYLE):
        with atomic_path(stem.with_suffix(".png")) as path:
            figure.savefig(path, metadata={"Description": line})
        with atomic_path(stem.with_suffix(".pdf")) as path:
            figure.savefig(path, metadata={"Keywords": line, "CreationDate": None})
    write_json(stem.with_suffix(".json"), origin)


def grid(rows: int, columns: int, height: float, **options) -> tuple[Figure, np.ndarray]:
    """Return a figure of text width, `height` inches high, and its axes; options go to `Figure.subplots`."""
    # made without pyplot, so that a notebook shows a figure once and no state is left behind
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def spectrogram_samples(images: np.ndarray, captions: Sequence[str]) -> Figure:
    """Figure 2: fifteen images (15, rows, columns, 3) in three rows of five."""
    figure, axes = grid(3, 5, 4.2)
    for axis, image, caption in zip(axes.flat, images, captions, strict=True):
        axis.imshow(image)
        axis.set_title(caption, fontsize=6.5)
        axis.axis("off")
    return figure


def variant_panel(images: np.ndarray, captions: Sequence[str], *, columns: int = 5) -> Figure:
    """Images (n, rows, columns, 3) of one chirp in its counterfactual variants, each with its name."""
    rows = -(-len(images) // columns)
    figure, axes = grid(rows, columns, 1.65 * rows)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image)
        axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, ec="0.7", lw=0.5))
        axis.set_title(caption, fontsize=7)
    return figure


def region_map(image: np.ndarray, regions: np.ndarray, names: Sequence[str]) -> Figure:
    """A image beside its regions (rows, columns), each in a colour of its own, with the names."""
    figure, (left, right) = grid(1, 2, 3.4, width_ratios=[1, 1.9])
    colours = mpl.colors.ListedColormap(["#f4f4f4", "#b9c7d6", "#d62728", *sns.color_palette("husl", len(names) - 3)])
    left.imshow(image)
    drawn = right.imshow(regions, cmap=colours, vmin=-0.5, vmax=len(names) - 0.5, interpolation="nearest")
    for axis in (left, right):
        axis.axis("off")
    bar = figure.colorbar(drawn, ax=right, ticks=range(len(names)))
    bar.ax.set_yticklabels([name.replace("_", " ") for name in names], fontsize=5.5)
    bar.ax.invert_yaxis()
    return figure


def flowchart() -> Figure:
    """Figure 1: how attention maps are extracted and heads ablated."""
    columns = {
        "Attention maps": [
            "DrawnImage, resized to 224 x 224",
            "14 x 14 patches, embedded,\nCLS token and positions added",
            "ViT forward pass, LoRA merged:\n12 layers x 12 heads",
            "Attention without CLS,\naveraged over query patches",
            "Min-max normalised map,\n14 x 14",
            "Overlay on the image",
        ],
        "Head ablation": [
            "Fine-tuned ViT and head,\nheld-out images",
            "Intact predictions and loss",
            "For each layer, each head:\nset its W$_Q$, W$_K$, W$_V$ to zero",
            "Predict the same images again",
            "Restore the weights",
            "Increase of the loss in percent,\nshift of the predictions",
        ],
    }
    figure, axes = grid(1, 2, 5.2)
    for axis, (title, steps) in zip(axes, columns.items(), strict=True):
        axis.set(xlim=(0, 1.06), ylim=(-len(steps), 0.3))
        axis.axis("off")
        axis.set_title(title, fontsize=10, fontweight="bold")
        for number, step in enumerate(steps):
            box = FancyBboxPatch(
                (0.12, -number - 0.68), 0.76, 0.6, boxstyle="round,pad=0.01", fc="#eef3fa", ec="#33557a"
            )
            axis.add_patch(box)
            axis.text(0.5, -number - 0.38, step, ha="center", va="center", fontsize=8)
            if number:
                axis.annotate(
                    "",
                    (0.5, -number - 0.06),
                    (0.5, -number + 0.31),
                    arrowprops={"arrowstyle": "->", "color": "#33557a"},
                )
    loop = {"arrowstyle": "->", "color": "#a33", "connectionstyle": "arc3,rad=-0.6"}
    axes[1].annotate("", (0.88, -2.38), (0.88, -4.38), arrowprops=loop | {"connectionstyle": "arc3,rad=0.5"})
    axes[1].text(1.03, -3.4, "next head", rotation=90, va="center", ha="center", color="#a33", fontsize=7)
    return figure


def prediction_histograms(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> Figure:
    """Figure 3: one panel a layer, start times with each of its heads ablated over the intact model's in grey.

    A bar far above all of the intact model's is cut off and its height written beside it.

    Args:
        baseline: (images,) seconds.
        ablated: (layers, heads, images) seconds.
        weights: (images,) how many images each stands for.
    """
    layers, heads = ablated.shape[:2]
    figure, axes = grid((layers + 3) // 4, 4, 5.4, sharex=True, sharey=True)
    low, high = np.percentile(np.concatenate([baseline, ablated.ravel()]), [0.1, 99.9])
    edges = np.linspace(low, high, 25)
    colours = sns.color_palette("husl", heads)
    highest = [
        np.histogram(some, edges, weights=weights)[0].max() for some in (baseline, *ablated.reshape(-1, len(baseline)))
    ]
    top = min(2.5 * highest[0], 1.05 * max(highest))
    axes.flat[0].set_ylim(0, top)
    for layer, axis in enumerate(axes.flat):
        axis.hist(baseline, edges, weights=weights, color="0.75", label="intact")
        for head in range(heads):
            line = {"histtype": "step", "lw": 0.7, "color": colours[head], "label": f"head {head + 1}"}
            heights, _, _ = axis.hist(ablated[layer, head], edges, weights=weights, **line)
            if heights.max() > top:
                place = edges[heights.argmax() + 1], top
                axis.annotate(f" head {head + 1}: to {heights.max():.0f}", place, va="top", fontsize=6.5)
        axis.set_title(f"Layer {layer + 1}")
    figure.supxlabel("Predicted start time (s)", fontsize=8)
    figure.supylabel("Images (weighted)", fontsize=8)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncol=7)
    return figure


def ablation_heatmap(increase: np.ndarray, *, title: str = "Increase of the loss in percent") -> Figure:
    """Figure 4: layers down, heads across, the increase in each cell; blue low, red high, as in the paper.

    Effects of one head can be a hundred times another's, so colours follow a symmetric logarithmic scale; the cells
    hold the numbers.
    """
    layers, heads = increase.shape
    figure, axis = grid(1, 1, 5.0)
    largest = max(1.0, np.abs(increase).max())
    norm = mpl.colors.SymLogNorm(linthresh=0.5, vmin=-largest, vmax=largest)  # no effect is grey
    cells = np.vectorize(lambda value: f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}")(increase)
    sns.heatmap(
        increase,
        annot=cells,
        fmt="",
        cmap="coolwarm",
        norm=norm,
        ax=axis,
        annot_kws={"size": 6.5},
        xticklabels=range(1, heads + 1),
        yticklabels=range(1, layers + 1),
        cbar_kws={"label": "increase of the loss (%), symmetric log scale"},
        linewidths=0.3,
    )
    plain_numbers(axis.collections[0].colorbar)
    axis.set(xlabel="Head", ylabel="Layer", title=title)
    axis.tick_params(axis="y", rotation=0)
    return figure


def plain_numbers(bar: mpl.colorbar.Colorbar, *, most: int = 4) -> None:
    """Write zero and the powers of ten outside the linear part; those within it would lie on top of each other.

    Of more than `most` powers some are left out.
    """
    first, last = np.log10([bar.norm.linthresh, bar.norm.vmax])
    powers = 10.0 ** np.arange(np.ceil(first), np.floor(last) + 1)
    if not len(powers):
        powers = np.array([float(f"{bar.norm.vmax / 2:.0e}")])
    powers = powers[:: -math.ceil(len(powers) / most)]
    places = [*-powers, 0, *powers]
    bar.set_ticks(places, labels=[f"{place:g}" for place in places])
    bar.minorticks_off()


def gallery(
    images: np.ndarray, maps: np.ndarray, heads: Sequence[tuple[int, int]], captions: Sequence[str], **options
) -> Figure:
    """Figures 5 and 8: chosen heads (layer, head), each over the next of the first five images.

    Args:
        images: (n, rows, columns, 3).
        maps: (n, layers, heads, 14, 14), raw.
        heads: counted from 0.
        captions: one a head.
        options: of `overlays`.
    """
    place = np.arange(len(heads)) % min(5, len(images))
    layer, head = np.array(heads).T
    return overlays(images[place], maps[place, layer, head], captions, **options)


def overlays(images: np.ndarray, maps: np.ndarray, captions: Sequence[str], *, columns: int = 5) -> Figure:
    """Figures 5 to 8: raw maps (n, 14, 14), min-max normalised and laid over images (n, rows, columns, 3)."""
    count = len(captions)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = grid(rows, columns, rows * (WIDTH / max(columns, 2.4) + 0.25), squeeze=False)
    colours = mpl.colormaps["inferno"](np.arange(256))
    normalised = min_max(maps)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, attention, caption in zip(axes.flat, images, normalised, captions, strict=False):
        axis.imshow(overlay(image, attention, colours))
        axis.set_title(caption, fontsize=6.5)
    bar = figure.colorbar(
        mpl.cm.ScalarMappable(cmap="inferno"),
        ax=axes,
        shrink=0.9 if rows == 1 else 0.5,
        aspect=20 if rows == 1 else 30,
        pad=0.02,
    )
    bar.set_label("attention (0..1)" if rows == 1 else "attention, min-max normalised", fontsize=7)
    return figure


def overlay(pixels: np.ndarray, normalised: np.ndarray, colours: np.ndarray, *, alpha: float = 0.75) -> np.ndarray:
    """Lay a normalised map over a image; return (rows, columns, 3) in 0..1.

    Each patch takes its colour out of `colours` (256, 3 or 4) with a weight that grows with the map, from a third of
    `alpha` where it is zero to `alpha` where it is one, so that the image stays visible where a head does not look.
    """
    patch = pixels.shape[0] // normalised.shape[0]
    wide = np.kron(normalised, np.ones((patch, patch)))
    painted = np.asarray(colours)[(wide * 255).astype(np.uint8), :3]
    weight = (alpha * (1 + 2 * wide) / 3)[..., None]
    return (1 - weight) * pixels / 255 + weight * painted
