"""The curriculum in which the embedded backbone is pre-trained: its stages in their order, as they were run."""

from dataclasses import dataclass, replace

from backbone.strokes import StrokeRange

__all__ = ["CURRICULUM", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Images and optimisation of one curriculum stage."""

    seed: int = 20250324
    strokes: StrokeRange = StrokeRange()
    first_image: int = 3_856_800  # index in the endless set; earlier ones trained earlier backbones
    small_images: int = 240_000  # at 112 pixels: parts of large images at the same scale, at random 7 x 7 positions
    large_images: int = 80_000  # at 224 pixels, after the small ones
    strokes_per_part: int = 3  # with more than one, only the cells are supervised
    end_cells: float = 0.0  # weight of classifying, from the patch tokens, the cells that hold the ends
    batch: int = 64
    large_batch: int = 32
    matrix_rate: float = 4e-3  # peak learning rate of the layers' matrices, trained by Muon
    peak_rate: float = 1e-3  # of all other parameters, trained by AdamW
    warm_up: int = 8_000  # images
    cool_down: int = 150_000  # last images, over which the learning rates fall to zero
    weight_decay: float = 0.05

    @property
    def images(self) -> int:
        return self.small_images + self.large_images

    @property
    def end(self) -> int:
        """Index in the endless set at which the next curriculum stage begins."""
        return self.first_image + self.images


# Three strokes per part give three times as many supervised cells at the same cost.
# (shortened twice on the way: up to then the schedule was that of 330,000 parts and 130,000 whole images)
THREE_STROKES = Recipe()
# With one stroke per part its ends are supervised too, at a quarter of the cost of whole images.
SINGLE_STROKE = replace(
    THREE_STROKES,
    strokes=replace(THREE_STROKES.strokes, lifts=(5.5, 30.0)),
    first_image=THREE_STROKES.end,
    cool_down=160_000,
    strokes_per_part=1,
)
# Of clear chirps, a fine-tuned model had the largest errors on level ones along the spectrogram's edge: the stages before
# have next to no such strokes.
LEVEL_STROKES = replace(
    SINGLE_STROKE,
    strokes=replace(SINGLE_STROKE.strokes, steep=0.3, climbing=0.25, level=0.3, touching=0.2),
    first_image=SINGLE_STROKE.end,
    small_images=112_000,
    large_images=40_000,
    warm_up=4_000,
    cool_down=120_000,
)
# It still missed chirps along the upper edge, where the white margin in the same patch is brighter than the chirp.
WHITE_SURROUND = replace(
    LEVEL_STROKES,
    strokes=replace(LEVEL_STROKES.strokes, touching=0.4, on_white=0.6),
    first_image=LEVEL_STROKES.end,
    small_images=80_000,
    large_images=48_000,
    cool_down=112_000,
)
# And level chirps there, where the spectrogram covers a few pixel rows of a patch and the rest is white: chirp and noise
# in those rows differ only in how far both are from white.
# Classifying the cells of the ends from the patch tokens gives CLS a feature to attend to.
# (cut short among the whole images, of which there were to be 64,000; the schedule was that of 128,000 images)
PARTIAL_PATCHES = replace(
    WHITE_SURROUND,
    strokes=replace(WHITE_SURROUND.strokes, level=0.5, touching=0.6, on_white=0.75, partial_patches=0.6),
    first_image=WHITE_SURROUND.end,
    small_images=64_000,
    large_images=1_824,
    end_cells=0.1,
)
# Then it found them except where the title, or at the lower edge a tick label, lies in the same patches.
# (cut short as well; the schedule was that of 64,000 parts and 32,000 whole images)
CLOSE_MARKS = replace(
    PARTIAL_PATCHES,
    strokes=replace(PARTIAL_PATCHES.strokes, marks_close=0.8),
    first_image=PARTIAL_PATCHES.end,
    large_images=11_392,
    cool_down=84_000,
)
# Few of those strokes had marks along their whole length, as under a title, or were as flat as such chirps.
TITLE_ROWS = replace(
    CLOSE_MARKS,
    strokes=replace(CLOSE_MARKS.strokes, title_rows=0.8, flat=0.5),
    first_image=CLOSE_MARKS.end,
    small_images=48_000,
    large_images=24_000,
    cool_down=64_000,
)
CURRICULUM = {
    "three_strokes": THREE_STROKES,
    "single_stroke": SINGLE_STROKE,
    "level_strokes": LEVEL_STROKES,
    "white_surround": WHITE_SURROUND,
    "partial_patches": PARTIAL_PATCHES,
    "close_marks": CLOSE_MARKS,
    "title_rows": TITLE_ROWS,
}
