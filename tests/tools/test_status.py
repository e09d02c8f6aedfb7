import re

import pytest

from paper_utils.files import read_json, write_json
from paper_utils.pipeline.results import REFERENCE, shipped
from tools import plans, status

STAGES = ["ablation", "patching"]


def test_the_table_has_the_time_and_memory_of_every_result_and_notebook():
    records = read_json(REFERENCE / "provenance.json")["stages"]
    found = status.costs(shipped("embedded"), STAGES, {"05_shift": {"seconds": 11.6, "peak_memory_mib": 947}})
    assert found.keys() == {"result ablation", "result patching", "notebook 05_shift"}
    assert found["notebook 05_shift"].split() == ["12", "s", "947", "MiB"]
    for name in STAGES:
        seconds, memory = map(int, re.findall(r"\d+", found[f"result {name}"]))
        assert (seconds, memory) == (round(records[name]["seconds"]), round(records[name]["peak_memory_mib"]))


def test_what_notebooks_took_is_read_where_they_were_executed(tmp_path):
    class Executed:
        build = tmp_path

    write_json(tmp_path / "notebooks" / "05_prediction_shift.run.json", {"seconds": 3, "peak_memory_mib": 900})
    assert plans.took(Executed()) == {"05_prediction_shift": {"seconds": 3, "peak_memory_mib": 900}}


@pytest.mark.parametrize("damaged", [{}, [], {"seconds": "long", "peak_memory_mib": 1}, {"seconds": None}])
def test_a_damaged_record_of_a_notebook_leaves_out_what_it_took(damaged):
    whole = {"seconds": 3, "peak_memory_mib": 900}
    found = status.costs(shipped("embedded"), STAGES, {"05_shift": damaged, "06_other": whole})
    assert found["notebook 05_shift"] == ""
    assert found["notebook 06_other"].split() == ["3", "s", "900", "MiB"]
