import os
import resource
from dataclasses import replace

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.training import evaluation
from paper_utils.training import fine_tuning as training


class Stop(Exception):
    pass


def test_a_killed_run_resumes_with_the_same_results(tiny_profile, tmp_path, monkeypatch):
    whole, history = training.fine_tune(tiny_profile, tmp_path / "a.pt")
    train = training._train_epoch

    def killed(*args, seed, **options):
        if seed == 2:
            raise Stop
        return train(*args, seed=seed, **options)

    monkeypatch.setattr(training, "_train_epoch", killed)
    with pytest.raises(Stop):
        training.fine_tune(tiny_profile, tmp_path / "b.pt")
    monkeypatch.setattr(training, "_train_epoch", train)
    resumed, history_resumed = training.fine_tune(tiny_profile, tmp_path / "b.pt")
    assert [epoch.train_loss for epoch in history] == pytest.approx([epoch.train_loss for epoch in history_resumed])
    for before, after in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.allclose(before, after, atol=1e-5)


@pytest.mark.parametrize("micro_batch", [8, 3])
def test_a_run_killed_within_an_epoch_resumes_at_the_step(tiny_profile, tmp_path, monkeypatch, micro_batch):
    profile = replace(tiny_profile, images_per_epoch=20, micro_batch=micro_batch, epochs=2)  # batches of 8, 8 and 4
    monkeypatch.setattr(training, "SECONDS_PER_SAVE", 0)
    whole, history = training.fine_tune(profile, tmp_path / "a.pt")
    step, steps = training.Schedule.step, []

    def killed(schedule):
        if len(steps) == 5:
            raise Stop
        steps.append(schedule.rate)
        step(schedule)

    monkeypatch.setattr(training.Schedule, "step", killed)
    with pytest.raises(Stop):
        training.fine_tune(profile, tmp_path / "b.pt")
    monkeypatch.setattr(training.Schedule, "step", lambda schedule: steps.append(schedule.rate) or step(schedule))
    resumed, history_resumed = training.fine_tune(profile, tmp_path / "b.pt")
    assert len(steps) == 6  # no step is taken again
    for before, after in zip(history, history_resumed, strict=True):
        assert after.batch_losses == pytest.approx(before.batch_losses, abs=1e-5)
        assert (after.learning_rate, after.images_seen) == (before.learning_rate, before.images_seen)
    for before, after in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.allclose(before, after, atol=1e-6)


def test_a_checkpoint_from_before_epochs_were_resumed_is_taken_up(tiny_profile, tmp_path):
    path = tmp_path / "d.pt"
    training.fine_tune(tiny_profile, path)
    content = torch.load(path, weights_only=True)
    del content["progress"], content["schedule"]["scaler"]
    torch.save(content, path)
    _, history = training.fine_tune(tiny_profile, path)
    assert len(history) == tiny_profile.epochs


def test_a_damaged_or_foreign_checkpoint_is_named(tiny_profile, tmp_path):
    path = tmp_path / "c.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(CompanionError, match=r"c\.pt is damaged"):
        training.fine_tune(tiny_profile, path)
    path.unlink()
    training.fine_tune(replace(tiny_profile, epochs=1), path)
    whole = path.read_bytes()
    weights = torch.load(path, weights_only=True)["model"]["head.0.weight"].numpy().tobytes()
    place = whole.index(weights)  # between tensors are bytes that mean nothing
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(CompanionError, match=r"c\.pt is damaged"):  # by one bit
        training.fine_tune(tiny_profile, path)
    path.write_bytes(whole)
    with pytest.raises(CompanionError, match="other settings"):
        training.fine_tune(tiny_profile, path)


def test_a_full_disk_is_named_as_where_other_files_are_written(tiny_profile, tmp_path):
    """A file that may not grow is refused by the system as one is on a full disk."""
    at_most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, at_most[1]))
    try:
        with pytest.raises(CompanionError, match=r"cannot write .*h\.pt: File too large; check free disk space"):
            training.fine_tune(tiny_profile, tmp_path / "h.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, at_most)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_in_a_checkpoints_place_is_not_waited_for(tiny_profile, tmp_path):
    os.mkfifo(tmp_path / "i.pt")
    with pytest.raises(CompanionError, match=r"i\.pt: it is a pipe"):
        training.fine_tune(tiny_profile, tmp_path / "i.pt")


@pytest.fixture
def weights_after_epochs(monkeypatch):
    """Return a function that fixes the validation losses and returns a list, which gets the head's weights of each epoch."""

    def watch(losses):
        left, weights, add = iter(losses), [], training.TrainingState.add

        def fake(model, data, **options):
            labels = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
            return evaluation.Evaluation(labels + next(left) ** 0.5 * model.label_std.numpy(), labels, 1.0)

        def remember(state, epoch):
            add(state, epoch)
            weights.append(state.model.head[0].weight.detach().clone())

        monkeypatch.setattr(training, "evaluate", fake)
        monkeypatch.setattr(training.TrainingState, "add", remember)
        return weights

    return watch


def test_the_best_epoch_is_chosen_and_training_stops_early(tiny_profile, tmp_path, weights_after_epochs):
    weights = weights_after_epochs([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    model, history = training.fine_tune(replace(tiny_profile, epochs=50, patience=(3, 4)), tmp_path / "d.pt")
    assert len(history) == 6
    assert torch.equal(model.head[0].weight, weights[1])


def test_a_short_training_returns_its_last_weights_and_never_stops_early(tiny_profile, tmp_path, weights_after_epochs):
    weights = weights_after_epochs([1.0] + 6 * [2.0])
    model, history = training.fine_tune(replace(tiny_profile, epochs=7, patience=None), tmp_path / "f.pt")
    assert len(history) == 7
    assert torch.equal(model.head[0].weight, weights[-1])
    assert not torch.equal(model.head[0].weight, weights[0])


def test_a_checkpoint_from_before_a_setting_existed_counts_as_its_default(tiny_profile, tmp_path):
    path = tmp_path / "g.pt"
    training.fine_tune(replace(tiny_profile, epochs=2), path)
    content = torch.load(path, weights_only=True)
    del content["recipe"]["pixels"]
    torch.save(content, path)
    model, history = training.fine_tune(replace(tiny_profile, epochs=2), path)
    assert len(history) == 2
    assert torch.equal(model.head[0].weight, content["chosen"]["head.0.weight"])
    torch.save(content | {"recipe": content["recipe"] | {"pixels": "backbone"}}, path)
    with pytest.raises(CompanionError, match="other settings"):
        training.fine_tune(replace(tiny_profile, epochs=2), path)
