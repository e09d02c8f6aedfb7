"""Figure 1: the flowchart of the method."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from .style import grid

__all__ = ["column_of_steps", "flowchart"]


def flowchart() -> Figure:
    """Figure 1: how attention maps are extracted and heads ablated."""
    columns = {
        "Attention maps": [
            "Image, resized to 224 x 224",
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
        column_of_steps(axis, title, steps)
    loop = {"arrowstyle": "->", "color": "#a33", "connectionstyle": "arc3,rad=-0.6"}
    axes[1].annotate("", (0.88, -2.38), (0.88, -4.38), arrowprops=loop | {"connectionstyle": "arc3,rad=0.5"})
    axes[1].text(1.03, -3.4, "next head", rotation=90, va="center", ha="center", color="#a33", fontsize=7)
    return figure


def column_of_steps(axis: Axes, title: str, steps: Sequence[str], *, marked: str | None = None) -> None:
    """Draw steps as boxes from top to bottom, with an arrow from each to the next.

    Args:
        axis: to draw on.
        title: above it.
        steps: texts of the boxes.
        marked: boxes whose text holds this have another colour.
    """
    axis.set(xlim=(0, 1.06), ylim=(-len(steps), 0.3))
    axis.axis("off")
    axis.set_title(title, fontsize=10, fontweight="bold")
    for number, step in enumerate(steps):
        face, edge = ("#fdf0e3", "#b5651d") if marked and marked in step else ("#eef3fa", "#33557a")
        axis.add_patch(FancyBboxPatch((0.12, -number - 0.68), 0.76, 0.6, boxstyle="round,pad=0.01", fc=face, ec=edge))
        axis.text(0.5, -number - 0.38, step, ha="center", va="center", fontsize=8)
        if number:
            axis.annotate(
                "",
                (0.5, -number - 0.06),
                (0.5, -number + 0.31),
                arrowprops={"arrowstyle": "->", "color": "#33557a"},
            )
