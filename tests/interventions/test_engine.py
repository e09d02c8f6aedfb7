import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paper_utils.errors import CompanionError
from paper_utils.interventions import ablation
from paper_utils.interventions import engine as engine_module
from paper_utils.interventions.engine import KINDS, Engine, Replacement
from paper_utils.models.regressor import merged

HEADS = [(layer, head) for layer in range(2) for head in range(3)]


def replaced_by_hook(model, images, heads, constant):
    """Oracle: what enters a layer's output projection is overwritten; `constant(layer, inputs)` gives by what."""
    hooks = []
    for layer in {layer for layer, _ in heads}:

        def overwrite(module, inputs, layer=layer):
            changed = inputs[0].clone()
            new = constant(layer, inputs[0])
            for head in [head for other, head in heads if other == layer]:
                changed[..., head * 8 : head * 8 + 8] = new[..., head * 8 : head * 8 + 8]
            return (changed,)

        hooks.append(model.layers[layer].attention.o_proj.register_forward_pre_hook(overwrite))
    try:
        with torch.no_grad():
            return model.predict(images).numpy()
    finally:
        for hook in hooks:
            hook.remove()


def outputs_of_heads(model, images):
    """What enters each layer's output projection in the intact model."""
    seen = []
    hooks = [
        layer.attention.o_proj.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
        for layer in model.layers
    ]
    with torch.no_grad():
        model.predict(images)
    for hook in hooks:
        hook.remove()
    return seen


def source_of(images, kind):
    """Other images: three to average over, or one for each."""
    return {"mean": 255 - images[:3], "resample": images.roll(-1, 0)}.get(kind)


