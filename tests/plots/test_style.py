import json

from PIL import Image

from paper_utils.plots import method, style

ORIGIN = {"profile": "smoke", "seed": 42, "commit": "abc", "notebook": "n"}


def test_saved_figure_carries_its_origin(tmp_path):
    style.save_figure(method.flowchart(), tmp_path / "figure_1", ORIGIN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure_1.json", "figure_1.pdf", "figure_1.png"]
    line = "profile smoke, seed 42, commit abc"
    assert Image.open(tmp_path / "figure_1.png").text["Description"] == line
    assert line.encode() in (tmp_path / "figure_1.pdf").read_bytes()
    assert json.loads((tmp_path / "figure_1.json").read_text()) == ORIGIN


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        style.save_figure(method.flowchart(), tmp_path / name, ORIGIN)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
