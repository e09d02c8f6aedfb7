import numpy as np
import pytest
import torch

from paper_utils.orientation.fitting import PARTS, Split, fit_head


def split(count, seed):
    """Features of which the first is the angle, and noise that cannot be known."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 30, (count, 32)).astype(np.float32)  # as large as those of a ViT
    targets = {"angle": np.tanh(features[:, :1] / 30), "noise": rng.uniform(0, 1, (count, 1)).astype(np.float32)}
    return Split(features, targets)


def test_what_can_be_known_is_learned_and_what_cannot_is_not():
    fit = fit_head(split(600, 0), split(200, 1), seed=0, epochs=60, angle_values=1, initial="published")
    judged = split(200, 2)
    with torch.no_grad():
        outputs = fit.head(torch.from_numpy(judged.features))
    r = {name: np.corrcoef(outputs[name][:, 0], judged.targets[name][:, 0])[0, 1] for name in judged.targets}
    assert r["angle"] > 0.9
    assert abs(r["noise"]) < 0.3
    assert fit.losses.shape[1] == 2
    assert len(fit.losses) % PARTS == 0
    assert fit.losses[-1, 0] < 0.3 * fit.losses[0, 0]


def test_a_start_repeats_and_another_differs():
    fits = [
        fit_head(split(64, 0), split(32, 1), seed=seed, epochs=2, angle_values=1, initial="default")
        for seed in (3, 3, 4)
    ]
    assert np.array_equal(fits[0].losses, fits[1].losses)
    assert not np.array_equal(fits[0].losses, fits[2].losses)


def test_a_fit_that_gets_no_better_stops_and_keeps_its_best_epoch(monkeypatch):
    monkeypatch.setattr("paper_utils.orientation.fitting.RATE", 1.0)  # jumps about
    train, choice = split(64, 0), split(32, 1)
    fit = fit_head(train, choice, seed=0, epochs=60, angle_values=1, initial="published")
    assert len(fit.losses) < 60 * 2


@pytest.mark.parametrize("values", [1, 2])
def test_an_angle_may_be_two_numbers(values):
    one = split(32, 0)
    one.targets["angle"] = np.repeat(one.targets["angle"], values, axis=1)
    fit = fit_head(one, one, seed=0, epochs=1, angle_values=values, initial="published")
    assert fit.head(torch.zeros(1, 32))["angle"].shape == (1, values)
