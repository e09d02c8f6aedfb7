"""Effects of heads on a metric of one's own, against hooks on models that transformers alone computes."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from paper_utils.errors import CompanionError
from paper_utils.interventions import engine as engine_module
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.interventions.own_metric import (
    MetricByHead,
    ablate_heads,
    attribute_heads,
    cross_entropy,
    logit_difference,
    sweep_heads,
)
from paper_utils.models.adapted import adapt
from tests.classifiers import NAMES, classifier, close

LABELS = torch.tensor([4, 0, 2])


class Case:
    """A model of a user's, adapted once."""

    def __init__(self, name):
        self.user = classifier(name)
        self.model = adapt(self.user.model)
        self.images = self.user.images()
        self.heads = [(layer, head) for layer in range(2) for head in range(self.user.heads)]

    def source(self, kind):
        return self.images.flip(0) if kind in ("mean", "resample") else None

    @torch.no_grad()
    def replaced(self, heads, kind="zero_qkv"):
        return self.user.replaced(self.images, heads, self.user.constants(kind, self.source(kind)))


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    return Case(request.param)


@pytest.fixture(scope="module")
def vit():
    return Case("ViTForImageClassification")


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_against_hooks(case, kind):
    source = case.source(kind)
    intact, swept = Engine(case.model, batch=2, rows=4).sweep(case.images, kind=kind, source=source)
    with torch.no_grad():
        assert close(torch.from_numpy(intact), case.user.outputs(case.images))
    found = sweep_heads(case.model, case.images, LABELS, cross_entropy, kind=kind, source=source)
    for index in case.heads:
        expected = case.replaced([index], kind)
        assert close(torch.from_numpy(swept[index]), expected)
        losses = functional.cross_entropy(expected, LABELS, reduction="none").numpy()
        assert np.allclose(found.replaced[index], losses, rtol=1e-4, atol=1e-5)
        assert np.abs(losses - found.intact).max() > 1e-4
    both = [(0, 1), (1, 0)]
    assert close(ablate_heads(case.model, case.images, both, kind=kind, source=source), case.replaced(both, kind))


@pytest.mark.parametrize("kind", ["zero_qkv", "mean"])
@pytest.mark.parametrize("metric", [cross_entropy, lambda outputs, labels: outputs[:, 1] ** 2])
def test_attribution_is_the_gradient_through_the_users_model(case, kind, metric):
    """Oracle: autograd through what enters the output projections of the model that transformers computes."""
    seen = []

    def keep(number, z):
        seen.append(z.detach().requires_grad_())
        return seen[-1]

    constants = case.user.constants(kind, case.source(kind))
    found = attribute_heads(case.model, case.images, LABELS, metric, kind=kind, source=case.source(kind))
    for layer in range(2):
        seen.clear()
        with case.user.plain.heads_replaced(lambda number, z, layer=layer: keep(number, z) if number == layer else z):
            values = metric(case.user.outputs(case.images), LABELS)
        (gradient,) = torch.autograd.grad(values.sum(), seen)
        change = (gradient * (constants[layer] - seen[0])).unflatten(-1, (case.user.heads, -1)).sum((1, 3)).T
        change = change.detach()
        estimate = found.replaced[layer] - found.intact
        assert np.allclose(estimate, change, rtol=1e-3, atol=1e-5 * float(change.abs().max()) + 1e-6)
        assert np.abs(estimate).max() > 1e-5


def test_everything_is_computed_on_the_device(case, monkeypatch):
    """Torch's device without numbers refuses most sums of its tensors with others, as a GPU does."""
    monkeypatch.setattr(engine_module, "_finite_array", lambda predictions: predictions)
    intact, swept = Engine(case.model, device="meta").sweep(case.images)
    assert [intact.device.type, swept.device.type] == ["meta"] * 2
    assert swept.shape == (2, case.user.heads, 3, 5)


def test_a_regressor_is_measured_in_its_own_units(model, images):
    labels = np.array([[10.0, 20.0, 30.0]] * 5)

    def error_of_start(outputs, labels):
        return (outputs - labels)[:, 0] ** 2

    found = sweep_heads(model, images, labels, error_of_start)
    intact, swept = Engine(model).sweep(images)
    assert np.allclose(found.intact, (intact[:, 0] - 10) ** 2, rtol=1e-4)
    assert np.allclose(found.replaced, (swept[..., 0] - 10) ** 2, rtol=1e-4)


def test_logit_difference_is_of_two_classes():
    outputs = torch.tensor([[1.0, 5.0, 2.0], [0.5, 0.0, -1.0]])
    assert logit_difference(outputs, torch.tensor([[1, 0], [2, 0]])).tolist() == [4.0, -1.5]


@pytest.mark.parametrize("kind", [np.int32, np.uint8, list])
def test_classes_by_numbers_of_other_types(kind):
    """Outputs as `run_with_hooks` returns them."""
    outputs = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    numbers = LABELS.tolist() if kind is list else LABELS.numpy().astype(kind)
    found = cross_entropy(outputs, numbers)
    assert torch.equal(found, functional.cross_entropy(torch.from_numpy(outputs), LABELS, reduction="none"))


