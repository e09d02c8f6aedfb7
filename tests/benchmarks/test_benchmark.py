import sys
import time
from importlib.metadata import version

import pytest
import torch

from benchmarks import benchmark, rendering, timing, training
from paper_utils.files import read_json, write_json


def test_candidates_take_turns_and_the_first_round_is_not_timed():
    order = []

    def work(name, pause):
        order.append(name)
        time.sleep(1.0 if len(order) <= 2 and name == "b" else pause)  # slow to warm up

    candidates = [
        timing.Candidate("a", lambda: work("a", 0.02), 10, 1),
        timing.Candidate("b", lambda: work("b", 0.01), 10, 1),
    ]
    threads = torch.get_num_threads()
    rates = timing.interleave(candidates, rounds=3)
    assert order == ["a", "b"] * 4
    assert rates["a"] < rates["b"] <= 1000
    assert torch.get_num_threads() == threads


def test_operations_are_those_of_the_formula():
    trainer = training.Trainer()
    layers, width, tokens, inner, patch = 12, 192, 197, 768, 768
    per_layer = 4 * width * width + 2 * width * inner  # projections and MLP, per token
    lora = 2 * 2 * 8 * width
    attention = 2 * tokens * width  # scores and weighted values, per token
    expected = 2 * (layers * tokens * (per_layer + lora + attention) + 196 * patch * width)
    assert trainer.operations(trainer.predict) == pytest.approx(expected, rel=0.02)  # the regression head comes on top


@pytest.mark.parametrize("bfloat16", [True, False])
def test_every_variant_runs(tiny_backbone, monkeypatch, bfloat16):
    monkeypatch.setattr(torch, "compile", lambda model: model)  # it needs a compiler, and minutes
    trainer = training.Trainer(backbone=tiny_backbone)
    candidates = training.training_candidates(trainer, threads=1, bfloat16=bfloat16, compiled=True)
    assert {"draw", "forward", "tried.float32", "tried.batch_64", "tried.kernel_eager", "tried.compiled"} <= set(
        candidates
    )
    for candidate in candidates.values():
        candidate.work()
        assert all(parameter.grad is None for parameter in trainer.model.parameters())
        assert trainer.model.training


def test_results_are_merged_into_the_file_with_their_origin(tmp_path, monkeypatch):
    output = tmp_path / "benchmark.json"
    write_json(output, {"sweep.old": 1, "rendering.old": 2, "origin.old": 3})
    monkeypatch.setattr(rendering, "rendering_benchmark", lambda *, rounds: {"rendering.rounds": rounds})
    monkeypatch.setattr(rendering, "show", lambda results: None)
    monkeypatch.setattr(sys, "argv", ["benchmark", "--only", "rendering", "--rounds", "3", "--output", str(output)])
    benchmark.main()
    found = read_json(output)
    assert (found["sweep.old"], found["rendering.rounds"]) == (1, 3)
    assert not {"rendering.old", "origin.old"} & found.keys()
    assert found["origin.versions"]["torch"] == version("torch")  # torch.__version__ may name its build, too
