from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from paper_utils.interventions import ablation
from paper_utils.interventions import protocols as protocol
from paper_utils.interventions.protocols import DESCRIBED, RELEASED
from paper_utils.models.regressor import merged

LABELS = torch.tensor([[10.0, 20.0, 30.0]] * 5)


def zeroed_by_hand(model, images):
    """Predictions without each head, and what `squared_errors` needs to judge them."""
    plain = ablation.plain_sweep(model, images, LABELS.numpy())
    return plain.ablated, plain


@pytest.fixture
def model(regressor):
    return merged(regressor)


def test_as_described_is_the_plain_sweep(model, images):
    intact, losses = protocol.loss_sweep(model, images, LABELS, DESCRIBED, batch=5)
    plain = ablation.plain_sweep(model, images, LABELS.numpy())
    assert intact == pytest.approx(ablation.squared_errors(plain.baseline, plain).mean(), rel=1e-4)
    assert np.allclose(losses, ablation.squared_errors(plain.ablated, plain).mean(-1), rtol=1e-4)


def test_between_the_protocols_lies_each_switch_alone():
    between = list(protocol.PROTOCOLS.values())
    assert (between[0], between[-1]) == (DESCRIBED, RELEASED)
    changed = [[field.name for field in fields(p) if not getattr(p, field.name)] for p in between[1:-1]]
    assert changed == [[field.name] for field in fields(DESCRIBED)]


def test_the_model_stays_as_it_was(model, images):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    protocol.loss_sweep(model, images, LABELS, RELEASED, batch=2)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_what_is_not_restored_adds_up(model, images):
    _, losses = protocol.loss_sweep(model, images, LABELS, replace(DESCRIBED, restored=False), batch=5)
    with torch.no_grad():
        for layer in model.layers:
            for projection in (layer.attention.q_proj, layer.attention.k_proj, layer.attention.v_proj):
                projection.weight.zero_()
        error = ((model(images) - model.standardise(LABELS)) ** 2).mean()
    assert losses[-1, -1] == pytest.approx(float(error), rel=1e-4)


def test_what_is_zeroed_too_late_does_not_show_in_the_first_batch(model, images):
    late = replace(DESCRIBED, before_batch=False)
    intact, losses = protocol.loss_sweep(model, images, LABELS, late, batch=5)
    assert np.allclose(losses, intact)  # one batch: nothing shows at all
    by_image = protocol.intact_losses(model, images, LABELS, DESCRIBED)
    plain = ablation.squared_errors(*zeroed_by_hand(model, images))
    _, losses = protocol.loss_sweep(model, images, LABELS, late, batch=1)
    assert np.allclose(losses, (by_image[0] + plain[..., 1:].sum(-1)) / 5, rtol=1e-4)
    assert not np.allclose(losses, plain.mean(-1), rtol=1e-3)


def test_one_row_is_one_dimension_of_the_first_head(model, images):
    _, losses = protocol.loss_sweep(model, images, LABELS, replace(DESCRIBED, whole_head=False), batch=5)
    attention = model.layers[0].attention
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight[2] = 0
        error = ((model(images) - model.standardise(LABELS)) ** 2).mean()
    assert losses[0, 2] == pytest.approx(float(error), rel=1e-4)


def test_raw_labels_against_standardised_predictions(model, images):
    intact, _ = protocol.loss_sweep(model, images, LABELS, replace(DESCRIBED, same_units=False), batch=5)
    # predictions of a few units against 10, 20 and 30
    assert intact == pytest.approx((10**2 + 20**2 + 30**2) / 3, rel=0.4)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("name", protocol.PROTOCOLS)
def test_every_protocol_against_the_whole_model_run_each_time(model, images, name, batch):
    """Oracle: no residual stream is kept, every pass runs the model from the image on, batch by batch."""
    how = protocol.PROTOCOLS[name]
    intact, losses = protocol.loss_sweep(model, images, LABELS, how, batch=batch)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels, labels = images / 255, model.standardise(LABELS)
    if not how.same_units:
        pixels, labels = (pixels - mean[:, None, None]) / std[:, None, None], LABELS

    def batches():
        for some, wanted in zip(pixels.split(batch), labels.split(batch), strict=True):
            yield ((model(some) - wanted) ** 2).mean().item()

    with torch.no_grad():
        assert intact == pytest.approx(np.mean(list(batches())), rel=1e-5)
        for layer in range(2):
            attention = model.layers[layer].attention
            weights = [projection.weight for projection in (attention.q_proj, attention.k_proj, attention.v_proj)]
            for head in range(3):
                before = [weight.clone() for weight in weights]
                rows = slice(8 * head, 8 * head + 8) if how.whole_head else slice(head, head + 1)
                seen = []
                if how.before_batch:
                    zero(weights, rows)
                for loss in batches():
                    seen.append(loss)
                    zero(weights, rows)
                assert losses[layer, head] == pytest.approx(np.mean(seen), rel=1e-5)
                if how.restored:
                    for weight, value in zip(weights, before, strict=True):
                        weight.copy_(value)


def zero(weights, rows):
    for weight in weights:
        weight[rows] = 0


@pytest.mark.parametrize("how", [DESCRIBED, RELEASED])
def test_the_intact_loss_is_the_mean_over_images(model, images, how):
    intact, _ = protocol.loss_sweep(model, images, LABELS, how, batch=5)
    assert protocol.intact_losses(model, images, LABELS, how, batch=2).mean() == pytest.approx(intact, rel=1e-5)


def test_the_released_protocol_differs_in_every_switch():
    assert all(getattr(DESCRIBED, field.name) and not getattr(RELEASED, field.name) for field in fields(DESCRIBED))


def test_fingerprints_of_a_walk_and_of_noise():
    rng = np.random.default_rng(0)
    noise, walk = rng.normal(size=(12, 12)), np.cumsum(rng.normal(size=144)).reshape(12, 12)
    assert abs(protocol.lag_1_autocorrelation(noise)) < 0.25
    assert protocol.lag_1_autocorrelation(walk) > 0.9
    assert protocol.continuity(noise) == pytest.approx(1, abs=0.5)
    assert protocol.continuity(walk) < 0.3
    noise[0, 3], noise[11, 5] = 1e4, 1e3  # two heads far above the others change nothing of what the rest are
    assert protocol.continuity(noise) == pytest.approx(1, abs=0.5)


def test_the_published_figure_is_a_slow_walk():
    path = ROOT / "data" / "published_figure4.csv"
    published = np.genfromtxt(path, delimiter=",", skip_header=1)[:, 1:]
    assert protocol.lag_1_autocorrelation(published) == pytest.approx(0.992, abs=0.003)
    assert protocol.continuity(published) < 0.2


def test_bad_input_is_named(model, regressor, images):
    with pytest.raises(CompanionError, match="there are no images"):
        protocol.loss_sweep(model, images[:0], LABELS[:0], DESCRIBED)
    with pytest.raises(CompanionError, match="LoRA-wrapped; give it merged"):
        protocol.loss_sweep(regressor, images, LABELS, DESCRIBED)
