"""What is damaged, mutated or hostile ends in what was meant or in one line that names it; `make fuzz` tries 10,000 of each."""

import argparse
import io
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import ViTConfig, ViTModel

from paper_utils.data.chirps import LabelScale
from paper_utils.data.dataset import sample
from paper_utils.data.pngs import read_image
from paper_utils.data.render import PUBLISHED_SIZE
from paper_utils.errors import CompanionError
from paper_utils.files import read_arrays, read_json, write_arrays, write_json
from paper_utils.models import processes
from paper_utils.models.loading import load_vit
from paper_utils.models.published import load_published, save_published
from paper_utils.models.regressor import build_regressor, load_regressor, save_regressor
from tests.fuzzing import FUZZED
from tools import figures

pytestmark = pytest.mark.slow
SCALE = LabelScale(np.array([22.0, 50.0, 50.0]), np.array([13.0, 29.0, 31.0]))


def ends_well(compute, *names):
    """Return what `compute` returns, or None where it refuses in one line that has one of these names."""
    try:
        return compute()
    except CompanionError as error:
        said = str(error)
    assert "\n" not in said, said
    assert any(name in said for name in names), said
    return None


@st.composite
def mutations(draw):
    """Return a function that mutates bytes: a bit or some bytes change, come in, go, are doubled or cut off."""
    place, length = draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(1, 64))
    how = draw(st.sampled_from(("flip", "change", "insert", "remove", "double", "cut")))
    new = draw(st.binary(min_size=length, max_size=length))

    def mutate(content):
        start = int(place * len(content))
        end = start + length
        if how == "flip":
            return content[:start] + bytes([content[start] ^ 1 << length % 8]) + content[start + 1 :]
        if how == "cut":
            return content[:start]
        middle = {"change": new, "insert": new + content[start:end], "remove": b"", "double": 2 * content[start:end]}
        return content[:start] + middle[how] + content[end:]

    return mutate


@pytest.fixture(scope="module")
def png():
    pixels = sample(9, 1, size=PUBLISHED_SIZE, with_regions=False)[1].pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return pixels, buffer.getvalue()


@FUZZED
@given(mutate=mutations())
def test_images(png, tmp_path, mutate):
    pixels, content = png
    path = tmp_path / "spectrogram_1.png"
    path.write_bytes(mutate(content))
    found = ends_well(lambda: read_image(path, size=PUBLISHED_SIZE), "spectrogram_1.png")
    assert found is None or np.array_equal(found, pixels)


@FUZZED
@given(mutate=mutations())
def test_arrays(tmp_path, mutate):
    path, arrays = tmp_path / "ablation.npz", {"ablated": np.arange(60.0).reshape(3, 20), "labels": np.ones(7)}
    write_arrays(path, arrays)
    path.write_bytes(mutate(path.read_bytes()))
    found = ends_well(lambda: read_arrays(path), "ablation.npz")
    for name, values in (found or {}).items():
        assert name not in arrays or np.array_equal(values, arrays[name])


