import pytest

from paper_utils import card, readme
from paper_utils.artifacts import read_json
from paper_utils.errors import CompanionError
from paper_utils.profiles import EMBEDDED


def record(pictures, **more):
    recipe = {
        "seed": 1,
        "small_pictures": 0,
        "large_pictures": pictures,
        "batch": 2,
        "large_batch": 3,
        "peak_rate": 0.5,
    }
    return {"recipe": recipe, "seconds": 60.0, "log": [[pictures // 2, 0.5, 0.4], [pictures, 0.3, 0.2]], **more}


def test_the_card_is_filled_from_the_record():
    text = (EMBEDDED / "README.md").read_text()
    training = read_json(EMBEDDED / "training.json")
    assert text == card.filled(text, training)
    assert card.filled(text, training | {"seconds": 60 * 1234}) != text


def test_sittings_come_in_the_order_they_were_held():
    second = record(200, before=record(100, before=None))
    assert [entry["recipe"]["large_pictures"] for entry in card.sittings(second).values()] == [100, 200]
    assert list(card.sittings(second)) == ["bold", "fine"]


def test_every_sitting_has_samples_and_a_curve(tmp_path):
    card.draw(record(200, before=record(100)), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["losses.png", "samples_bold.png", "samples_fine.png"]


def test_an_incomplete_backbone_is_not_adopted(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CompanionError, match=r"model\.safetensors is missing; `make backbone` leaves it there"):
        card.adopt(tmp_path)


def test_lost_marks_are_named():
    with pytest.raises(CompanionError, match="README.md lacks the marks <!-- a --> and <!-- /a -->"):
        readme.between_marks("no marks", {"a": "x"})


def test_marks_with_nothing_between_them_are_filled_and_filled_again():
    once = readme.between_marks("<!-- a -->\n<!-- /a -->", {"a": "x"})
    assert once == "<!-- a -->\nx\n<!-- /a -->"
    assert readme.between_marks(once, {"a": "y"}) == "<!-- a -->\ny\n<!-- /a -->"
