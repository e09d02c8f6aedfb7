"""Figures of learning and accuracy: histories, predictions and scores in, a matplotlib Figure out."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from ..data.chirps import UNITS
from .style import grid

__all__ = [
    "accuracy_by_group",
    "learning_curves",
    "predicted_against_true",
    "pretraining_losses",
    "stroke_samples",
    "study_curves",
]

PUBLISHED_R = 0.9841  # of the start time (arXiv 2503.22713)
COLOURS = dict(zip(UNITS, sns.color_palette("colorblind", 3), strict=True))


def learning_curves(history: Sequence, *, batch: int) -> Figure:
    """Loss of every training batch and after every epoch, and what Pearson r lacks to one, against images seen.

    A dotted line marks where the learning rate fell by far, as it does on a plateau.

    Args:
        history: the epochs of a fine-tuning (`training.Epoch`), losses of standardised labels.
        batch: images of one training step.
    """
    batch_losses = np.concatenate([epoch.batch_losses for epoch in history])
    seen = [epoch.images_seen for epoch in history]
    figure, (left, right) = grid(1, 2, 2.9)
    steps = (np.arange(len(batch_losses)) + 1) * batch
    width = max(1, min(16, len(batch_losses) // 4))
    running = np.convolve(batch_losses, np.ones(width) / width, mode="valid")
    left.plot(steps, batch_losses, color="0.8", lw=0.5, label="training, each batch")
    left.plot(steps[width - 1 :], running, color="0.4", lw=1, label=f"mean of {width} batches")
    left.plot(seen, [epoch.validation_loss for epoch in history], "s-", ms=3, color="C1", label="validation")
    left.set(xlabel="Images seen", ylabel="MSE (standardised)", yscale="log", title="Loss")
    for target in history[0].pearson_r:
        values = [epoch.pearson_r[target] for epoch in history]
        right.plot(
            seen, [1 - rate for rate in values], "o-", ms=3, color=COLOURS[target], label=target.replace("_", " ")
        )
    right.axhline(1 - PUBLISHED_R, color=COLOURS["start_time"], lw=0.8, ls="--", label="start time, published")
    right.set(xlabel="Images seen", ylabel="1 - Pearson r (validation)", yscale="log", title="Correlation")
    _plain_ticks(right.yaxis)
    rates = np.log([epoch.learning_rate for epoch in history])
    falls = np.take(seen, np.flatnonzero(np.diff(rates) < -2))
    for axis in (left, right):
        for number, place in enumerate(falls):
            label = "learning rate falls" if axis is left and number == 0 else None
            axis.axvline(place, color="0.4", lw=0.8, ls=":", label=label)
    left.legend()
    right.legend()
    return figure


def _plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis of what r lacks to one at 1, 2 and 5 of each decade, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())


def predicted_against_true(predictions: np.ndarray, labels: np.ndarray) -> Figure:
    """Predicted against true values and the residuals' histogram for each target, (images, 3) each.

    The histograms leave out the outermost hundredth and say so; bias and mean absolute error are of all.
    """
    figure, axes = grid(2, 3, 4.8)
    for column, (target, unit) in enumerate(UNITS.items()):
        name = target.replace("_", " ")
        true, predicted = labels[:, column], predictions[:, column]
        residual = predicted - true
        above, below = axes[:, column]
        limits = (min(true.min(), predicted.min()), max(true.max(), predicted.max()))
        above.plot(limits, limits, color="0.6", lw=0.8)
        above.plot(true, predicted, ".", ms=2, alpha=0.5, color=COLOURS[target], rasterized=True)
        above.set(xlabel=f"true {name} ({unit})", ylabel=f"predicted ({unit})", box_aspect=1)
        reach = np.quantile(np.abs(residual), 0.99)
        below.hist(residual, bins=np.linspace(-reach, reach, 41), color=COLOURS[target])
        below.axvline(0, color="0.3", lw=0.8)
        below.axvline(residual.mean(), color="0.3", lw=0.8, ls="--")
        title = f"bias {residual.mean():+.2f} {unit}, mean absolute {np.abs(residual).mean():.2f} {unit}"
        below.set_title(title, fontsize=6.5)
        below.set(xlabel=f"predicted - true ({unit}), inner 99 %", ylabel="images")
    return figure


def accuracy_by_group(scores: dict[str, dict[str, tuple[float, float, float]]]) -> Figure:
    """What Pearson r lacks to one, with its interval, by group of images and by target: most are near one.

    Args:
        scores: for each group, top to bottom, and each target: r, low, high.
    """
    figure, axis = grid(1, 1, 0.27 * len(scores) + 0.9)
    place = np.arange(len(scores))
    for offset, target in zip((-0.2, 0, 0.2), UNITS, strict=True):
        middle, high, low = 1 - np.array([group[target] for group in scores.values()]).T
        axis.errorbar(
            middle, place + offset, xerr=np.stack([middle - low, high - middle]).clip(0), fmt="o", ms=3, lw=1, color=COLOURS[target],
            label=target.replace("_", " "),
        )  # fmt: skip
    axis.set_yticks(place, list(scores))
    axis.set(xlabel="1 - Pearson r, with 95 % interval", ylim=(len(scores) - 0.5, -0.5))
    if any(score[0] < 1 for group in scores.values() for score in group.values()):  # not where r is one or undefined
        axis.set_xscale("log")
        _plain_ticks(axis.xaxis)
    axis.grid(axis="x", lw=0.3)
    figure.legend(loc="outside upper center", ncol=3)
    return figure


def study_curves(curves: dict[str, tuple[Sequence[int], Sequence[float], Sequence[float]]]) -> Figure:
    """Validation loss and what the lowest Pearson r of the three targets lacks to one, against images seen.

    Args:
        curves: for each way of training: images seen, loss, r. Training seeds of one way ("LoRA, second
            training seed") share the name before the comma, and so a colour.
    """
    figure, (left, right) = grid(1, 2, 3.2)
    ways = list(dict.fromkeys(name.partition(",")[0] for name in curves))
    colours = dict(zip(ways, sns.color_palette("colorblind", len(ways)), strict=True))
    drawn = dict.fromkeys(ways, 0)
    for name, (seen, loss, rate) in curves.items():
        way = name.partition(",")[0]
        style = {"ms": 2.5, "lw": 1, "color": colours[way], "ls": ("-", "--", ":")[drawn[way] % 3]}
        drawn[way] += 1
        left.plot(seen, loss, marker="o", label=name, **style)
        right.plot(seen, 1 - np.array(rate), marker="o", **style)
    left.set(xlabel="Images seen", ylabel="Validation MSE (standardised)", yscale="log", title="Loss")
    right.set(xlabel="Images seen", ylabel="1 - Pearson r, worst of three targets", yscale="log", title="Correlation")
    _plain_ticks(right.yaxis)
    figure.legend(loc="outside lower center", ncol=3)
    return figure


def stroke_samples(images: np.ndarray, ends: np.ndarray) -> Figure:
    """Images the backbone was pre-trained on, with the two ends it was supervised with.

    Args:
        images: (n, size, size, 3).
        ends: (n, 4), x and y of either end as a share of the side, 0..1.
    """
    columns = 6
    figure, axes = grid(-(-len(images) // columns), columns, 1.3 * -(-len(images) // columns))
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, (x0, y0, x1, y1) in zip(axes.flat, images, ends * images.shape[1], strict=False):
        axis.imshow(image)
        axis.plot([x0, x1], [y0, y1], "o", mfc="none", mec="white", mew=2, ms=6)
        axis.plot([x0, x1], [y0, y1], "o", mfc="none", mec="black", mew=0.7, ms=6)
    return figure


def pretraining_losses(curriculum: dict[str, np.ndarray]) -> Figure:
    """Losses on the ends and on the patches' cells against images seen, one curve a part of a curriculum stage.

    Args:
        curriculum: by name, rows of images seen, loss on the ends, loss on the cells.
    """
    figure, axes = grid(1, 2, 2.6)
    colours = sns.color_palette("turbo", len(curriculum))  # in their order, however many
    for column, (axis, title) in enumerate(
        zip(axes, ("Stroke ends (smooth L1)", "Cells of patches (cross-entropy)"), strict=True)
    ):
        for (name, log), colour in zip(curriculum.items(), colours, strict=True):
            axis.plot(log[:, 0] / 1e6, log[:, column + 1], color=colour, label=name)
        axis.set(xlabel="Images seen, in millions", title=title, yscale="log")
    axes[0].set_ylabel("Loss on images not seen before")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure
