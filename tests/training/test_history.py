import pytest

from paper_utils.errors import CompanionError
from paper_utils.training.history import Epoch, images_to_reach, steepest_fall


def test_images_to_reach_needs_every_target():
    def epoch(seen, *rates):
        return Epoch(seen, 0.0, 0.0, dict(zip("abc", rates, strict=True)), 1e-3, 1.0, [])

    history = [epoch(10, 0.95, 0.8, 0.95), epoch(20, 0.9, 0.9, 0.9), epoch(30, 0.99, 0.99, 0.99)]
    assert images_to_reach(history, 0.9) == 20
    assert images_to_reach(history, 0.999) is None


def test_a_sudden_drop_is_located():
    losses = [1.0] * 40 + [0.2] * 40
    halves = [Epoch(40 * 8 * n, 0.0, 0.0, {}, 1e-3, 1.0, losses[40 * n - 40 : 40 * n]) for n in (1, 2)]
    assert steepest_fall(halves, batch=8, stretch=80) == (320, 1.0, pytest.approx(0.2))
    with pytest.raises(CompanionError, match="do not fill two stretches"):
        steepest_fall(halves, batch=8, stretch=512)
