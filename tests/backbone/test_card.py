from dataclasses import asdict

import numpy as np
import pytest

from backbone import card
from backbone.curriculum import Recipe
from paper_utils.errors import CompanionError
from paper_utils.files import read_json
from paper_utils.models.backbone import EMBEDDED
from tools import readme


def record(images, *, first_image=0, **more):
    recipe = asdict(Recipe(first_image=first_image, small_images=0, large_images=images, **more))
    return {"recipe": recipe, "seconds": 60.0, "log": [[images // 2, 0.5, 0.4], [images, 0.3, 0.2]]}


@pytest.fixture
def two_sittings(monkeypatch):
    monkeypatch.setattr(card, "CURRICULUM", ("one", "two"))
    return record(200, first_image=100) | {"before": record(100)}


def test_the_card_is_filled_from_the_record():
    text = (EMBEDDED / "README.md").read_text()
    training = read_json(EMBEDDED / "training.json")
    assert text == card.filled(text, training)
    assert card.filled(text, training | {"seconds": 60 * 1234}) != text


def test_sittings_come_in_the_order_they_were_held(two_sittings):
    held = card.curriculum(two_sittings)
    assert [entry["recipe"]["large_images"] for entry in held.values()] == [100, 200]
    assert list(held) == ["one", "two"]


def test_every_sitting_has_samples_and_a_curve(two_sittings, tmp_path):
    card.draw(two_sittings, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["losses.png", "samples_one.png", "samples_two.png"]


@pytest.mark.parametrize("crowd", [1, 3])
def test_ends_count_where_they_were_asked_for(crowd):
    held = record(300) | {"log": [[100, 0.6, 0.4], [200, 0.5, 0.3], [300, 0.4, 0.2]]}
    held["recipe"] |= {"small_images": 200, "large_images": 100, "crowd": crowd}
    phases = card.phases(held)
    assert phases["parts"][:, [0, 2]].tolist() == [[100, 0.4], [200, 0.3]]
    assert np.isnan(phases["parts"][:, 1]).all() == (crowd > 1)
    assert phases["whole images"].tolist() == [[300, 0.4, 0.2]]


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
