import os
import subprocess
import sys

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_arrays, read_json, way_out, write_arrays


def test_what_ships_is_restored_and_what_a_run_made_is_made_again(tmp_path):
    assert "git checkout data/claims.json" in way_out(ROOT / "data" / "claims.json")
    assert way_out(tmp_path / "results.npz") == "remove it and run again"
    assert way_out(ROOT / "build" / "x.npz") == "remove it and run again"


@pytest.mark.parametrize(("read", "content"), [(read_json, "{"), (read_arrays, "PK")])
def test_a_damaged_file_is_named_with_the_way_out(tmp_path, read, content):
    path = tmp_path / "results"
    path.write_text(content)
    with pytest.raises(CompanionError, match=f"{path}.*remove it and run again"):
        read(path)


def test_json_is_utf8_whatever_the_locale(tmp_path):
    (tmp_path / "unit.json").write_bytes('{"unit": "μ"}'.encode())
    program = "import sys; from paper_utils.files import read_json; print(ascii(read_json(sys.argv[1])['unit']))"
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program, str(tmp_path / "unit.json")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | locale, capture_output=True, text=True)
    assert done.stdout == "'\\u03bc'\n", done.stderr


@pytest.mark.parametrize("name", ["unfinished.npz", "unfinished.pt", "unfinished"])
def test_arrays_come_back_whatever_the_name_and_nothing_else_is_left(tmp_path, name):
    write_arrays(tmp_path / name, {"x": np.arange(3)})
    assert read_arrays(tmp_path / name)["x"].tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == [name]
