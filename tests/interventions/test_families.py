"""Every family by the engine, attribution patching and maps, against hooks on the model that transformers alone has read."""

import numpy as np
import pytest
import torch

from paper_utils.attention.maps import attention_maps
from paper_utils.interventions import engine as engine_module
from paper_utils.interventions.ablation import head_zeroed, plain_sweep
from paper_utils.interventions.attribution import linearised
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.interventions.protocol_states import state_losses
from paper_utils.interventions.protocols import DESCRIBED
from paper_utils.models.regressor import build_regressor
from tests.conftest import SCALE
from tests.families import KINDS as FAMILIES
from tests.families import new_model, plain

LABELS = np.array([[10.0, 20.0, 30.0]] * 3)


class Case:
    """A regressor on a family's model, and the same model by transformers alone."""

    def __init__(self, kind, folder):
        new_model(kind).save_pretrained(folder)
        self.model = build_regressor(str(folder), SCALE, seed=0, trained="head").eval()
        self.plain = plain(folder, kind)
        config = self.model.vit.config
        self.heads, self.size = config.num_attention_heads, 24 // config.num_attention_heads
        shape = (3, 3, config.image_size, config.image_size)
        self.images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
        self.source = self.images.flip(0)

    def rows(self, head):
        return slice(head * self.size, (head + 1) * self.size)

    def predict(self, images):
        """Predictions of the plain model under the regressor's head."""
        return self.model.head(self.plain.read(images / 255)) * self.model.label_std + self.model.label_mean

    def outputs(self, images):
        """What enters the output projection of each layer, (n, tokens, width)."""
        seen = []
        with torch.no_grad(), self.plain.heads_replaced(lambda number, z: seen.append(z) or z):
            self.plain.read(images / 255)
        return seen

    def constants(self, kind):
        """What each layer's heads put out instead, (n or 1, tokens or 1, width)."""
        if kind == "zero_qkv":
            return [attention.v_proj.bias.detach()[None, None] for attention in self.plain.attentions]
        if kind == "zero":
            return [torch.zeros(1, 1, 24)] * 2
        outputs = self.outputs(self.source)
        return outputs if kind == "resample" else [z.mean(0, keepdim=True) for z in outputs]

    def replaced(self, heads, kind):
        """Predictions with heads replaced by hooks."""
        constants = self.constants(kind)

        def replace(number, z):
            changed = z.clone()
            for _, head in [one for one in heads if one[0] == number]:
                changed[..., self.rows(head)] = constants[number].expand_as(z)[..., self.rows(head)]
            return changed

        with torch.no_grad(), self.plain.heads_replaced(replace):
            return self.predict(self.images).numpy()

    def source_of(self, kind):
        return self.source if kind in ("mean", "resample") else None


@pytest.fixture(scope="module", params=FAMILIES)
def case(request, tmp_path_factory):
    return Case(request.param, tmp_path_factory.mktemp(request.param))


def close(found, expected):
    return np.allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_against_hooks(case, kind):
    engine = Engine(case.model, batch=2, rows=4)
    intact, swept = engine.sweep(case.images, kind=kind, source=case.source_of(kind))
    with torch.no_grad():
        assert close(intact, case.predict(case.images).numpy())
    for index in np.ndindex(2, case.heads):
        expected = case.replaced([index], kind)
        assert close(swept[index], expected)
        assert np.abs(expected - intact).max() > 1e-3
    both = [(0, 1), (1, 0)]
    assert close(engine.predict(case.images, both, kind=kind, source=case.source_of(kind)), case.replaced(both, kind))


def test_everything_is_computed_on_the_device(case, monkeypatch):
    """Torch's device without numbers refuses most sums of its tensors with others, as a GPU does."""
    monkeypatch.setattr(engine_module, "_finite_array", lambda predictions: predictions)
    intact, swept = Engine(case.model, device="meta").sweep(case.images)
    assert [intact.device.type, swept.device.type] == ["meta"] * 2


def test_zeroed_weights_are_the_replacement_by_the_value_bias(case):
    """Oracle: rows of the plain model's weights set to zero."""
    _, swept = Engine(case.model).sweep(case.images)
    assert close(plain_sweep(case.model, case.images, LABELS).ablated, swept)
    attention, rows = case.plain.attentions[1], case.rows(1)
    with torch.no_grad():
        before = [one.weight.clone() for one in (attention.q_proj, attention.k_proj, attention.v_proj)]
        for one in (attention.q_proj, attention.k_proj, attention.v_proj):
            one.weight[rows] = 0
        expected = case.predict(case.images).numpy()
        for one, weight in zip((attention.q_proj, attention.k_proj, attention.v_proj), before, strict=True):
            one.weight.copy_(weight)
        with head_zeroed(case.model, 1, 1):
            assert close(case.model.predict(case.images).numpy(), expected)
    assert close(swept[1, 1], expected)


def test_protocols_go_through_the_same_states(case):
    intact, swept = Engine(case.model).sweep(case.images)
    losses = state_losses(case.model, case.images, LABELS, DESCRIBED)
    expected = ((np.concatenate([intact[None], swept.reshape(-1, 3, 3)]) - LABELS) / SCALE.std) ** 2
    assert np.allclose(losses, expected.mean(-1), rtol=1e-4)


@pytest.mark.parametrize("index", [(0, 1), (1, 0)])
def test_linearised_changes_are_gradients_of_the_plain_model(case, index):
    """Oracle: autograd through what enters the plain model's output projection."""
    seen = {}

    def keep(number, z):
        if number == index[0]:
            seen["z"] = z.detach().requires_grad_()
            return seen["z"]
        return z

    with case.plain.heads_replaced(keep):
        predictions = case.predict(case.images)
    gradients = [torch.autograd.grad(predictions[:, k].sum(), seen["z"], retain_graph=True)[0] for k in range(3)]
    for kind in KINDS:
        change = (case.constants(kind)[index[0]] - seen["z"].detach())[..., case.rows(index[1])]
        expected = torch.stack([(one[..., case.rows(index[1])] * change).sum((1, 2)) for one in gradients], dim=-1)
        sources = {kind: case.source} if case.source_of(kind) is not None else {}
        found = linearised(case.model, case.images, LABELS, kinds=[kind], sources=sources)
        assert np.allclose(found.changes[kind][index], expected.numpy(), rtol=1e-4, atol=1e-4)


def test_maps_are_attention_on_patches(case):
    """Oracle: the attentions and hidden states that the plain model returns."""
    maps = attention_maps(case.model, case.images, batch=2)
    case.plain.vit.set_attn_implementation("eager")
    with torch.no_grad():
        output = case.plain.run(case.images / 255, output_attentions=True, output_hidden_states=True)
    case.plain.vit.set_attn_implementation("sdpa")
    first = case.plain.not_patches
    full = torch.stack(output.attentions, dim=1).numpy()
    side = round((full.shape[-1] - first) ** 0.5)
    patches = full[..., first:, first:].mean(-2).reshape(3, 2, case.heads, side, side)
    cls = full[..., 0, first:].reshape(patches.shape) if first else patches
    assert np.allclose(maps.patches, patches, atol=1e-6)
    assert np.allclose(maps.cls, cls, atol=1e-6)
    lengths = output.hidden_states[1][:, first:].norm(dim=-1).reshape(3, side, side).numpy()
    assert np.allclose(maps.norms[:, 0], lengths, rtol=1e-4)
