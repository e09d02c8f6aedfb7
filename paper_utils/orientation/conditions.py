"""What is fitted: which set of images, in which variant, with the angle encoded how, from which initial weights."""

from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from ..lines.images import COLOURS, NOISE_LEVELS, SETS, SIZE, Lines, draw_lines
from ..lines.variants import drawn_colours

__all__ = [
    "CONDITIONS",
    "ENCODINGS",
    "SEEDS",
    "TARGETS",
    "Condition",
    "Encoding",
    "check_target",
    "condition",
    "of_set",
    "targets_of",
]

# of the lines: trained on, choosing rate and epoch, judged on; LoRA's own, one more for each start
SEEDS = {"train": 42, "choice": 43, "test": 44, "tuned": 1000}
TARGETS = {  # by set: what the released heads predict
    "I": ("angle", "points", "noise", "length"),
    "II": ("angle", "points", "noise", "length"),
    "III": ("angle", "points", "noise", "length", "width"),
    "IV": ("angle", "points", "noise", "length", "width", "colour"),
}
WIDEST = 10  # pixels, by which the released code divides a width


@dataclass(frozen=True)
class Encoding:
    """How an angle becomes what a head predicts.

    Attributes:
        title: in words.
        origin: degrees at which values begin, and jump.
        axial: whether the cosine and sine of twice the angle stand for it, which are the same from both ends.
    """

    title: str
    origin: float = 0.0
    axial: bool = False

    @property
    def values(self) -> int:
        """How many numbers a head predicts for an angle."""
        return 2 if self.axial else 1

    @property
    def period(self) -> float:
        """After how many degrees an angle has the same label."""
        return 180.0 if self.axial else 360.0

    def labels(self, angles: np.ndarray) -> np.ndarray:
        """Return angles (n,) in degrees as counted from the origin, in 0..period."""
        return np.asarray((angles - self.origin) % self.period)

    def encode(self, angles: np.ndarray) -> np.ndarray:
        """Return what a head is to predict for angles (n,) in degrees, (n, values) in -1..1."""
        if self.axial:
            twice = 2 * np.radians(angles)
            return np.stack([np.cos(twice), np.sin(twice)], axis=1)
        return self.labels(angles)[:, None] / 180 - 1

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return the labels, in degrees from the origin, that outputs (n, values) of a head mean."""
        if self.axial:
            return np.asarray(np.degrees(np.arctan2(outputs[:, 1], outputs[:, 0])) / 2 % 180)
        return np.asarray(180 * (outputs[:, 0] + 1))


ENCODINGS = {
    "published": Encoding("angle / 180 - 1, from 0 to 360 degrees"),
    "turned_45": Encoding("the same, from 45 to 405 degrees", origin=45.0),
    "turned_90": Encoding("the same, from 90 to 450 degrees", origin=90.0),
    "axial": Encoding("cosine and sine of twice the angle, judged modulo 180 degrees", axial=True),
}


@dataclass(frozen=True)
class Condition:
    """One way to fit the heads, where it differs from the published one."""

    set: str
    variant: str = "published"  # of `lines.VARIANTS`
    encoding: str = "published"  # of ENCODINGS
    initial: str = "published"  # of `heads.INITIAL`

    @property
    def name(self) -> str:
        """A name without spaces: the set, and what differs."""
        others = {self.variant, self.encoding, self.initial} - {"published"}
        return "-".join([self.set, *sorted(others)])

    @property
    def images(self) -> tuple[str, str]:
        """Set and variant of its images."""
        return self.set, self.variant


CONDITIONS = {
    one.name: one
    for one in (
        *(Condition(name) for name in SETS),
        Condition("I", encoding="turned_45"),
        Condition("I", encoding="turned_90"),
        Condition("I", encoding="axial"),
        Condition("I", variant="dot"),
        Condition("IV", encoding="axial"),
        Condition("IV", variant="equal", encoding="axial"),
        Condition("I", initial="default"),
        Condition("IV", initial="default"),
    )
}


def condition(name: str) -> Condition:
    """Return a condition by name.

    Raises:
        CompanionError: there is none of that name.
    """
    if name not in CONDITIONS:
        raise CompanionError(f"no condition is called {name!r}; choose one of {', '.join(CONDITIONS)}")
    return CONDITIONS[name]


def of_set(name: str, split: str, count: int) -> Lines:
    """Return the lines of a set that are trained on, choose, or are judged on ("train", "choice", "test")."""
    return draw_lines(name, count, seed=SEEDS[split])


def check_target(name: str, target: str) -> None:
    """Raise CompanionError if the images of a set do not differ in a target, such as the length in set I."""
    kind = SETS[name]
    varies = {"length": kind.lengths, "width": kind.widths, "colour": (kind.colours[0], kind.colours[-1])}
    known = [one for one in TARGETS["IV"] if one not in varies or varies[one][0] != varies[one][1]]
    if target not in known:
        raise CompanionError(
            f"{target!r} cannot be asked of set {name}, whose lines do not differ in it; choose one of {', '.join(known)}"
        )


def targets_of(lines: Lines, one: Condition) -> dict[str, np.ndarray]:
    """Return what the heads of a condition are to predict, (lines, values) float32 each, by target.

    Points are start x and y, then end x and y. All but the angle are in 0..1.
    """
    colours = drawn_colours(one.variant)
    found = {
        "angle": ENCODINGS[one.encoding].encode(lines.angle),
        "points": np.concatenate([lines.start, lines.end], axis=1) / SIZE,
        "noise": lines.noise[:, None] / NOISE_LEVELS[-1],
        "length": lines.length[:, None] / SIZE,
        "width": lines.width[:, None] / WIDEST,
        "colour": np.array([colours[name] for name in lines.colour], float).reshape(-1, 3) / COLOURS["white"][0],
    }
    return {target: found[target].astype(np.float32) for target in TARGETS[one.set]}