@FUZZED
@given(mutate=mutations())
def test_json(tmp_path, mutate):
    path = tmp_path / "results.json"
    write_json(path, {"origin.backbone": "embedded", "accuracy": [0.5, 1e-3, None], "unit": "μ"})
    path.write_bytes(mutate(path.read_bytes()))
    ends_well(lambda: read_json(path), "results.json")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A ViT of one narrow layer in a folder."""
    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    folder = tmp_path_factory.mktemp("models") / "vit"
    torch.manual_seed(0)
    ViTModel(ViTConfig(**sizes, image_size=32), add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def saved(backbone):
    """A fine-tuned model on it, as we write it, and in the published layout."""
    model = build_regressor(str(backbone), SCALE, seed=1)
    save_regressor(model, backbone.parent / "model.safetensors", backbone=str(backbone))
    save_published(model, backbone.parent / "best.pth")
    return backbone.parent / "model.safetensors", backbone.parent / "best.pth"


@FUZZED
@given(mutate=mutations())
def test_published_checkpoints(saved, tmp_path, mutate):
    expected, _ = load_published(saved[1], scale=SCALE)
    path = tmp_path / "best_vit_regression.pth"
    path.write_bytes(mutate(saved[1].read_bytes()))
    found = ends_well(lambda: load_published(path, scale=SCALE)[0], "best_vit_regression.pth")
    if found is not None:
        for key, tensor in expected.state_dict().items():
            assert torch.equal(found.state_dict()[key], tensor), key


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@FUZZED
@given(data=st.data())
def test_hostile_pickles_are_never_executed(saved, backbone, tmp_path, data):
    state = torch.load(saved[1], weights_only=True)
    bomb = Bomb(str(tmp_path / "executed"))
    key = data.draw(st.sampled_from([*state, "another"]))
    value = data.draw(st.sampled_from([bomb, [bomb], {"a": bomb}, (state["regression_head.0.bias"], bomb)]))
    hostile = data.draw(st.sampled_from([state | {key: value}, bomb, [state, bomb]]))
    path = tmp_path / "best_vit_regression.pth"
    if data.draw(st.booleans()):
        torch.save(hostile, path)
    else:
        path.write_bytes(pickle.dumps(hostile, protocol=data.draw(st.integers(0, 4))))
    assert ends_well(lambda: load_published(path, scale=SCALE), "best_vit_regression.pth") is None
    folder = tmp_path / "vit"
    if not folder.is_dir():
        shutil.copytree(backbone, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    shutil.copyfile(path, folder / "pytorch_model.bin")
    assert ends_well(lambda: load_vit(str(folder)), str(folder)) is None
    assert not (tmp_path / "executed").exists()


@FUZZED
@given(mutate=mutations())
def test_models_of_ours(saved, tmp_path, mutate):
    path = tmp_path / "model.safetensors"
    path.write_bytes(mutate(saved[0].read_bytes()))
    found = ends_well(lambda: load_regressor(path), "model.safetensors", "backbone")
    assert found is None or all(tensor.isfinite().all() for tensor in found.state_dict().values())


@FUZZED
@given(data=st.data())
def test_configs_and_weights_of_backbones(backbone, tmp_path, data):
    folder = tmp_path / "vit"
    shutil.copytree(backbone, folder, dirs_exist_ok=True)
    weights, config = folder / "model.safetensors", read_json(folder / "config.json")
    key = data.draw(st.sampled_from(list(config)))
    values = st.none() | st.booleans() | st.integers(-3, 99) | st.floats(-2, 99) | st.text(max_size=5)
    if data.draw(st.booleans()):
        changed = config | {key: data.draw(values | st.lists(values, max_size=3) | st.dictionaries(st.text(), values))}
        write_json(folder / "config.json", changed)
    else:
        weights.write_bytes(data.draw(mutations())(weights.read_bytes()))
    found = ends_well(lambda: load_vit(str(folder)), str(folder))
    if found is not None:
        assert {key: value.shape for key, value in found.state_dict().items()} == {
            key: value.shape for key, value in load_vit(str(backbone)).state_dict().items()
        }
        assert all(tensor.isfinite().all() for tensor in found.state_dict().values())


WORDS = st.text(max_size=12) | st.sampled_from(
    ["smoke", "laptop", "seeds", "embedded", "photographs", "published", "backbone", "~nobody/vit", "../..", "a/b", "/"]
)


@FUZZED
@given(profile=WORDS, source=WORDS, backbone=WORDS | st.none(), checkpoint=WORDS | st.none(), pixels=WORDS)
def test_options_and_parameters_of_notebooks(tmp_path, profile, source, backbone, checkpoint, pixels):
    options = argparse.Namespace(
        profile=profile, source=source, backbone=backbone, checkpoint=checkpoint, pixels=pixels
    )
    given_values = [repr(value)[1:-1] for value in vars(options).values() if value]
    run = ends_well(
        lambda: figures.run_of(options, root=tmp_path), *given_values, *filter(None, vars(options).values()), "''"
    )
    if run is not None:
        assert (run.profile.name, run.profile.pixels) == (profile, pixels)
        assert run.build.is_relative_to(tmp_path)
        assert run.build.parent == tmp_path / "build"


@FUZZED
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8))
@pytest.mark.parametrize("name", ["WORLD_SIZE", "LOCAL_WORLD_SIZE"])
def test_environment_variables_of_the_launcher(name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_RANK", "0")
        patch.setenv("WORLD_SIZE", "2")
        patch.setattr(processes, "PartialState", lambda **_: (_ for _ in ()).throw(RuntimeError("nobody is there")))
        patch.setenv(name, value)
        ends_well(processes.join, "cannot join the other processes", name)
