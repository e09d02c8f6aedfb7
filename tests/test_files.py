import os
import subprocess
import sys

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import (
    ROOT,
    check_writable,
    read_arrays,
    read_json,
    way_out,
    write_arrays,
    write_json,
)


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


@pytest.mark.parametrize("read", [read_json, read_arrays])
def test_a_pipe_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CompanionError, match=f"cannot read {tmp_path}/pipe: it is a pipe, no file; remove it and run"):
        read(tmp_path / "pipe")


def test_json_of_another_kind_is_named_with_the_way_out(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("[1]")
    assert read_json(path) == read_json(path, kind=list) == [1]
    with pytest.raises(CompanionError, match=f"{path} holds a list, no dict; remove it and run again"):
        read_json(path, kind=dict)
    path.write_text("[" * 100_000)
    with pytest.raises(CompanionError, match=f"cannot read {path}: "):
        read_json(path)


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


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real.json").write_text("old")
    for name, target in (("link.json", "elsewhere/real.json"), ("dangling.json", "elsewhere/new.json")):
        (tmp_path / name).symlink_to(target)
        check_writable(tmp_path / name)
        write_json(tmp_path / name, {"a": 1})
        assert os.readlink(tmp_path / name) == target
        assert read_json(tmp_path / target) == {"a": 1}
    assert len(list(tmp_path.rglob("*"))) == 5
    (tmp_path / "lost.json").symlink_to("missing/new.json")
    with pytest.raises(CompanionError, match="there is no folder .*missing for new.json; make it first"):
        check_writable(tmp_path / "lost.json")


@pytest.mark.parametrize(("kind", "what"), [("pipe", "a pipe"), ("folder", "a folder"), ("device", "a device")])
def test_what_is_no_file_is_never_replaced(tmp_path, kind, what):
    path = tmp_path / "target.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    for write in (check_writable, lambda path: write_json(path, {})):
        with pytest.raises(CompanionError, match=rf"^cannot write .*: it is {what}; give the name of a file"):
            write(path)
    assert [each.name for each in tmp_path.iterdir()] == ["target.csv"]
