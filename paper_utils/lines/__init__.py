"""Line images of arXiv 2504.09393: their labels, what an image can say of them, and how well colours stand out."""

from .colours import contrast, contrasts, equal_contrast
from .images import COLOURS, SETS, Lines, LineSet, draw_lines, line_image
from .readers import READERS, Decidability, ErrorByAngle, cardinal_table, huber, perfect_errors, read, undecidable
from .samples import TwoLabels, same_from_both_ends, sample_panel
from .variants import VARIANTS, check_variant, drawn_colours, variant_images

__all__ = [
    "COLOURS",
    "READERS",
    "SETS",
    "VARIANTS",
    "Decidability",
    "ErrorByAngle",
    "LineSet",
    "Lines",
    "TwoLabels",
    "cardinal_table",
    "check_variant",
    "contrast",
    "contrasts",
    "draw_lines",
    "drawn_colours",
    "equal_contrast",
    "huber",
    "line_image",
    "perfect_errors",
    "read",
    "same_from_both_ends",
    "sample_panel",
    "undecidable",
    "variant_images",
]
