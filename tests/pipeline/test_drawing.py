import pytest

from paper_utils.data.canvas import Canvas
from paper_utils.data.render import canvas_of
from paper_utils.errors import CompanionError
from paper_utils.pipeline import drawing
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import Results


@pytest.fixture(autouse=True)
def _new_canvases():
    canvas_of.cache_clear()
    yield
    canvas_of.cache_clear()


@pytest.mark.slow
def test_images_are_drawn_here_as_those_that_ship():
    drawing.check_drawn_images()


@pytest.mark.slow
def test_other_fonts_are_found(monkeypatch):
    monkeypatch.setattr(Canvas, "_title_ink", lambda self, title: self.title_letters(title.replace("S", "5")))
    with pytest.raises(
        CompanionError, match=r"images are drawn otherwise here .*expected \S+, found \S+\): set up \.venv"
    ):
        drawing.check_drawn_images()


@pytest.mark.parametrize("content", ["[]", '{"mean": "0.5"}', "{"])
def test_damaged_numbers_are_named(content, monkeypatch, tmp_path):
    monkeypatch.setattr(drawing, "REFERENCE", tmp_path)
    stamp = drawing.shipped().stamp("fine_tuning")
    (tmp_path / "probes").mkdir()
    path = tmp_path / "probes" / f"images-{stamp.inputs['images']}.json"
    path.write_text(content)
    with pytest.raises(CompanionError, match=f"{path}"):
        drawing.check_drawn_images()


def test_a_model_that_is_missing_is_said_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(drawing, "shipped", lambda: Results(get_profile("laptop"), tmp_path))
    drawing.check_drawn_images()
