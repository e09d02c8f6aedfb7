from types import SimpleNamespace

import pytest
import torch

from paper_utils.models import processes
from paper_utils.training import steps


@pytest.mark.parametrize("total", [1, 2, 3, 5])
@pytest.mark.parametrize(("count", "micro_batch"), [(8, 8), (8, 3), (16, 4), (1, 4), (7, 2)])
def test_pieces_are_the_batch_and_enough_for_all(count, micro_batch, total):
    pieces = steps.pieces_of(count, micro_batch=micro_batch, total=total)
    assert [image for piece in pieces for image in piece.images] == list(range(count))
    for piece in pieces:
        assert list(piece.whole)[piece.rows] == list(piece.images)
        assert piece.whole.start == piece.part * micro_batch
    assert len(pieces) >= min(total, count)
    if total == 1:
        assert all(piece.images == piece.whole for piece in pieces)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_shares_are_each_batch_once(monkeypatch, total):
    recipe = SimpleNamespace(batch=8, micro_batch=4)
    monkeypatch.setattr(processes, "total", lambda: total)
    found = []
    for number in range(total):
        monkeypatch.setattr(processes, "number", lambda number=number: number)
        found.append(steps.shares_of(17, recipe))
    for batch, size in enumerate((8, 8, 1)):
        images = [image for shares in found for piece in shares[batch] for image in piece.images]
        assert sorted(images) == list(range(size))


def test_a_parameter_that_nothing_depends_on_keeps_no_gradient():
    used, unused = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(3))
    results = [(0.5, (torch.ones(2), None)), (0.25, (2 * torch.ones(2), None))]
    assert steps.sum_gradients([used, unused], results, device=torch.device("cpu")) == 0.75
    assert used.grad.tolist() == [3, 3]
    assert unused.grad is None


def test_processes_add_up_what_each_has(monkeypatch):
    """Played by hand: the other process has no piece of this batch, or one on which the second parameter bears."""
    first, second, third = (torch.nn.Parameter(torch.zeros(size)) for size in (2, 3, 1))
    other = torch.tensor([0, 1, 0, 0.25, *(2 * [0.0]), *(3 * [4.0]), 0])
    monkeypatch.setattr(processes, "total", lambda: 2)
    monkeypatch.setattr(processes, "add", lambda message: message.add_(other))
    results = [(0.5, (torch.ones(2), None, None))]
    assert steps.sum_gradients([first, second, third], results, device=torch.device("cpu")) == 0.75
    assert (first.grad.tolist(), second.grad.tolist(), third.grad) == ([1, 1], [4, 4, 4], None)
