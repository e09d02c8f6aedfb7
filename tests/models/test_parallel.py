import threading

import pytest
import torch

from paper_utils.models.parallel import parallel_map

CPU = torch.device("cpu")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_parts_run_in_parallel_each_with_its_share_of_threads():
    meeting = threading.Barrier(2, timeout=20)  # breaks unless two threads arrive

    def work(number):
        meeting.wait()
        return number, torch.get_num_threads(), torch.ones(300, 300).mm(torch.ones(300, 300)).sum().item()

    with parallel_map(6, CPU) as map_of:
        found = list(map_of(work, range(6)))
    assert found == [(number, 1, 300.0**3) for number in range(6)]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("parts", "device"), [(1, CPU), (6, torch.device("cuda"))])
def test_one_part_or_a_gpu_uses_all_threads(parts, device):
    with parallel_map(parts, device) as map_of:
        assert (
            list(map_of(lambda _: (threading.get_ident(), torch.get_num_threads()), range(parts)))
            == [(threading.get_ident(), 2)] * parts
        )


@pytest.mark.usefixtures("two_threads")
def test_an_error_is_raised_and_the_number_of_threads_restored():
    with pytest.raises(ZeroDivisionError), parallel_map(2, CPU) as map_of:
        list(map_of(lambda number: 1 / number, range(2)))
    assert torch.get_num_threads() == 2
