import copy

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions import ablation
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.models.regressor import merged

LABELS = np.array([[10.0, 20.0, 30.0]] * 5)
SOURCES = {"mean": lambda images: 255 - images[:3], "resample": lambda images: images.roll(-1, 0)}


def predict_with_constant_head(model, images, layer, head):
    """Oracle: the head's slice of what enters the output projection is replaced by the head's value bias."""
    attention = model.layers[layer].attention
    size = 8
    rows = slice(head * size, (head + 1) * size)

    def replace(module, inputs):
        changed = inputs[0].clone()
        changed[..., rows] = attention.v_proj.bias[rows]
        return (changed,)

    hook = attention.o_proj.register_forward_pre_hook(replace)
    try:
        with torch.no_grad():
            return model.predict(images).numpy()
    finally:
        hook.remove()


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_zeroed_head_puts_out_its_value_bias_alone(regressor, images, wrapped):
    model = regressor if wrapped else merged(regressor)
    result = ablation.plain_sweep(model, images, LABELS, batch=2)
    assert result.ablated.shape == (2, 3, 5, 3)
    for layer in range(2):
        for head in range(3):
            expected = predict_with_constant_head(model, images, layer, head)
            assert np.allclose(result.ablated[layer, head], expected, atol=1e-3)
            assert np.abs(expected - result.baseline).max() > 1e-2


def test_wrapped_equals_merged(regressor, images):
    first = ablation.plain_sweep(regressor, images, LABELS)
    second = ablation.plain_sweep(merged(regressor), images, LABELS)
    assert np.allclose(first.ablated, second.ablated, atol=1e-3)


def test_weights_come_back_even_after_an_exception(regressor):
    before = {name: tensor.clone() for name, tensor in regressor.state_dict().items()}
    weight = regressor.layers[1].attention.q_proj.weight

    def fail_inside():
        with ablation.head_zeroed(regressor, 1, 2):
            assert weight[16:].abs().max() == 0
            assert weight[:16].abs().max() > 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert all(torch.equal(tensor, before[name]) for name, tensor in regressor.state_dict().items())


@pytest.mark.parametrize(("layer", "head"), [(2, 0), (0, 3), (-1, 0)])
def test_a_head_that_is_not_there_is_refused(regressor, layer, head):
    with pytest.raises(CompanionError, match="2 layers, 3 heads"), ablation.head_zeroed(regressor, layer, head):
        pass


def test_every_head_at_once_is_one_after_the_other(regressor, images):
    plain, fast = (sweep(regressor, images, LABELS) for sweep in (ablation.plain_sweep, ablation.ablate_every_head))
    for before, after in zip(vars(plain).values(), vars(fast).values(), strict=True):
        assert np.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_images_at_a_time_are_all_at_once(regressor, images, kind, monkeypatch):
    monkeypatch.setattr(ablation, "IMAGES_PER_SAVE", 2)
    source = SOURCES.get(kind, lambda images: None)(images)
    _, expected = Engine(regressor).sweep(images, kind=kind, source=source)
    found = ablation.ablate_every_head(regressor, images, LABELS, kind=kind, source=source)
    assert np.allclose(found.ablated, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_sweep_goes_on(regressor, images, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(ablation, "IMAGES_PER_SAVE", 2)
    partial, how = tmp_path / "partial.npz", {"kind": kind, "source": SOURCES.get(kind, lambda images: None)(images)}
    whole = ablation.ablate_every_head(regressor, images, LABELS, **how)
    asked = []
    sweep = Engine.sweep

    def interrupted(engine, some, **how):
        asked.append(len(some))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return sweep(engine, some, **how)

    monkeypatch.setattr(Engine, "sweep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ablation.ablate_every_head(regressor, images, LABELS, partial=partial, **how)
    result = ablation.ablate_every_head(regressor, images, LABELS, partial=partial, **how)
    assert asked == [2, 2, 2, 1]
    assert np.allclose(result.ablated, whole.ablated, atol=1e-4)


@pytest.mark.parametrize("other", ["replacement", "model"])
def test_what_another_sweep_left_is_not_taken(regressor, images, tmp_path, other):
    partial = tmp_path / "partial.npz"
    expected = ablation.ablate_every_head(regressor, images, LABELS)
    changed = copy.deepcopy(regressor)
    if other == "model":
        changed.head[-1].bias.data += 0.1
    ablation.ablate_every_head(
        changed, images, LABELS, kind="zero" if other == "replacement" else "zero_qkv", partial=partial
    )
    found = ablation.ablate_every_head(regressor, images, LABELS, partial=partial)
    assert np.allclose(found.ablated, expected.ablated, atol=1e-4)


def test_a_damaged_sweep_is_named(regressor, images, tmp_path):
    (tmp_path / "partial-0-5.npz").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(CompanionError, match="damaged"):
        ablation.ablate_every_head(regressor, images, LABELS, partial=tmp_path / "partial.npz")


def test_squared_errors_and_summaries_by_hand():
    result = ablation.Ablation(
        baseline=np.array([[1.0, 0, 0], [0, 0, 2]]),
        ablated=np.array([[[[2.0, 0, 0], [0, 0, 2]]]]),
        labels=np.zeros((2, 3)),
        label_std=np.array([1.0, 1.0, 2.0]),
        weights=np.array([1.0, 3.0]),
    )
    assert np.allclose(ablation.target_errors(result.baseline, result), [[1, 0, 0], [0, 0, 3]])
    assert np.allclose(ablation.squared_errors(result.baseline, result), [1 / 3, 1])  # the third target's unit is 2
    assert np.allclose(ablation.squared_errors(result.ablated, result), [[[4 / 3, 1]]])
    mean, std = ablation.layer_summary(np.array([[1.0, 2.0, 3.0]]))
    assert (mean[0], std[0]) == (2, 1)
