import dataclasses

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, Dinov2Model

from backbone import photographs
from paper_utils.errors import CompanionError
from paper_utils.files import checksum, read_json
from paper_utils.models.backbone import NAMED
from paper_utils.wheels import FOLDER, Wheel

SIZES = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 6, "patch_size": 2}
WHEEL = FOLDER / photographs.WHEEL.file


@pytest.fixture
def folder(exported, tmp_path):
    """The folder of the small model, for images of 6 x 6 pixels."""
    photographs.write_folder(exported[1], tmp_path, sizes=SIZES)
    return tmp_path


def test_a_folder_has_the_tokens_of_the_model_that_was_exported(small_dinov2, folder):
    """Oracle: that model, which resizes its positions to the image in every pass."""
    converted = photographs.load(folder)
    assert converted.embeddings.position_embeddings.shape == (1, 10, 12)
    images = torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = (model(images).last_hidden_state for model in (small_dinov2, converted))
    assert torch.allclose(found, expected, atol=1e-5)
    assert expected.std() > 0.3


def test_layer_scale_is_kept_apart(small_dinov2, folder):
    found = photographs.load(folder).encoder.layer[1]
    expected = small_dinov2.encoder.layer[1]
    assert torch.equal(found.layer_scale2.lambda1, expected.layer_scale2.lambda1)
    assert torch.equal(found.mlp.fc2.weight, expected.mlp.fc2.weight)


def test_a_folder_of_another_size_is_refused(folder, exported):
    photographs.write_folder(exported[1], folder, sizes=SIZES | {"num_hidden_layers": 3})
    with pytest.raises(CompanionError, match=r"lacks \d+ tensors or has others, the first is encoder\.layer\.2"):
        photographs.load(folder)


def test_the_preprocessor_normalises_as_the_check_does(folder):
    """Oracle: the image processor that transformers builds from the folder."""
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    found = photographs.normalised(images)
    assert (found.shape, found.dtype) == ((2, 3, 224, 224), torch.float32)
    expected = AutoImageProcessor.from_pretrained(folder)(images=list(images), return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    red = torch.tensor((images[0, 0, 0, 0] / 255 - 0.485) / 0.229, dtype=torch.float32)
    assert found[0, 0, 0, 0] == pytest.approx(red.item(), abs=1e-5)


class TestConversion:
    @pytest.fixture
    def tokens(self, small_dinov2, exported, monkeypatch):
        """Convert the small model in the wheel's place; return the change that its graph makes to tokens."""
        change = {"by": 1e-6}

        def run(content, pixels):
            with torch.inference_mode():
                return "a runtime 1.0", small_dinov2(torch.from_numpy(pixels)).last_hidden_state.numpy() + change["by"]

        write, noise = photographs.write_folder, np.random.default_rng(2).integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
        monkeypatch.setattr(photographs, "encoder_tokens", run)
        monkeypatch.setattr(Wheel, "read", lambda wheel, path, inside: b"")
        monkeypatch.setattr(photographs, "read_graph", lambda content: exported[1])
        monkeypatch.setattr(photographs, "check_images", lambda: noise)
        monkeypatch.setattr(photographs, "write_folder", lambda graph, folder: write(graph, folder, sizes=SIZES))
        return change

    def test_the_record_and_the_card_say_what_was_measured(self, tokens, tmp_path, monkeypatch):
        made = photographs.convert(tmp_path / "wheel", tmp_path / "made")
        assert made == read_json(tmp_path / "made" / "conversion.json")
        assert made["sha256"] == checksum(tmp_path / "made" / "model.safetensors")
        agreement = made["agreement"]
        assert (agreement["runtime"], agreement["images"]) == ("a runtime 1.0", 4)
        assert 1e-7 < agreement["largest_difference"] < 1e-5
        card = (tmp_path / "made" / "README.md").read_text()
        assert f"a runtime 1.0 by at most {agreement['largest_difference']:.1e}" in " ".join(card.split())
        for said in ("fine-tuned", "Apache License 2.0", "MIT", "DINOv2-small"):
            assert said in card
        assert dataclasses.replace(NAMED["photographs"], folder=tmp_path / "made").checked() == tmp_path / "made"

    @pytest.mark.parametrize("by", [1e-3, np.nan])
    def test_a_folder_with_other_tokens_gets_no_record(self, tokens, tmp_path, by):
        photographs.convert(tmp_path / "wheel", tmp_path / "made")
        tokens["by"] = by
        with pytest.raises(CompanionError, match=r"made differ from those of a runtime 1\.0 by (0\.001|nan)"):
            photographs.convert(tmp_path / "wheel", tmp_path / "made")
        assert not (tmp_path / "made" / "conversion.json").exists()


def test_the_images_of_the_check_are_two_chirps_and_two_of_noise():
    images = photographs.check_images()
    assert (images.shape, images.dtype) == ((4, 224, 224, 3), np.uint8)
    white = (images == 255).all(axis=-1).mean(axis=(1, 2))
    assert (white[:2] > 0.1).all()
    assert (white[2:] < 0.01).all()


@pytest.mark.slow
class TestRealFolder:
    @pytest.fixture(autouse=True)
    def made(self):
        if not NAMED["photographs"].folder.is_dir():
            pytest.skip("the real weights are not here: `make backbone-photographs` fetches and converts them")

    def test_it_is_what_the_conversion_recorded(self):
        record = read_json(NAMED["photographs"].checked() / "conversion.json")
        assert record["agreement"]["largest_difference"] <= photographs.TOLERANCE
        config = Dinov2Model.from_pretrained(NAMED["photographs"].checked()).config
        assert {name: getattr(config, name) for name in photographs.SIZES} == photographs.SIZES

    def test_its_tokens_are_those_of_the_graph(self):
        pytest.importorskip("onnx", reason="onnx is not installed: `make backbone-photographs` installs it")
        if not WHEEL.is_file():
            pytest.skip("the wheel is not here: `make backbone-photographs` fetches it")
        agreement = photographs.check(photographs.WHEEL.read(WHEEL, photographs.INSIDE), NAMED["photographs"].checked())
        assert agreement["largest_difference"] <= photographs.TOLERANCE
        assert 5 < agreement["largest_value"] < 15
