import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.interventions import patching


def test_recovery_of_nothing_half_and_all():
    rng = np.random.default_rng(0)
    clean, distorted = rng.normal(size=(2, 30, 3)) * [13, 29, 31]
    unit = np.array([13, 29, 31])
    aside = np.cross((clean - distorted) / unit, [1, 0, 0]) * unit  # a move that leads neither there nor away
    patched = np.stack([distorted, (clean + distorted) / 2, clean, distorted + aside, 2 * distorted - clean])
    value, low, high = patching.recovery(patched, clean, distorted, unit)
    assert value == pytest.approx([0, 50, 100, 0, -100], abs=1e-9)
    assert low == pytest.approx(value, abs=1e-6)
    assert high == pytest.approx(value, abs=1e-6)


def test_intervals_widen_where_images_differ():
    rng = np.random.default_rng(1)
    clean, distorted = rng.normal(size=(2, 40, 3))
    share = rng.integers(0, 2, (40, 1))  # half of the images recover, half do not
    value, low, high = patching.recovery((distorted + share * (clean - distorted))[None], clean, distorted, np.ones(3))
    assert low[0] < value[0] < high[0]
    assert high[0] - low[0] > 15


def test_nothing_to_recover_is_named():
    same = np.zeros((4, 3))
    with pytest.raises(CompanionError, match="nothing to recover"):
        patching.recovery(same[None], same, same, np.ones(3))
