from dataclasses import asdict

import numpy as np
import pytest

from backbone import card
from backbone.curriculum import Recipe
from paper_utils.errors import CompanionError
from paper_utils.files import read_json
from paper_utils.models.backbone import NAMED


def record(images, *, first_image=0, **more):
    recipe = asdict(Recipe(first_image=first_image, small_images=0, large_images=images, **more))
    return {"recipe": recipe, "seconds": 60.0, "log": [[images // 2, 0.5, 0.4], [images, 0.3, 0.2]]}


@pytest.fixture
def two_stages(monkeypatch):
    monkeypatch.setattr(card, "CURRICULUM", ("one", "two"))
    return record(200, first_image=100) | {"before": record(100)}


def test_the_card_is_filled_from_the_record():
    text = (NAMED["embedded"].folder / "README.md").read_text()
    training = read_json(NAMED["embedded"].folder / "training.json")
    assert text == card.filled(text, training)
    assert card.filled(text, training | {"seconds": 60 * 1234}) != text


def test_stages_come_in_the_order_of_training(two_stages):
    found = card.curriculum(two_stages)
    assert [entry["recipe"]["large_images"] for entry in found.values()] == [100, 200]
    assert list(found) == ["one", "two"]


def test_every_stage_has_samples_and_a_curve(two_stages, tmp_path):
    card.draw(two_stages, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["losses.png", "samples_one.png", "samples_two.png"]


@pytest.mark.parametrize("strokes", [1, 3])
def test_the_loss_on_ends_is_logged_where_they_are_supervised(strokes):
    stage = record(300) | {"log": [[100, 0.6, 0.4], [200, 0.5, 0.3], [300, 0.4, 0.2]]}
    stage["recipe"] |= {"small_images": 200, "large_images": 100, "strokes_per_part": strokes}
    phases = card.phases(stage)
    assert phases["parts"][:, [0, 2]].tolist() == [[100, 0.4], [200, 0.3]]
    assert np.isnan(phases["parts"][:, 1]).all() == (strokes > 1)
    assert phases["whole images"].tolist() == [[300, 0.4, 0.2]]


def test_an_incomplete_backbone_is_not_adopted(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CompanionError, match=r"model\.safetensors is missing; `make backbone` leaves it there"):
        card.adopt(tmp_path)
