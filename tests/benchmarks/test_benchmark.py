import time

import pytest
import torch

from benchmarks import timing as benchmarking
from benchmarks import training


def test_candidates_take_turns_and_the_first_round_does_not_count():
    order = []

    def work(name, pause):
        order.append(name)
        time.sleep(1.0 if len(order) <= 2 and name == "b" else pause)  # slow to warm up

    candidates = [
        benchmarking.Candidate("a", lambda: work("a", 0.02), 10, 1),
        benchmarking.Candidate("b", lambda: work("b", 0.01), 10, 1),
    ]
    threads = torch.get_num_threads()
    rates = benchmarking.interleave(candidates, rounds=3)
    assert order == ["a", "b"] * 4
    assert rates["a"] < rates["b"] <= 1000
    assert torch.get_num_threads() == threads


def test_operations_are_those_of_the_formula():
    trainer = training.Trainer()
    layers, width, tokens, inner, patch = 12, 192, 197, 768, 768
    per_layer = 4 * width * width + 2 * width * inner  # projections and MLP, a token
    lora = 2 * 2 * 8 * width
    attention = 2 * tokens * width  # scores and weighted values, a token
    # the last layer computes no more than keys and values for tokens that are not CLS
    spared = (tokens - 1) * (per_layer - 2 * width * width + lora / 2 + attention)
    expected = 2 * (layers * tokens * (per_layer + lora + attention) - spared + 196 * patch * width)
    assert trainer.operations(trainer.predict) == pytest.approx(expected, rel=0.02)  # the regression head comes on top


def test_every_variant_runs():
    trainer = training.Trainer()
    candidates = training.training_candidates(trainer, threads=1, bfloat16=False, compiled=False)
    assert {"draw", "forward", "tried.float32", "tried.at_once_64", "tried.kernel_eager"} <= candidates.keys()
    candidates["forward_and_backward"].work()
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
