import pickle
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import ViTConfig, ViTModel

from paper_utils.data.chirps import label_scale
from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models.published import load_published, published_scale, save_published
from paper_utils.models.regressor import merged
from tests.conftest import SCALE

HEADS = 3


class Author(nn.Module):
    """The oracle: ViT, LoRA and head put together from transformers and peft alone, as the author's class does."""

    def __init__(self, *, rank=8, width=24, pooler=True):
        super().__init__()
        config = ViTConfig(
            hidden_size=width, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=48, image_size=32
        )
        lora = LoraConfig(r=rank, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], bias="none")
        self.vit = get_peft_model(ViTModel(config, add_pooling_layer=pooler), lora)
        self.regression_head = nn.Sequential(
            nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 3)
        )

    def forward(self, images):
        return self.regression_head(self.vit(pixel_values=images).last_hidden_state[:, 0])


def author(**options):
    torch.manual_seed(4)
    model = Author(**options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def old_names(state):
    """Return a state dict of transformers 5 with the names of transformers 4, as facts about that version have them."""
    old = {
        r"\.layers\.": ".encoder.layer.",
        r"attention\.q_proj": "attention.attention.query",
        r"attention\.k_proj": "attention.attention.key",
        r"attention\.v_proj": "attention.attention.value",
        r"attention\.o_proj": "attention.output.dense",
        r"mlp\.fc1": "intermediate.dense",
        r"mlp\.fc2": "output.dense",
    }

    def renamed(key):
        for new, name in old.items():
            key = re.sub(new, name, key)
        return key

    return {renamed(key): tensor for key, tensor in state.items()}


@pytest.fixture(scope="module")
def small():
    """Five images of the oracle's size, in 0..1."""
    return torch.rand((5, 3, 32, 32), generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def state():
    return author().state_dict()


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a state dict as the author did, and returns its path."""

    def save(content, name="best_vit_regression.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return save


def load(path, **options):
    return load_published(path, **{"scale": SCALE, "heads": HEADS} | options)


def refused(path, **options):
    """Return the one line that a file is refused with."""
    with pytest.raises(CompanionError) as caught:
        load(path, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


@pytest.mark.parametrize("renamed", [old_names, dict], ids=["old names", "new names"])
@pytest.mark.parametrize("lora", [True, False], ids=["LoRA", "merged"])
def test_the_loaded_model_predicts_what_the_authors_does(renamed, lora, small, saved):
    oracle = author()
    if not lora:
        oracle.vit = oracle.vit.merge_and_unload()
    with torch.no_grad():
        expected = oracle(small)
    model, report = load(saved(renamed(oracle.state_dict())))
    with torch.no_grad():
        torch.testing.assert_close(model(small), expected, rtol=0, atol=1e-5)
        mean, std = (torch.tensor(each, dtype=torch.float32) for each in (SCALE.mean, SCALE.std))
        torch.testing.assert_close(model.predict(small), expected * std + mean)
    assert not model.training
    assert report.fits
    assert (report.lora, report.names) == (lora, "old" if renamed is old_names else "new")
    assert sorted(report.used + report.pooler) == sorted(renamed(oracle.state_dict()))


def test_the_old_names_are_the_published_ones(state):
    keys = old_names(state)
    start = "vit.base_model.model.encoder.layer.1.attention"
    for key in ("attention.query.base_layer.weight", "attention.query.lora_A.default.weight", "attention.key.bias"):
        assert f"{start}.{key}" in keys
    assert {f"{start}.output.dense.weight", "regression_head.0.weight"} < keys.keys()


def test_the_pooler_is_reported_and_not_asked_for(state, saved):
    _, report = load(saved(old_names(state)))
    assert report.pooler == tuple(f"vit.base_model.model.pooler.dense.{kind}" for kind in ("weight", "bias"))
    assert "2 of the pooler, which predictions from CLS do not use" in report.line()
    _, without = load(saved({key: tensor for key, tensor in state.items() if "pooler" not in key}))
    assert without.pooler == ()
    assert without.used == tuple(key for key in state if "pooler" not in key)


def test_only_lora_and_head_learn_of_a_loaded_model(state, saved):
    model, _ = load(saved(state))
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == {name for name, _ in model.named_parameters() if "lora_" in name or name.startswith("head.")}


def test_sizes_follow_from_the_shapes(state, saved):
    model, _ = load(saved(state))
    config = model.vit.config
    assert (config.hidden_size, config.num_hidden_layers, config.intermediate_size) == (24, 2, 48)
    assert (config.image_size, config.patch_size, config.num_attention_heads) == (32, 16, HEADS)
    wide, report = load(saved(author(width=192).state_dict()), heads=None)
    assert wide.vit.config.num_attention_heads == 3
    assert report.line().endswith("; 3 heads a layer are assumed, of 64 dimensions each")


def test_our_own_files_say_how_many_heads_there_are(state, saved):
    model, _ = load(saved(state))
    save_published(model, path := saved(state, "ours.pth"))
    ours, report = load(path, heads=None)
    assert ours.vit.config.num_attention_heads == HEADS
    assert "assumed" not in report.line()
    assert f"says that its layers have {HEADS} heads, not 6" in refused(path, heads=6)
    content = torch.load(path, weights_only=True)
    content._metadata[""]["num_attention_heads"] = "many"
    assert "num_attention_heads is 'many'" in refused(saved(content))


def test_a_number_of_heads_that_does_not_divide_the_width_is_refused(state, saved):
    assert "width 24, which 5 heads do not divide; give its number of heads" in refused(saved(state), heads=5)
    assert "width 24, which 0 heads do not divide" in refused(saved(state), heads=None)


def test_the_scale_that_is_left_out_is_that_of_the_published_labels(state, saved, monkeypatch):
    monkeypatch.setattr("paper_utils.models.published.published_scale", lambda: label_scale(0, 500))
    model, _ = load(saved(state), scale=None)
    np.testing.assert_allclose(model.label_mean, [22.5, 50, 50], atol=3)  # uniform 0 to 45 s, 0 to 100 Hz
    np.testing.assert_allclose(model.label_std, [12.99, 28.87, 31], atol=2)


@pytest.mark.slow
def test_the_published_scale_is_that_of_the_distribution():
    scale = published_scale()
    np.testing.assert_allclose(scale.mean, [22.5, 50, 50], atol=0.2)
    np.testing.assert_allclose(scale.std[:2], [45 / 12**0.5, 100 / 12**0.5], atol=0.1)


@pytest.mark.parametrize("names", ["old", "new"])
@pytest.mark.parametrize("lora", [True, False], ids=["LoRA", "merged"])
def test_saved_model_comes_back(regressor, images, names, lora, tmp_path):
    model = regressor if lora else merged(regressor)
    save_published(model, tmp_path / "model.pth", names=names)
    found, report = load(tmp_path / "model.pth")
    with torch.no_grad():
        assert torch.equal(found.predict(images), model.predict(images))
    assert (report.names, report.lora, len(report.pooler)) == (names, lora, 2)
    assert [file.name for file in tmp_path.iterdir()] == ["model.pth"]


def test_the_authors_class_loads_every_key_that_is_written(state, small, saved, tmp_path):
    model, _ = load(saved(old_names(state)))
    save_published(model, tmp_path / "new.pth", names="new")
    save_published(model, tmp_path / "old.pth")
    fresh = Author().eval()
    fresh.load_state_dict(torch.load(tmp_path / "new.pth", weights_only=True))  # strict
    with torch.no_grad():
        torch.testing.assert_close(fresh(small), model(small), rtol=0, atol=1e-5)
    assert torch.load(tmp_path / "old.pth", weights_only=True).keys() == old_names(state).keys()


def test_the_same_model_is_written_as_the_same_bytes(regressor, tmp_path):
    for name in ("one.pth", "two.pth"):
        save_published(regressor, tmp_path / name)
    assert (tmp_path / "one.pth").read_bytes() == (tmp_path / "two.pth").read_bytes()


def test_what_cannot_be_written_is_refused(regressor, tmp_path):
    with pytest.raises(CompanionError, match="there are no 'latin' names; choose 'old' or 'new'"):
        save_published(regressor, tmp_path / "model.pth", names="latin")
    regressor.vit = nn.Identity()
    with pytest.raises(CompanionError, match="there is no published layout for a Identity; give a model on a ViT"):
        save_published(regressor, tmp_path / "model.pth")
    assert list(tmp_path.iterdir()) == []


def test_another_rank_is_refused(saved):
    line = refused(saved(old_names(author(rank=4).state_dict())))
    assert "LoRA of rank 4 (vit.base_model.model.encoder.layer.0.attention.attention.query.lora_A" in line
    assert line.endswith("merge LoRA into the weights before you save them")


@pytest.mark.parametrize(
    "key",
    [
        "vit.base_model.model.embeddings.cls_token",
        "vit.base_model.model.embeddings.patch_embeddings.projection.weight",
        "vit.base_model.model.embeddings.position_embeddings",
        "vit.base_model.model.encoder.layer.1.intermediate.dense.weight",
        "vit.base_model.model.encoder.layer.0.attention.attention.value.lora_B.default.weight",
        "vit.base_model.model.layernorm.weight",
        "regression_head.2.weight",
    ],
)
def test_a_wrong_shape_is_named(key, state, saved):
    changed = old_names(state)
    changed[key] = torch.zeros(changed[key].shape[0] + 2, *changed[key].shape[1:])
    assert f"{key} is {tuple(changed[key].shape)}, not " in refused(saved(changed))
    changed[key] = torch.zeros(7)
    assert key in refused(saved(changed))


def test_positions_that_are_no_square_are_refused(state, saved):
    changed = state | {"vit.base_model.model.embeddings.position_embeddings": torch.zeros(1, 8, 24)}
    assert "8 positions, which are not CLS and a square of patches" in refused(saved(changed))


def test_checkpoints_of_another_family_are_refused(state, saved):
    timm = {"cls_token": torch.zeros(1, 1, 24), "blocks.0.attn.qkv.weight": torch.zeros(72, 24)}
    assert "it lacks vit.layers.0.layernorm_before.weight" in refused(saved(timm))
    assert "its first key is blocks.0.attn.qkv.weight" in refused(saved(timm))
    classifier = {key: tensor for key, tensor in state.items() if not key.startswith("regression_head")}
    classifier["classifier.weight"] = torch.zeros(1000, 24)
    line = refused(saved(classifier))
    assert "1 unknown (classifier.weight), 6 missing (regression_head.0.weight, " in line
    assert "and 2 more" in line
    ours = {key.removeprefix("regression_"): tensor for key, tensor in state.items()}
    assert "6 unknown (head.0.weight, " in refused(saved(ours))


def test_keys_in_both_names_are_refused(state, saved):
    key = "vit.base_model.model.{}.weight"
    old, new = key.format("encoder.layer.0.output.dense"), key.format("layers.0.mlp.fc2")
    line = refused(saved(old_names(state) | {new: state[new]}))
    assert f"1 unknown ({new}, beside {old})" in line


def test_a_layer_beyond_the_last_is_refused(state, saved):
    key = "vit.base_model.model.encoder.layer.999999999.output.dense.bias"
    assert f"1 unknown ({key}), " in refused(saved(old_names(state) | {key: torch.zeros(24)}))


@pytest.mark.parametrize("kept", [0, 10, 1000, -2000, -1])
def test_a_truncated_file_is_refused(kept, state, saved):
    path = saved(state)
    path.write_bytes(path.read_bytes()[:kept])
    assert re.search("is damaged", refused(path))


def test_what_is_no_checkpoint_is_refused(state, saved, tmp_path):
    assert "cannot read the checkpoint" in refused(tmp_path / "nowhere.pth")
    assert "cannot read the checkpoint" in refused(tmp_path)
    (tmp_path / "text.pth").write_text("hello")
    assert "damaged" in refused(tmp_path / "text.pth")
    assert "holds a list, no state dict" in refused(saved([1, 2]))
    assert "holds an empty one, no state dict" in refused(saved({}))
    assert "'model' is a OrderedDict, no tensor" in refused(saved({"model": state}))
    assert "3 is no name" in refused(saved({3: torch.zeros(2)}))
    assert "'vit.x' is a tensor of torch.int64" in refused(saved({"vit.x": torch.zeros(2, dtype=torch.int64)}))
    assert "'vit.x' is a tensor of torch.float32, torch.strided, on meta" in refused(
        saved({"vit.x": torch.zeros(2, device="meta")})
    )
    assert "'vit.x' is an empty tensor" in refused(saved({"vit.x": torch.zeros(0, 4)}))


def test_tensors_larger_than_the_file_are_refused(state, saved):
    key = "vit.base_model.model.embeddings.position_embeddings"
    assert "are larger than the file" in refused(saved(state | {key: torch.zeros(1).expand(1, 10**12 + 1, 24)}))


def test_weights_that_are_not_finite_are_refused(state, saved):
    key = "regression_head.0.bias"
    assert f"{key} is not finite" in refused(saved(state | {key: torch.full((256,), torch.nan)}))


def test_half_precision_is_read(state, small, saved):
    halves = {key: tensor.half() for key, tensor in state.items()}
    model, _ = load(saved(halves))
    oracle = Author().eval()
    oracle.load_state_dict(halves)
    with torch.no_grad():
        torch.testing.assert_close(model(small), oracle(small), rtol=0, atol=1e-5)
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}


class Hostile:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_a_hostile_pickle_is_never_executed(force, whole, state, saved, tmp_path, monkeypatch):
    if force:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    trace = tmp_path / "executed"
    path = saved(Hostile(trace) if whole else state | {"regression_head.9.weight": Hostile(trace)})
    line = refused(path)
    assert re.search(r"asks for \w*io\.open, which is not executed; save its state dict alone", line)
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Hostile(trace)))
    refused(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes()).close()
    assert trace.exists()  # it would have been


def test_a_whole_model_is_no_state_dict(saved):
    assert "asks for torch.nn.modules.linear.Linear, which is not executed" in refused(saved(nn.Linear(2, 2)))


KEYS = sorted(old_names(author().state_dict()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("changed")


@settings(deadline=None, max_examples=60)
@given(
    deleted=st.lists(st.sampled_from(KEYS), max_size=3, unique=True),
    renamed=st.lists(
        st.tuples(
            st.sampled_from(KEYS),
            st.one_of(
                st.sampled_from(KEYS),
                st.text("abcvit.layers0123456789", min_size=1, max_size=12),
                st.sampled_from(
                    [("encoder.layer", "layers"), ("layer.0", "layer.1"), ("weight", "bias"), ("vit.", "")]
                ),
            ),
        ),
        max_size=1,
    ),
    names=st.sampled_from(["old", "new"]),
)
def test_any_deletion_or_renaming_ends_in_a_right_load_or_names_a_key(deleted, renamed, names, small, folder):
    oracle = author()
    whole = old_names(oracle.state_dict()) if names == "old" else oracle.state_dict()
    at = dict(zip(old_names(oracle.state_dict()), whole, strict=True))  # the key of a name in KEYS
    changed, touched = dict(whole), {at[key] for key in deleted}
    for key, other in renamed:
        old = at[key]
        new = at.get(other, other) if isinstance(other, str) else old.replace(*other)
        if new != old:
            changed[new] = changed.pop(old)
            touched |= {old, new}
    for key in deleted:
        changed.pop(at[key], None)
    path = folder / "changed.pth"
    torch.save(changed, path)
    line = ""
    try:
        model, report = load(path)
    except CompanionError as error:
        line = str(error)
    if line:
        assert touched
        assert "\n" not in line
        assert any(key in line for key in touched), line
        return
    with torch.no_grad():
        torch.testing.assert_close(model(small), oracle(small), rtol=0, atol=1e-5)
    assert len(report.used) + len(report.pooler) == len(changed)


def test_a_checkpoint_of_normalised_pixels_takes_images_as_others_do(saved, small, state):
    """Oracle: the author's class on pixels normalised by hand."""
    path = saved(state)
    with pytest.raises(CompanionError, match="there is no preprocessor_config.json in "):
        load_published(path, scale=SCALE, heads=HEADS, pixels="backbone")
    write_json(path.with_name("preprocessor_config.json"), {"image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    model, _ = load_published(path, scale=SCALE, heads=HEADS, pixels="backbone")
    with torch.no_grad():
        assert torch.allclose(model(small), author()((small - 0.5) / 0.5), atol=1e-5)
