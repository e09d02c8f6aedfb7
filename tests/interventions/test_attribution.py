import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions import AblationEffects, ablation, attribution
from paper_utils.interventions.engine import Engine
from paper_utils.models.regressor import merged

from . import reference

LABELS = np.array([[10.0, 20.0, 30.0]] * 5)


def predictions_on_the_way(model, images, layer, head, share):
    """Predictions with a head's output moved by `share` of the way to its value bias."""
    attention = model.layers[layer].attention
    rows = slice(head * 8, head * 8 + 8)

    def move(module, inputs):
        changed = inputs[0].clone()
        changed[..., rows] += share * (attention.v_proj.bias[rows] - changed[..., rows])
        return (changed,)

    hook = attention.o_proj.register_forward_pre_hook(move)
    try:
        with torch.no_grad():
            return model.double().predict(images.double() / 255).numpy()
    finally:
        hook.remove()
        model.float()


def test_changes_are_the_slope_on_the_way_to_the_ablation(regressor, images):
    estimate = attribution.linearised(regressor, images, LABELS)
    plain = merged(regressor)
    plain.forward = lambda pixels: plain.head(plain.vit(pixel_values=pixels).last_hidden_state[:, 0])
    for layer, head in ((0, 0), (0, 2), (1, 1)):
        ahead, behind = (predictions_on_the_way(plain, images, layer, head, share) for share in (1e-3, -1e-3))
        slope = (ahead - behind) / 2e-3
        change = estimate.ablated[layer, head] - estimate.baseline
        assert np.allclose(change, slope, rtol=2e-2, atol=2e-2)


def test_a_linear_model_is_estimated_exactly(regressor, images):
    """What the last layer's heads put out reaches the outputs through LayerNorm, MLP and head; made linear, it is exact."""
    model = merged(regressor)
    last = model.layers[-1]
    last.mlp = Zero()
    model.vit.layernorm = torch.nn.Identity()
    model.head = torch.nn.Linear(24, 3)
    exact = Engine(model).sweep(images)[1]
    estimate = attribution.linearised(model, images, LABELS)
    assert np.allclose(estimate.ablated[-1], exact[-1], atol=1e-3)


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
    changes = [(e.ablated - e.baseline).ravel() for e in (exact, rough)]
    assert np.corrcoef(*changes)[0, 1] > 0.99


def test_no_image_is_named(regressor, images):
    with pytest.raises(CompanionError, match="needs 1 or more images"):
        attribution.linearised(regressor, images[:0], LABELS[:0])


def test_the_shipped_estimates_rank_heads_as_shipped():
    exact = AblationEffects.of(reference.ablation()).increase
    estimates = attribution.AttributionEstimates.of(reference.ablation("attribution"))
    assert len(estimates.metrics(exact)) == 3
    assert reference.differing(estimates.metrics(exact)) == []
    table = estimates.table(exact)
    assert list(table.index) == list(estimates.by_title())
    assert table.iloc[0].to_list() == ["0.98", 144]
