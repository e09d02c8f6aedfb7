"""The curriculum in which the embedded backbone is pre-trained, in their order: records of what was run."""

from dataclasses import dataclass, replace

from backbone.strokes import StrokeRange

__all__ = ["CURRICULUM", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the backbone is trained on in one curriculum stage, and for how long."""

    seed: int = 20250324
    strokes: StrokeRange = StrokeRange()
    first_image: int = 3_856_800  # index in the endless set; those before taught earlier backbones
    small_images: int = 240_000  # at 112 pixels: parts of large ones, of the same scale, at some 7 x 7 positions
    large_images: int = 80_000  # at 224 pixels, at the end
    crowd: int = 3  # strokes in each part; of more than one only the cells are asked for
    end_cells: float = 0.0  # weight of naming, from the patch tokens, the cells in which the ends lie
    batch: int = 64
    large_batch: int = 32
    matrix_rate: float = 4e-3  # peak of the layers' matrices, which learn by Muon
    peak_rate: float = 1e-3  # of all else, by AdamW
    warm_up: int = 8_000  # images
    cool_down: int = 150_000  # last images, over which the rates fall to zero
    weight_decay: float = 0.05

    @property
    def images(self) -> int:
        return self.small_images + self.large_images

    @property
    def end(self) -> int:
        """Index in the endless set at which the next curriculum stage begins."""
        return self.first_image + self.images


# three strokes in a part teach three times as much of what a stroke looks like, at the same cost
# (shortened twice on the way: up to then the rate was that of 330,000 parts and 130,000 whole images)
AFRESH = Recipe()
# and one stroke in a part where its ends are, four times as cheaply as whole images
ALONE = replace(
    AFRESH,
    strokes=replace(AFRESH.strokes, lifts=(5.5, 30.0)),
    first_image=AFRESH.end,
    cool_down=160_000,
    crowd=1,
)
# Level chirps along the spectrogram's edge were read worst of the clear ones: of such strokes those had next to none
LEVEL = replace(
    ALONE,
    strokes=replace(ALONE.strokes, steep=0.3, climbing=0.25, level=0.3, touching=0.2),
    first_image=ALONE.end,
    small_images=112_000,
    large_images=40_000,
    warm_up=4_000,
    cool_down=120_000,
)
# What lies along the spectrogram's upper edge was still missed: white paper in the same patch outshines it
PLAIN = replace(
    LEVEL,
    strokes=replace(LEVEL.strokes, touching=0.4, plain=0.6),
    first_image=LEVEL.end,
    small_images=80_000,
    large_images=48_000,
    cool_down=112_000,
)
# Level chirps along the upper edge were still missed: of the panel, a strip as narrow as they are shares its patches with
# white paper, so that nothing in a patch tells a chirp from noise but how far both are from white.
# And patch tokens that name the cells of the ends, not only of what lies between, tell CLS where to look.
# (cut short among the whole images, of which there were to be 64,000; the rates were those of 128,000 images)
STRIPS = replace(
    PLAIN,
    strokes=replace(PLAIN.strokes, level=0.5, touching=0.6, plain=0.75, strips=0.6),
    first_image=PLAIN.end,
    small_images=64_000,
    large_images=1_824,
    end_cells=0.1,
)
# Then they were found where no title stood in those patches, and those along the lower edge where no number did
# (cut short as well; the rates were those of 64,000 parts and 32,000 whole images)
LETTERED = replace(
    STRIPS,
    strokes=replace(STRIPS.strokes, lettered=0.8),
    first_image=STRIPS.end,
    large_images=11_392,
    cool_down=84_000,
)
# Few of those strokes had marks beside all their length, as a title has them, or were as flat
TITLED = replace(
    LETTERED,
    strokes=replace(LETTERED.strokes, titled=0.8, flat=0.5),
    first_image=LETTERED.end,
    small_images=48_000,
    large_images=24_000,
    cool_down=64_000,
)
CURRICULUM = {
    "afresh": AFRESH,
    "alone": ALONE,
    "level": LEVEL,
    "plain": PLAIN,
    "strips": STRIPS,
    "lettered": LETTERED,
    "titled": TITLED,
}
