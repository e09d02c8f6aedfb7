"""Results made up, in the form in which the stages leave them."""

import numpy as np
import pytest

from paper_utils.lines.readers import read
from paper_utils.orientation.conditions import CONDITIONS, ENCODINGS, TARGETS, of_set

IMAGES, STARTS = 240, 3


def made_up(names, *, starts=STARTS, images=IMAGES, seed=0):
    """Return answers of a reader that errs by ten degrees and answers 180 where two labels fit, r and losses."""
    rng, found = np.random.default_rng(seed), {}
    for name in names:
        one = CONDITIONS[name]
        lines, encoding = of_set(one.set, "test", images), ENCODINGS[one.encoding]
        told = lines.angle if encoding.axial else read(lines, "180")
        answers = encoding.labels(told) + rng.normal(0, 10, (starts, images))
        targets = TARGETS[one.set]
        curve = np.exp(-np.linspace(0, 3, 40))[:, None] * np.ones(len(targets))
        found |= {
            f"{name}.angle": answers % encoding.period if encoding.axial else answers.clip(0, 360),
            f"{name}.r": rng.uniform(0, 1, (starts, len(targets))),
            f"{name}.losses": np.stack([curve] * starts),
        }
    return found


@pytest.fixture(scope="session")
def stages():
    """The arrays of all three stages."""
    rng = np.random.default_rng(1)
    lora = made_up(("I", "IV"), starts=1)
    for pair in ("I and IV", "I and IV.other_image", "I and IV.other_head", "before and I", "before and IV"):
        lora[f"similarity.{pair}.0"] = rng.uniform(0.5, 1, (4, 3, 16)).astype(np.float32)
    return {
        "frozen": made_up(CONDITIONS),
        "random": made_up(("I", "I-axial", "IV", "IV-axial"), seed=2),
        "lora": lora,
    }
