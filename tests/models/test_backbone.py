import dataclasses

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models.backbone import NAMED, checksums


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """The folder of a backbone trained on photographs, as its conversion leaves it."""
    monkeypatch.setitem(NAMED, "photographs", dataclasses.replace(NAMED["photographs"], folder=tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    write_json(tmp_path / "conversion.json", checksums(tmp_path))
    return tmp_path


def test_a_folder_that_is_whole_is_named(photographs):
    assert NAMED["photographs"].checked() == photographs


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "conversion.json"])
def test_a_folder_that_was_not_made_is_made_by_make(photographs, name):
    (photographs / name).unlink()
    with pytest.raises(CompanionError, match=rf"lacks .*{name}; make it with `make backbone-photographs`"):
        NAMED["photographs"].checked()


def test_weights_that_the_conversion_did_not_record_are_refused(photographs):
    (photographs / "model.safetensors").write_bytes(b"others")
    message = r"model\.safetensors is damaged \(its SHA-256 is not the one in conversion\.json\); make it with `make"
    for record in (None, "{}"):
        if record:
            (photographs / "conversion.json").write_text(record)
        with pytest.raises(CompanionError, match=message):
            NAMED["photographs"].checked()


def test_a_config_that_says_something_else_is_refused(photographs):
    (photographs / "config.json").write_text('{"num_attention_heads": 6}')
    with pytest.raises(
        CompanionError, match=r"config\.json is damaged \(its SHA-256 is not the one in conversion\.json\)"
    ):
        NAMED["photographs"].checked()
