from dataclasses import replace

import pytest
import torch

from paper_utils.pipeline.profiles import get_profile
from paper_utils.training.schedule import Schedule, optimizer_of

SHORT = replace(get_profile("laptop"), epochs=10, images_per_epoch=160, batch=16, learning_rate=0.5, patience=None)


def scheduled(profile, gradient=0.0):
    weight = torch.nn.Parameter(torch.zeros(2))
    schedule = Schedule(torch.optim.SGD([weight], lr=profile.learning_rate), profile)

    def step():
        weight.grad = torch.full((2,), gradient)
        schedule.step()
        return weight.detach().clone()

    return schedule, step


def test_the_published_rate_falls_tenfold_after_epochs_without_progress():
    schedule, step = scheduled(replace(SHORT, patience=(2, 9)))
    rates = []
    for loss in (3.0, 2.0, 2.0, 2.0, 2.0, 1.0):
        step()
        schedule.after_epoch(loss)
        rates.append(schedule.rate)
    assert rates == pytest.approx([0.5] * 4 + [0.05] * 2)


def test_a_short_training_rises_and_falls_linearly_whatever_the_loss():
    schedule, step = scheduled(SHORT)
    rates = []
    for _ in range(100):
        rates.append(schedule.rate)
        step()
        schedule.after_epoch(7.0)
    top = rates.index(max(rates))
    assert top == 5  # of 100 steps, six in the rise
    assert rates[top] == pytest.approx(0.5)
    for line in (rates[: top + 1], rates[top:]):
        steps = [after - before for before, after in zip(line, line[1:], strict=False)]
        assert steps == pytest.approx([steps[0]] * len(steps))
    assert rates[-1] < 0.01 * rates[top]


def test_only_a_short_training_clips_its_gradient():
    for profile, length in ((SHORT, 1.0), (replace(SHORT, patience=(2, 9)), 100.0 * 2**0.5)):
        schedule, step = scheduled(profile, gradient=100.0)
        rate = schedule.rate
        assert torch.linalg.norm(step()) == pytest.approx(rate * length, rel=1e-4)


@pytest.mark.parametrize("patience", [None, (0, 9)])
def test_a_resumed_schedule_continues_at_the_same_rates(patience):
    def rates(schedule, step, epochs):
        result = []
        for _ in epochs:
            step()
            schedule.after_epoch(1.0)
            result.append(schedule.rate)
        return result

    profile = replace(SHORT, patience=patience)
    first, step = scheduled(profile)
    rates(first, step, range(4))
    second, other_step = scheduled(profile)
    second.load_state_dict(first.state_dict())
    assert rates(second, other_step, range(4)) == rates(first, step, range(4))


@pytest.mark.parametrize("patience", [None, (0, 9)])
def test_the_rate_of_lora_b_is_higher_by_the_same_factor_throughout(regressor, patience):
    profile = replace(SHORT, patience=patience, lora_plus=4.0)
    optimizer = optimizer_of(regressor, profile)
    rate = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    learning = {name: rate[id(p)] for name, p in regressor.named_parameters() if p.requires_grad}
    assert len(rate) == len(learning)
    schedule = Schedule(optimizer, profile)
    for _ in range(6):
        for name, group in learning.items():
            assert group["lr"] == pytest.approx(schedule.rate * (4 if "lora_B" in name else 1))
        schedule.step()
        schedule.after_epoch(1.0)
    assert len({group["lr"] for group in optimizer.param_groups}) == 2


def test_without_lora_there_is_one_rate(regressor):
    assert len(optimizer_of(regressor.head, SHORT).param_groups) == 1


@pytest.mark.parametrize("gradient", [0.5, 3.0])
def test_scaled_gradients_are_unscaled_before_they_are_clipped_and_infinite_ones_left_out(gradient):
    """Oracle: plain descent along the clipped gradient."""
    weight, scaler = torch.nn.Parameter(torch.zeros(1)), torch.amp.GradScaler("cpu", init_scale=1024.0)
    schedule = Schedule(torch.optim.SGD([weight], lr=SHORT.learning_rate), SHORT, scaler=scaler)
    expected = 0.0
    for value in (gradient, float("inf"), gradient):
        if value == gradient:
            expected -= schedule.rate * min(gradient, 1.0)
        scaler.scale(weight.sum() * value).backward()
        schedule.step()
        assert float(weight.detach()) == pytest.approx(expected)
    assert scaler.get_scale() == 512.0  # halved by the infinite one
