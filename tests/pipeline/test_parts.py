import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.pipeline.parts import in_parts


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
    partial = tmp_path / "unfinished.npz"
    partial.write_bytes(content)
    with pytest.raises(CompanionError, match=r"unfinished\.npz"):
        in_parts(squares, 10, size=3, title="squares", partial=partial)
