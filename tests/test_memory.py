"""Memory does not grow with the number of images, whatever is done with them."""

import os
import subprocess
import sys

import pytest

from paper_utils.files import ROOT
from tests.memory_tasks import FEW, MANY, TASKS

# what is freed goes back to the system at once, or the peak would be that of the allocator's heaps, which grow by chance
PLAIN = {"TQDM_DISABLE": "1", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
IMAGES = (MANY - FEW) * 3 * 224 * 224 / 2**20  # MiB, as bytes


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a process set its peak back")
@pytest.mark.parametrize("task", TASKS)
def test_memory_is_independent_of_the_number_of_images(task, tmp_path, record_property):
    command = [sys.executable, "-m", "tests.memory_tasks", task, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | PLAIN, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    few, many = map(float, done.stdout.split())
    record_property(f"MiB more for {task}", many - few)
    # of what grew with them less than a third would fit in
    assert many - few < IMAGES / 3, f"{few:.0f} MiB with {FEW} images, {many:.0f} with {MANY}"