@pytest.mark.parametrize("metric", [cross_entropy, logit_difference])
@pytest.mark.parametrize("outputs", [None, torch.zeros(3), "logits"])
def test_outputs_that_are_no_logits(metric, outputs):
    with pytest.raises(CompanionError, match="outputs (are|have the shape)"):
        metric(outputs, LABELS)


@pytest.mark.parametrize("work", [sweep_heads, attribute_heads])
def test_images_beyond_one_batch_are_measured_alike(vit, work):
    images = vit.user.images(70)
    labels = torch.arange(70) % 5
    others = images.flip(0)
    whole = work(vit.model, images, labels, cross_entropy, kind="resample", source=others)
    some = slice(60, 70)
    part = work(vit.model, images[some], labels[some], cross_entropy, kind="resample", source=others[some])
    assert np.allclose(whole.intact[some], part.intact, rtol=1e-4)
    assert np.allclose(whole.replaced[..., some], part.replaced, rtol=1e-4)


def test_a_metric_with_weights_is_measured(vit):
    probe = torch.nn.Linear(vit.model.outputs, 1)
    found = sweep_heads(vit.model, vit.images, LABELS, lambda outputs, labels: probe(outputs)[:, 0])
    with torch.no_grad():
        assert np.allclose(found.intact, probe(vit.model(vit.images))[:, 0], rtol=1e-4, atol=1e-5)


def test_a_metric_that_counts_is_measured(vit):
    found = sweep_heads(vit.model, vit.images, LABELS, lambda outputs, labels: outputs.argmax(-1) == labels)
    assert set(np.unique(found.replaced)) <= {0.0, 1.0}


def test_table_names_heads_by_both_conventions():
    change = np.zeros((2, 3, 8))
    change[1, 2] = -2 + np.linspace(-0.1, 0.1, 8)
    change[0, 1] = 1
    found = MetricByHead(np.ones(8), 1 + change).table(rows=2)
    assert list(found.index) == ["L2H3", "L1H2"]
    assert list(found["Hook"]) == ["blocks.1.attn.hook_z", "blocks.0.attn.hook_z"]
    assert list(found["Head index"]) == [2, 1]
    assert list(found["Change of the metric"]) == ["-2.00", "1.00"]
    assert found.loc["L1H2", "95 % interval"] == "1.00 to 1.00"
    assert (found["Images"] == 8).all()
    assert isinstance(found, pd.DataFrame)


@pytest.mark.parametrize(
    ("labels", "metric", "said"),
    [
        (LABELS, functional.cross_entropy, r"returned \(\) for 3 images; .* reduction='none'"),
        (LABELS, lambda outputs, labels: 0.5, "returned float for 3 images"),
        (LABELS, lambda outputs, labels: outputs, r"returned \(3, 5\)"),
        (LABELS, lambda outputs, labels: outputs[:, 0] / 0, "not a number for some image"),
        (LABELS, lambda outputs, labels: outputs[:, 0] + 1j, r"returned torch.complex64; .* real numbers"),
        (LABELS, "accuracy", "the metric is 'accuracy'; give a function such as cross_entropy"),
        (LABELS[:2], cross_entropy, "not of 3 images"),
        (torch.tensor(1), cross_entropy, r"labels of shape \(\) are not of 3 images"),
        (torch.tensor([4, 0, 5]), cross_entropy, "there is no class 5: there are 5, from 0"),
        (torch.tensor([4, -100, 2]), cross_entropy, "there is no class -100"),
        (
            LABELS.float(),
            cross_entropy,
            r"labels are torch.float32 \(3,\); give numbers of classes as torch.int64 \(3,\)",
        ),
        (LABELS[:, None], cross_entropy, r"labels are torch.int64 \(3, 1\)"),
        ([[4, 0], [0, 5], [2, 1]], logit_difference, "there is no class 5"),
        (LABELS, logit_difference, r"labels are torch.int64 \(3,\); .* \(3, 2\)"),
        ("cat", cross_entropy, "labels are 'cat'; give a tensor, or numbers for one"),
        (["cat", "dog", "cow"], cross_entropy, r"labels are \['cat', 'dog', 'cow'\]; give a tensor"),
        (None, cross_entropy, "labels are None; give a tensor"),
        ([[1], [1, 2], [3]], cross_entropy, r"labels are \[\[1\], \[1, 2\], \[3\]\]; give a tensor"),
    ],
)
@pytest.mark.parametrize("work", [sweep_heads, attribute_heads])
def test_metrics_and_labels_that_do_not_fit(vit, work, labels, metric, said):
    with pytest.raises(CompanionError, match=said):
        work(vit.model, vit.images, labels, metric)


def test_attribution_needs_a_gradient(vit):
    with pytest.raises(CompanionError, match="no gradient"):
        attribute_heads(vit.model, vit.images, LABELS, lambda outputs, labels: outputs.argmax(-1) == labels)


@pytest.mark.parametrize("kind", [None, 3, "halve"])
def test_kinds_that_are_not_there(vit, kind):
    with pytest.raises(CompanionError, match="unknown replacement"):
        ablate_heads(vit.model, vit.images, [(0, 1)], kind=kind)


def test_no_image(vit):
    with pytest.raises(CompanionError, match="1 or more images"):
        sweep_heads(vit.model, vit.images[:0], LABELS[:0], cross_entropy)
