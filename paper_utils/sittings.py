"""The sittings in which the embedded backbone is pre-trained, in their order: records of what was run.

The first is mostly on small pictures (112 pixels, positions interpolated) with bold strokes, the second on pictures of
the paper's 224 pixels with strokes down to a few pixels, the third and fourth with most strokes a ridge in noise, as
short chirps in strong noise are, the fifth with dotted ones, the sixth with steep ones that hardly stand out; the
seventh mostly on parts of such pictures, the probe learning where in the patch the stroke lies; the eighth with several
strokes in each part, the ninth mostly with upright rows of dots, the tenth and eleventh with strokes that are smoothed
with the noise they lie in.

A backbone that may follow has sittings of its own (`NEXT`): from new weights, with a patch embedding that is set.
"""

from dataclasses import dataclass, replace

from .strokes import StrokeRange

__all__ = ["NEXT", "SITTINGS", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What the backbone is trained on in one sitting, and for how long."""

    seed: int = 20250324
    strokes: StrokeRange = StrokeRange()
    first_picture: int = 0  # index in the endless set
    small_pictures: int = 320_000  # at 112 pixels
    large_pictures: int = 48_000  # at 224 pixels, at the end
    batch: int = 64
    large_batch: int = 32
    peak_rate: float = 6e-4
    warm_up: int = 32_000  # pictures
    cool_down: int = 80_000  # last pictures, over which the rate falls to zero
    weight_decay: float = 0.05
    detailed: bool = False  # read from each patch token where in the patch the stroke lies, not only whether
    parts: bool = False  # small pictures are parts of large ones: same scale, positions of some 7 x 7 patches
    crowd: int = 1  # strokes in each part; of more than one only the cells are asked for
    end_cells: float = 0.0  # weight of naming, from the patch tokens, the cells in which the ends lie
    patterns: bool = False  # the patch embedding is not learnt: new weights have whitened cosine patterns, which stay
    matrix_rate: float = 0.0  # peak rate of the layers' matrices if they learn by Muon; else all learn by AdamW

    @property
    def pictures(self) -> int:
        return self.small_pictures + self.large_pictures

    @property
    def end(self) -> int:
        """Index in the endless set at which the next sitting begins."""
        return self.first_picture + self.pictures


BOLD = Recipe()
FINE = Recipe(
    strokes=StrokeRange(shortest=0.03, longest=0.45, thinnest=0.01, thickest=0.04, faintest=0.5),
    first_picture=BOLD.end,
    small_pictures=0,
    large_pictures=200_000,
    warm_up=8_000,
    cool_down=120_000,
)
FAINT = Recipe(
    strokes=StrokeRange(shortest=0.012, longest=0.35, thinnest=0.008, thickest=0.03, faintest=0.5, hazy=0.7),
    first_picture=FINE.end,
    small_pictures=0,
    large_pictures=120_000,
    peak_rate=4e-4,
    warm_up=4_000,
    cool_down=116_000,
)
HAZY = Recipe(
    strokes=StrokeRange(shortest=0.012, longest=0.35, thinnest=0.008, thickest=0.03, faintest=0.5, hazy=0.85),
    first_picture=FAINT.end,
    small_pictures=0,
    large_pictures=300_000,
    warm_up=4_000,
    cool_down=200_000,
)
# a chirp that rises by several bins a step is a row of dots, which continuous strokes do not prepare for
DOTTED = Recipe(
    strokes=StrokeRange(
        shortest=0.02, longest=0.35, thinnest=0.008, thickest=0.03, faintest=0.5, hazy=0.75, dotted=0.5
    ),
    first_picture=HAZY.end,
    small_pictures=0,
    large_pictures=120_000,
    warm_up=4_000,
    cool_down=100_000,
)
# and its dots stand out of strong noise by less than three times its spread, one bin of time apart
SUNKEN = Recipe(
    strokes=StrokeRange(
        shortest=0.012,
        longest=0.3,
        thinnest=0.008,
        thickest=0.02,
        faintest=0.5,
        hazy=0.9,
        lowest=2.7,
        dotted=0.5,
        steep=0.5,
    ),
    first_picture=DOTTED.end,
    small_pictures=0,
    large_pictures=132_000,
    peak_rate=4e-4,
    warm_up=4_000,
    cool_down=120_000,
)
# Most of those are easy or hopeless; this is for what is neither. Where in a patch a stroke lies asks for single pixels,
# which whether it crosses the patch does not, and parts of pictures cost a quarter of whole ones.
DETAILED = Recipe(
    strokes=replace(SUNKEN.strokes, shortest=0.025, longest=0.25, hazy=0.95, lifts=(5.0, 15.0), grain=0.02, steep=0.6),
    first_picture=SUNKEN.end,
    small_pictures=600_000,
    large_pictures=120_000,
    warm_up=16_000,
    cool_down=320_000,
    detailed=True,
    parts=True,
)
# four strokes in a part teach four times as much of what a stroke looks like, at the same cost
CROWDED = replace(
    DETAILED,
    first_picture=DETAILED.end,
    large_pictures=160_000,
    crowd=4,
)
# in the seventh and eighth one stroke in fourteen is like the chirps that the model misses: almost upright, a row of dots
# (shortened on the way: the rate stood at its peak to the last part, and at 4.8e-4 for 10,000 pictures after it)
CLIMBING = replace(
    CROWDED,
    strokes=replace(CROWDED.strokes, climbing=0.6, lifts=(5.0, 13.0)),
    first_picture=CROWDED.end,
    small_pictures=292_800,
    large_pictures=132_000,
    cool_down=165_000,
    crowd=3,
)
# what smooths the noise of a spectrogram smooths its lines too: sharpening shows more of them than the eye sees. And the
# chirps that are still missed are of two to nine dots, steeper than the rows of the ninth sitting
SMOOTHED = replace(
    CLIMBING,
    strokes=replace(
        CLIMBING.strokes,
        thinnest=0.005,
        thickest=0.014,
        lifts=(5.5, 13.0),
        grain=0.005,
        dots=(2, 10),
        slopes=(2.5, 25.0),
        smoothed=0.85,
    ),
    first_picture=CLIMBING.end,
    small_pictures=216_000,
    large_pictures=144_000,
    cool_down=220_000,
    crowd=1,
)
REPEATED = replace(
    SMOOTHED, first_picture=SMOOTHED.end, small_pictures=240_000, large_pictures=112_000, cool_down=200_000
)
# From new weights: an embedding that was learnt holds next to nothing of a line a pixel or two wide, and one that is set
# learns in tens of thousands of pictures, with Muon, what the other took hundreds of thousands for
AFRESH = replace(
    SMOOTHED,
    strokes=replace(SMOOTHED.strokes, hazy=0.8, climbing=0.5, lifts=(5.5, 20.0)),
    first_picture=REPEATED.end,
    small_pictures=240_000,
    large_pictures=80_000,
    peak_rate=1e-3,
    warm_up=8_000,
    cool_down=150_000,
    crowd=3,
    patterns=True,
    matrix_rate=4e-3,
)
# and where one stroke's ends are, of which the crowded parts say nothing
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
    "bold": BOLD,
    "fine": FINE,
    "faint": FAINT,
    "hazy": HAZY,
    "dotted": DOTTED,
    "sunken": SUNKEN,
    "detailed": DETAILED,
    "crowded": CROWDED,
    "climbing": CLIMBING,
    "smoothed": SMOOTHED,
    "repeated": REPEATED,
}
NEXT = {
    "afresh": AFRESH,
    "alone": ALONE,
    "level": LEVEL,
    "plain": PLAIN,
    "strips": STRIPS,
    "lettered": LETTERED,
    "titled": TITLED,
}
