import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions import ablation, attribution
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.models.regressor import merged

from . import reference

LABELS = np.array([[10.0, 20.0, 30.0]] * 5)


def sources_of(images):
    """Three images to average over, and another image for each."""
    return {"mean": 255 - images[:3], "resample": images.roll(-1, 0)}


def in_double(model):
    """The merged model in double precision, whose finite differences are exact enough, on pixels in 0..1."""
    plain = merged(model).double()
    plain.forward = lambda pixels: plain.head(plain.vit(pixel_values=pixels).last_hidden_state[:, 0])
    return plain


def predict(plain, images, layer, change):
    """Predictions (n, 3), and what enters the layer's output projection, which `change` may alter."""
    seen = []

    def overwrite(module, inputs):
        seen.append(inputs[0].clone())
        return (change(inputs[0].clone()),)

    hook = plain.layers[layer].attention.o_proj.register_forward_pre_hook(overwrite)
    try:
        with torch.no_grad():
            # not by the model's own `predict`, which rounds to single precision
            standardised = plain(images.double() / 255)
            return (standardised * plain.label_std + plain.label_mean).numpy(), seen[0]
    finally:
        hook.remove()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", [(0, 0), (0, 2), (1, 1)])
def test_changes_are_the_slope_on_the_way_to_the_replacement(regressor, images, kind, head):
    sources = sources_of(images)
    layer, rows = head[0], slice(8 * head[1], 8 * head[1] + 8)
    plain = in_double(regressor)
    constant = {
        "zero_qkv": lambda: plain.layers[layer].attention.v_proj.bias,
        "zero": lambda: torch.zeros(24),
        "mean": lambda: predict(plain, sources["mean"], layer, lambda z: z)[1].mean(0),
        "resample": lambda: predict(plain, sources["resample"], layer, lambda z: z)[1],
    }[kind]()

    def on_the_way(share):
        def move(z):
            z[..., rows] += share * (constant.expand_as(z) - z)[..., rows]
            return z

        return predict(plain, images, layer, move)[0]

    slope = (on_the_way(1e-4) - on_the_way(-1e-4)) / 2e-4
    some = {kind: sources[kind]} if kind in sources else None
    found = attribution.linearised(regressor, images, LABELS, kinds=[kind], sources=some)
    assert np.allclose(found.intact, on_the_way(0), atol=1e-3)
    assert np.allclose(found.changes[kind][head], slope, rtol=1e-3, atol=1e-4)
    assert np.abs(slope).max() > 0.03


def test_kinds_together_are_kinds_alone(regressor, images):
    sources = sources_of(images)
    found = attribution.linearised(regressor, images, LABELS, kinds=KINDS, sources=sources)
    assert list(found.changes) == list(KINDS)
    for kind, changes in found.changes.items():
        some = {kind: sources[kind]} if kind in sources else None
        alone = attribution.linearised(regressor, images, LABELS, kinds=[kind], sources=some)
        assert np.allclose(changes, alone.changes[kind], atol=1e-4)


def test_a_linear_model_is_estimated_exactly(regressor, images):
    """What the last layer's heads put out reaches the outputs through LayerNorm, MLP and head; made linear, it is exact."""
    model = merged(regressor)
    last = model.layers[-1]
    last.mlp = Zero()
    model.vit.layernorm = torch.nn.Identity()
    model.head = torch.nn.Linear(24, 3)
    sources = sources_of(images)
    estimate = attribution.linearised(model, images, LABELS, kinds=KINDS, sources=sources)
    for kind in KINDS:
        exact = Engine(model).sweep(images, kind=kind, source=sources.get(kind))[1]
        assert np.allclose(estimate.ablation(kind).ablated[-1], exact[-1], atol=1e-3)


class Zero(torch.nn.Module):
    def forward(self, x):
        return torch.zeros_like(x)


def test_the_three_rules_by_hand():
    estimate = ablation.Ablation(
        baseline=np.array([[1.0, 0, 0], [0, 1.0, 0]]),
        ablated=np.array([[[[2.0, 0, 0], [0, 0, 0]]]]),
        labels=np.zeros((2, 3)),
        label_std=np.ones(3),
        weights=np.ones(2),
    )
    found = attribution.AttributionEstimates.of(estimate)
    # squared errors 1 and 1 become 4 and 0; slopes 2 and -2; intact loss 1/3 an image
    assert found.outputs[0, 0] == pytest.approx(100)
    assert found.loss[0, 0] == pytest.approx(0)
    assert found.absolute[0, 0] == pytest.approx(200)


def test_the_model_stays_as_it_was(regressor, images):
    before = {name: (p.detach().clone(), p.requires_grad) for name, p in regressor.named_parameters()}
    attribution.linearised(regressor, images, LABELS)
    for name, parameter in regressor.named_parameters():
        value, wanted = before[name]
        assert torch.equal(parameter, value)
        assert parameter.requires_grad == wanted
        assert parameter.grad is None


def test_mixed_precision_is_near(regressor, images):
    exact, rough = (attribution.linearised(regressor, images, LABELS, mixed_precision=mixed) for mixed in (False, True))
    changes = [estimate.changes["zero_qkv"].ravel() for estimate in (exact, rough)]
    assert np.corrcoef(*changes)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("count", "how", "message"),
    [
        (0, {}, "needs 1 or more images"),
        (5, {"kinds": []}, "one kind or more"),
        (5, {"sources": {"mean": torch.zeros(1, 3, 224, 224)}}, "sources for no others"),
        (5, {"kinds": ["mean"]}, "needs images to average over"),
        (5, {"kinds": ["resample"], "sources": {"resample": torch.zeros(1, 3, 224, 224)}}, "one other image for each"),
    ],
)
def test_bad_input_is_named(regressor, images, count, how, message):
    with pytest.raises(CompanionError, match=message):
        attribution.linearised(regressor, images[:count], LABELS[:count], **how)


def test_the_shipped_estimates_rank_heads_as_shipped():
    ablation = reference.ablation()
    exact = ablation.exact_increase()
    estimates = attribution.AttributionEstimates.of(ablation.linearised_few())
    assert len(estimates.metrics(exact)) == 3
    assert reference.differing(estimates.metrics(exact)) == []
    table = estimates.table(exact)
    assert list(table.index) == list(estimates.by_title())
    assert table.iloc[0].to_list() == ["0.98", 144]
