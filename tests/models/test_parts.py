import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.models import processes
from paper_utils.models.parts import in_parts


def squares(part):
    indices = np.arange(part.start, part.stop)
    return {"squares": indices**2, "pairs": np.stack([indices, indices], 1)}


@pytest.mark.parametrize("size", [1, 3, 10, 100])
def test_parts_add_up_to_the_whole(size):
    found = in_parts(squares, 10, size=size, title="squares")
    assert found["squares"].tolist() == [number**2 for number in range(10)]
    assert found["pairs"].shape == (10, 2)


def test_an_interrupted_computation_goes_on_where_it_stopped(tmp_path):
    partial, seen = tmp_path / "unfinished.npz", []

    def fails_at_six(part):
        seen.append(part.start)
        if part.start == 6:
            raise KeyboardInterrupt
        return squares(part)

    with pytest.raises(KeyboardInterrupt):
        in_parts(fails_at_six, 10, size=3, title="squares", partial=partial)
    again = []
    found = in_parts(
        lambda part: again.append(part.start) or squares(part), 10, size=3, title="squares", partial=partial
    )
    assert seen == [0, 3, 6]
    assert again == [6, 9]
    assert found["squares"].tolist() == [number**2 for number in range(10)]


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "unfinished-0-3.npz").write_bytes(content)
    with pytest.raises(CompanionError, match=r"unfinished-0-3\.npz"):
        in_parts(squares, 10, size=3, title="squares", partial=tmp_path / "unfinished.npz")


@pytest.mark.parametrize(
    "other", [{"model": np.array([1.0, 2.1])}, {"model": np.ones(3)}, {"model": np.array("another")}]
)
def test_parts_of_another_computation_are_computed_again(tmp_path, other):
    how = {"size": 3, "title": "squares", "partial": tmp_path / "unfinished.npz"}
    guard = {"model": np.array([1.0, 2.0])}
    in_parts(lambda part: {"squares": np.zeros(part.stop - part.start)}, 10, **how, guard=guard)
    near = {"model": guard["model"] + 1e-5}  # as another machine would have it
    assert not in_parts(squares, 10, **how, guard=near)["squares"].any()
    found = in_parts(squares, 10, **how, guard=other)
    assert found.keys() == {"squares", "pairs"}
    assert found["squares"].tolist() == [number**2 for number in range(10)]


def test_processes_do_the_parts_of_their_share_alone(tmp_path, monkeypatch):
    """The files of two processes, one after the other, are those of one."""
    partial, done = tmp_path / "unfinished.npz", {}

    def compute(part):
        done.setdefault(processes.number(), []).append(part.start)
        return squares(part)

    waited = []
    for number in (0, 1):
        monkeypatch.setattr(processes, "share", lambda parts, number=number: parts[number::2])
        monkeypatch.setattr(processes, "wait", lambda number=number: waited.append(number))
        monkeypatch.setattr(processes, "number", lambda number=number: number)
        if number == 0:
            with pytest.raises(CompanionError):  # the other's parts are not there: in truth it would wait for them
                in_parts(compute, 10, size=3, title="squares", partial=partial)
        else:
            found = in_parts(compute, 10, size=3, title="squares", partial=partial)
    assert done == {0: [0, 6], 1: [3, 9]}
    assert waited == [0, 1, 1]
    assert found["squares"].tolist() == [number**2 for number in range(10)]