def constants(model, images, kind):
    source = source_of(images, kind)
    outputs = [] if source is None else outputs_of_heads(model, source)
    return {
        "zero_qkv": lambda layer, z: model.layers[layer].attention.v_proj.bias.expand_as(z),
        "zero": lambda layer, z: torch.zeros_like(z),
        "mean": lambda layer, z: outputs[layer].mean(0, keepdim=True).expand_as(z),
        "resample": lambda layer, z: outputs[layer],
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_every_head_and_kind_against_hooks(regressor, images, kind, batch):
    model = merged(regressor)
    intact, swept = Engine(model, batch=batch, rows=4).sweep(images, kind=kind, source=source_of(images, kind))
    with torch.no_grad():
        assert np.allclose(intact, model.predict(images).numpy(), atol=1e-4)
    for layer, head in HEADS:
        expected = replaced_by_hook(model, images, [(layer, head)], constants(model, images, kind))
        assert np.allclose(swept[layer, head], expected, atol=1e-4)
        assert np.abs(expected - intact).max() > 1e-3


def test_zero_qkv_is_weights_set_to_zero(regressor, images):
    plain = ablation.plain_sweep(regressor, images, np.zeros((5, 3)))
    for model in (regressor, merged(regressor)):
        intact, swept = Engine(model).sweep(images)
        scale = np.array([13.0, 29.0, 31.0])  # the bound of 1e-5 is in standardised units
        assert np.abs((swept - plain.ablated) / scale).max() < 1e-5
        assert np.abs((intact - plain.baseline) / scale).max() < 1e-5


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(heads=st.sets(st.sampled_from(HEADS)), kind=st.sampled_from(KINDS))
def test_any_set_of_heads_against_hooks(regressor, images, heads, kind):
    model = merged(regressor)
    expected = replaced_by_hook(model, images, heads, constants(model, images, kind))
    found = Engine(model, batch=3).predict(images, heads, kind=kind, source=source_of(images, kind))
    assert np.allclose(found, expected, atol=1e-4)


def test_other_images_can_be_given(regressor, images):
    model = merged(regressor)
    engine, other = Engine(model, batch=2), images.flip(0)
    outputs = outputs_of_heads(model, other)
    _, swept = engine.sweep(images, kind="resample", source=other)
    for heads in ([(0, 1)], [(1, 0), (1, 2)]):
        expected = replaced_by_hook(model, images, heads, lambda layer, z: outputs[layer])
        assert np.allclose(engine.predict(images, heads, kind="resample", source=other), expected, atol=1e-4)
        if len(heads) == 1:
            assert np.allclose(swept[heads[0]], expected, atol=1e-4)
    everything = engine.predict(images, HEADS, kind="resample", source=images)
    assert np.allclose(everything, engine.predict(images), atol=1e-4)  # its own outputs change nothing


def test_a_mean_over_the_images_themselves_is_theirs(regressor, images):
    model = merged(regressor)
    outputs = outputs_of_heads(model, images)
    expected = replaced_by_hook(model, images, [(0, 2)], lambda layer, z: outputs[layer].mean(0).expand_as(z))
    found = Engine(model, batch=2).predict(images, [(0, 2)], kind="mean", source=images)
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_one_replacement_serves_many_calls_and_parts(regressor, images, kind):
    engine, source = Engine(regressor, batch=2), source_of(images, kind)
    replacement = Replacement(engine, kind, source=source)
    _, expected = engine.sweep(images, kind=kind, source=source)
    parts = [slice(0, 3), slice(3, 5)]
    found = [engine.sweep(images[part], kind=replacement.part(part))[1] for part in parts]
    assert np.allclose(np.concatenate(found, axis=2), expected, atol=1e-4)
    assert np.allclose(engine.predict(images, [(1, 1)], kind=replacement), expected[1, 1], atol=1e-4)


def test_a_replacement_is_known_by_its_kind_and_source(regressor, images):
    engine = Engine(regressor)
    made = [Replacement(engine, "zero"), *(Replacement(engine, "mean", source=some) for some in (images, images[:4]))]
    assert made[0].mark == "zero"
    assert len({replacement.mark for replacement in made}) == 3
    assert made[1].mark == Replacement(engine, "mean", source=images.clone()).mark


def test_heads_add_up_to_the_attention(regressor, images):
    model = merged(regressor)
    engine = Engine(model)
    with torch.inference_mode():
        x = engine.embed(images)
        layer = model.layers[0]
        z = engine.attend(model.blocks[0], x)
        whole = layer.attention(layer.layernorm_before(x))[0]
        columns = layer.attention.o_proj.weight.view(24, 3, 8)
        parts = sum(z[:, :, head] @ columns[:, head].T for head in range(3)) + layer.attention.o_proj.bias
    assert torch.allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_computed_on_the_device(regressor, images, kind, monkeypatch):
    """Torch's device without numbers refuses most sums of its tensors with others, as a GPU does."""
    monkeypatch.setattr(engine_module, "_finite_array", lambda predictions: predictions)
    engine = Engine(regressor, device="meta")
    source = source_of(images, kind)
    intact, swept = engine.sweep(images, kind=kind, source=source)
    some = engine.predict(images, [(0, 1), (1, 2)], kind=kind, source=source)
    assert [found.device.type for found in (intact, swept, some)] == ["meta"] * 3
    assert swept.shape == (2, 3, 5, 3)


def test_the_model_stays_as_it_was(regressor, images):
    before = {name: tensor.clone() for name, tensor in regressor.state_dict().items()}
    Engine(regressor).sweep(images)
    with pytest.raises(CompanionError):
        Engine(regressor).predict(images, [(0, 7)])
    assert all(torch.equal(tensor, before[name]) for name, tensor in regressor.state_dict().items())


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda engine, x: engine.predict(x, [(2, 0)]), "no head 0 in layer 2: 2 layers, 3 heads"),
        (lambda engine, x: engine.sweep(x[:0]), r"needs 1 or more images, it got 0"),
        (lambda engine, x: engine.sweep(x, kind="resample"), "needs one other image for each image; give them as its"),
        (lambda engine, x: engine.sweep(x, kind="mean"), "needs images to average over; give them as its source"),
        (lambda engine, x: engine.sweep(x, kind="mean", source=x[:0]), "needs images to average over"),
        (lambda engine, x: engine.sweep(x, kind="noise"), "unknown replacement 'noise'; choose one of zero_qkv"),
        (lambda engine, x: engine.sweep(x, source=x), "source images are for kinds mean and resample"),
        (
            lambda engine, x: engine.sweep(x, kind="resample", source=x[:2]),
            "one other image for each image, of its size",
        ),
        (lambda engine, x: engine.sweep(x, kind=Replacement(Engine(engine.model))), "another engine's"),
        (lambda engine, x: engine.sweep(x, kind=Replacement(engine), source=x), "has its own source"),
        (lambda engine, x: engine.predict(x.float() * float("nan")), "not a number"),
    ],
)
def test_bad_input_is_named(regressor, images, use, message):
    with pytest.raises(CompanionError, match=message):
        use(Engine(regressor), images)


def test_another_kind_of_model_is_named(regressor):
    class Other(torch.nn.Module):
        vit = torch.nn.Identity()
        layers = torch.nn.ModuleList([torch.nn.Linear(2, 2)])

    with pytest.raises(CompanionError, match="a model of family 'Identity' is not known; give ViT, DeiT, DINOv2"):
        Engine(Other())
