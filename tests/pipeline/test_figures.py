from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from paper_utils import plots
from paper_utils.files import ROOT
from paper_utils.pipeline.figures import FIGURES, NOTEBOOKS, SHIPPED_FIGURES, same_pixels, save_figure
from paper_utils.pipeline.stages import STAGES


def line(slope=1.0):
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [0, slope])
    return figure


def test_a_pdf_of_other_fonts_is_written_where_no_pixel_differs(tmp_path):
    stem = tmp_path / "figure"
    save_figure(line(), stem)
    before = stem.with_suffix(".pdf").read_bytes()
    with mpl.rc_context({"pdf.compression": 0}), pytest.MonkeyPatch.context() as patch:
        patch.setattr("paper_utils.plots.style.STYLE", {})
        save_figure(line(), stem)
        other = stem.with_suffix(".pdf").read_bytes()
    assert other != before


def test_a_png_is_written_only_when_its_pixels_differ(tmp_path):
    stem = tmp_path / "figure"
    assert save_figure(line(), stem)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sorted(path.name for path in before) == ["figure.pdf", "figure.png"]
    assert not save_figure(line(), stem)
    assert stem.with_suffix(".png").stat().st_mtime_ns == before[stem.with_suffix(".png")]
    assert save_figure(line(2.0), stem)
    assert all(path.stat().st_mtime_ns > before[path] for path in before)


@pytest.mark.parametrize(("step", "same"), [(0, True), (1, True), (2, False)])
def test_a_colour_may_differ_by_one_step_and_a_size_not(tmp_path, step, same):
    pixels = np.full((5, 6, 3), 100, np.uint8)
    changed = pixels.copy()
    changed[2, 3, 1] += step
    for name, array in {"a": pixels, "b": changed, "c": pixels[1:]}.items():
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    assert same_pixels(tmp_path / "b.png", tmp_path / "a.png") is same
    assert not same_pixels(tmp_path / "c.png", tmp_path / "a.png")


def test_a_damaged_file_is_written_again(tmp_path):
    stem = tmp_path / "figure"
    stem.with_suffix(".png").write_bytes(b"half")
    assert save_figure(line(), stem)
    assert np.asarray(Image.open(stem.with_suffix(".png"))).ndim == 3
    noise = np.random.default_rng(0).integers(256, size=(400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    content = (tmp_path / "noise.png").read_bytes()
    second = content.index(b"IDAT", content.index(b"IDAT") + 4)
    (tmp_path / "broken.png").write_bytes(content[: second - 2] + b"\xff\xff\xff\xff" + content[second + 2 :])
    assert not same_pixels(tmp_path / "noise.png", tmp_path / "broken.png")


def test_no_figure_holds_a_commit_a_time_or_a_machine(tmp_path):
    for name in ("a", "b"):
        save_figure(line(), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    content = (tmp_path / "a.pdf").read_bytes()
    assert not any(word in content for word in (b"CreationDate", b"ModDate", b"commit"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_names_a_plot_and_stages_that_exist(name):
    source = FIGURES[name]
    assert callable(getattr(plots, source.plot))
    assert set(source.stages) <= STAGES.keys()
    text = (ROOT / "notebooks" / f"{source.notebook}.py").read_text()
    assert f'"{name}"' in text
    assert f"plots.{source.plot}(" in text


def test_every_notebook_is_there():
    found = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
    assert found == sorted(["00_index", *NOTEBOOKS])  # the index has nothing to run
    assert NOTEBOOKS[-4].startswith("07_")  # the ledger and what belongs to it run last


def test_shipped_figures_are_those_of_the_paper_and_the_readme():
    folder = ROOT / "figures" / "reference"
    assert {path.name for path in folder.glob("*.png")} == {f"{name}.png" for name in SHIPPED_FIGURES}
    assert all(Image.open(path).info.keys() == {"dpi"} for path in folder.glob("*.png"))  # no commit, no machine
    readme = Path(ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"figures/reference/{name}.png" in readme for name in SHIPPED_FIGURES)
