import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models.exports import ADAPTER_FILES
from paper_utils.models.published import load_published
from paper_utils.models.regressor import build_regressor, save_regressor
from tests.conftest import SCALE
from tools import export


@pytest.fixture
def model_file(regressor, tiny_backbone, tmp_path):
    save_regressor(regressor, tmp_path / "model.safetensors", backbone=tiny_backbone)
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("layout", ["old", "new"])
@pytest.mark.parametrize("merge", [False, True])
def test_a_model_is_written_in_either_layout(layout, merge, model_file, regressor, images, tmp_path):
    output = tmp_path / "published.pth"
    line = export.export(model_file, output, layout=layout, merge=merge)
    assert line.startswith(
        f"{output}: {'46' if merge else '54'} keys ({layout} names, {'no LoRA' if merge else 'LoRA'})"
    )
    assert line.endswith("standardised by mean 22, 50, 50 and standard deviation 13, 29, 31 (s, Hz, Hz)")
    found, _ = load_published(output, scale=SCALE, heads=3)
    with torch.no_grad():
        torch.testing.assert_close(found.predict(images), regressor.predict(images), atol=1e-4, rtol=0)


def test_an_adapter_is_a_folder(model_file, tmp_path):
    line = export.export(model_file, tmp_path / "adapter", layout="adapter")
    assert all(name in line and (tmp_path / "adapter" / name).is_file() for name in ADAPTER_FILES)
    with pytest.raises(CompanionError, match="an adapter holds LoRA alone, which merging removes"):
        export.export(model_file, tmp_path / "adapter", layout="adapter", merge=True)


def test_the_command_says_what_it_wrote_or_what_is_missing(model_file, tmp_path, monkeypatch, capsys):
    output = tmp_path / "published.pth"
    monkeypatch.setattr(sys, "argv", ["export", str(output), "--model", str(model_file)])
    export.main()
    assert "52 used, 2 of the pooler" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["export", str(output), "--model", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"^error: cannot read the model .*none"):
        export.main()


def test_a_target_that_cannot_be_written_is_refused_before_the_model_is_read(tmp_path):
    nothing = tmp_path / "none.safetensors"
    with pytest.raises(CompanionError, match="it is a folder; give the name of a file"):
        export.export(nothing, tmp_path)
    with pytest.raises(CompanionError, match="there is no folder .*missing for published.pth; make it first"):
        export.export(nothing, tmp_path / "missing" / "published.pth")
    assert not (tmp_path / "missing").exists()
    (tmp_path / "file").touch()
    with pytest.raises(CompanionError, match="is a file, and an adapter is a folder"):
        export.export(nothing, tmp_path / "file", layout="adapter")


def test_a_device_is_no_target_and_nor_is_the_model_itself(tmp_path, model_file):
    with pytest.raises(CompanionError, match="cannot write .*null: it is a device; give the name of a file"):
        export.export(tmp_path / "none.safetensors", Path("/dev/null"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CompanionError, match="pipe is a pipe, and an adapter is a folder"):
        export.export(model_file, tmp_path / "pipe", layout="adapter")
    (tmp_path / "adapter").mkdir()
    os.mkfifo(tmp_path / "adapter" / ADAPTER_FILES[0])
    with pytest.raises(CompanionError, match="cannot write .*: it is a pipe; give the name of a file"):
        export.export(tmp_path / "none.safetensors", tmp_path / "adapter", layout="adapter")
    content = model_file.read_bytes()
    (tmp_path / "link").symlink_to(model_file)
    for output in (model_file, tmp_path / "link"):
        with pytest.raises(CompanionError, match="is the model that is read, and would be replaced; give another"):
            export.export(model_file, output)
    assert model_file.read_bytes() == content


def test_a_model_on_normalised_pixels_is_exported_for_those_of_the_released_code(tmp_path, tiny_backbone, images):
    """Oracle: the model itself; what is written takes 0 to 1 and needs no preprocessor_config.json."""
    backbone = shutil.copytree(tiny_backbone, tmp_path / "vit")
    write_json(backbone / "preprocessor_config.json", {"image_mean": [0.5] * 3, "image_std": [0.25] * 3})
    model = build_regressor(str(backbone), SCALE, seed=0, pixels="backbone").eval()
    save_regressor(model, tmp_path / "model.safetensors", backbone=str(backbone), pixels="backbone")
    export.export(tmp_path / "model.safetensors", tmp_path / "published.pth")
    found, _ = load_published(tmp_path / "published.pth", scale=SCALE, heads=3)
    with torch.no_grad():
        torch.testing.assert_close(found.predict(images), model.predict(images), atol=1e-4, rtol=0)
    export.export(tmp_path / "model.safetensors", tmp_path / "adapter", layout="adapter")
    assert "then less [0.5, 0.5, 0.5], divided by [0.25, 0.25, 0.25]" in (tmp_path / "adapter/README.md").read_text()
