"""The sittings in which the embedded backbone is pre-trained, in their order: records of what was run."""

from dataclasses import dataclass, replace

from .strokes import StrokeRange

__all__ = ["SITTINGS", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the backbone is trained on in one sitting, and for how long."""

    seed: int = 20250324
    strokes: StrokeRange = StrokeRange()
    first_picture: int = 3_856_800  # index in the endless set; those before taught earlier backbones
    small_pictures: int = 240_000  # at 112 pixels: parts of large ones, of the same scale, at some 7 x 7 positions
    large_pictures: int = 80_000  # at 224 pixels, at the end
    crowd: int = 3  # strokes in each part; of more than one only the cells are asked for
    end_cells: float = 0.0  # weight of naming, from the patch tokens, the cells in which the ends lie
    batch: int = 64
    large_batch: int = 32
    matrix_rate: float = 4e-3  # peak of the layers' matrices, which learn by Muon
    peak_rate: float = 1e-3  # of all else, by AdamW
    warm_up: int = 8_000  # pictures
    cool_down: int = 150_000  # last pictures, over which the rates fall to zero
    weight_decay: float = 0.05

    @property
    def pictures(self) -> int:
        return self.small_pictures + self.large_pictures

    @property
    def end(self) -> int:
        """Index in the endless set at which the next sitting begins."""
        return self.first_picture + self.pictures


# three strokes in a part teach three times as much of what a stroke looks like, at the same cost
# (shortened twice on the way: up to then the rate was that of 330,000 parts and 130,000 whole pictures)
AFRESH = Recipe()
# and one stroke in a part where its ends are, four times as cheaply as whole pictures
ALONE = replace(
    AFRESH,
    strokes=replace(AFRESH.strokes, lifts=(5.5, 30.0)),
    first_picture=AFRESH.end,
    cool_down=160_000,
    crowd=1,
)
# Level chirps along the spectrogram's edge were read worst of the clear ones: of such strokes those had next to none
LEVEL = replace(
    ALONE,
    strokes=replace(ALONE.strokes, steep=0.3, climbing=0.25, level=0.3, touching=0.2),
    first_picture=ALONE.end,
    small_pictures=112_000,
    large_pictures=40_000,
    warm_up=4_000,
    cool_down=120_000,
)
# What lies along the spectrogram's upper edge was still missed: white paper in the same patch outshines it
PLAIN = replace(
    LEVEL,
    strokes=replace(LEVEL.strokes, touching=0.4, plain=0.6),
    first_picture=LEVEL.end,
    small_pictures=80_000,
    large_pictures=48_000,
    cool_down=112_000,
)
# Level chirps along the upper edge were still missed: of the panel, a strip as narrow as they are shares its patches with
# white paper, so that nothing in a patch tells a chirp from noise but how far both are from white.
# And patch tokens that name the cells of the ends, not only of what lies between, tell CLS where to look.
# (cut short among the whole pictures, of which there were to be 64,000; the rates were those of 128,000 pictures)
STRIPS = replace(
    PLAIN,
    strokes=replace(PLAIN.strokes, level=0.5, touching=0.6, plain=0.75, strips=0.6),
    first_picture=PLAIN.end,
    small_pictures=64_000,
    large_pictures=1_824,
    end_cells=0.1,
)
# Then they were found where no title stood in those patches, and those along the lower edge where no number did
# (cut short as well; the rates were those of 64,000 parts and 32,000 whole pictures)
LETTERED = replace(
    STRIPS,
    strokes=replace(STRIPS.strokes, lettered=0.8),
    first_picture=STRIPS.end,
    large_pictures=11_392,
    cool_down=84_000,
)
# Few of those strokes had marks beside all their length, as a title has them, or were as flat
TITLED = replace(
    LETTERED,
    strokes=replace(LETTERED.strokes, titled=0.8, flat=0.5),
    first_picture=LETTERED.end,
    small_pictures=48_000,
    large_pictures=24_000,
    cool_down=64_000,
)
SITTINGS = {
    "afresh": AFRESH,
    "alone": ALONE,
    "level": LEVEL,
    "plain": PLAIN,
    "strips": STRIPS,
    "lettered": LETTERED,
    "titled": TITLED,
}
