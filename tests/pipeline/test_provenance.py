import os
import subprocess
import sys
import time

import numpy as np
import pytest

from paper_utils.pipeline.provenance import Watch

MIB = 2**20
# holds pages for a second of its own, then ends
CHILD = f"import numpy, time; held = numpy.ones(200 * {MIB}, numpy.uint8); time.sleep(1.5)"


def test_the_peak_is_that_of_the_process_and_those_below_it_together():
    with Watch(every=0.1) as alone:
        time.sleep(0.3)
    with Watch(every=0.1) as watch:
        subprocess.run([sys.executable, "-c", CHILD], check=True)
    assert 190 < watch.peak - alone.peak < 300  # and numpy
    assert watch.seconds > 1.5


def test_what_is_given_back_stays_in_the_peak():
    with Watch(every=0.05) as watch:
        held = np.ones(300 * MIB, np.uint8)
        time.sleep(0.3)
        del held
        time.sleep(0.3)
        after = watch.peak
    with Watch(every=0.05) as later:
        time.sleep(0.3)
    assert watch.peak == after
    assert watch.peak - later.peak > 290


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says who shares a page")
def test_a_page_that_processes_share_counts_once():
    held = np.ones(300 * MIB, np.uint8)
    with Watch(every=0.1) as alone:
        time.sleep(0.3)
    with Watch(every=0.1) as watch:
        child = os.fork()
        if not child:  # reads the pages and writes none
            time.sleep(1)
            os._exit(int(held[-1]) - 1)
        os.waitpid(child, 0)
    assert watch.peak - alone.peak < 150
