from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from paper_utils.interventions import ablation
from paper_utils.interventions import protocols as protocol
from paper_utils.interventions.engine import Engine
from paper_utils.interventions.protocol_states import protocol_losses, state_losses
from paper_utils.interventions.protocols import DESCRIBED, PROTOCOLS, RELEASED, SWEEPS, TO_SCALE
from paper_utils.models.regressor import merged

LABELS = torch.tensor([[10.0, 20.0, 30.0]] * 5)
ADDS_UP = replace(DESCRIBED, restored=False)


def reported(model, images, how, **options):
    """What a protocol reports: its intact loss, and the loss after each head's ablation, (layers, heads)."""
    intact, losses = protocol_losses(state_losses(model, images, LABELS, how), how, **options)
    return intact, losses.reshape(len(model.layers), -1)


def projections(model, layer):
    attention = model.layers[layer].attention
    return [projection.weight for projection in (attention.q_proj, attention.k_proj, attention.v_proj)]


def zero(weights, rows):
    for weight in weights:
        weight[rows] = 0


def loss_of(model, images):
    with torch.no_grad():
        return ((model(images) - model.standardise(LABELS)) ** 2).mean(-1).numpy()


def test_as_described_is_the_plain_sweep(model, images):
    states = state_losses(model, images, LABELS, DESCRIBED)
    plain = ablation.plain_sweep(model, images, LABELS.numpy())
    assert states.shape == (7, 5)
    assert states.dtype == np.float32
    assert np.allclose(states[0], ablation.squared_errors(plain.baseline, plain), rtol=1e-4)
    assert np.allclose(states[1:], ablation.squared_errors(plain.ablated, plain).reshape(6, 5), rtol=1e-4)


def test_between_the_protocols_lies_each_switch_alone():
    between = list(PROTOCOLS.values())
    assert (between[0], between[-2], between[-1]) == (DESCRIBED, RELEASED, TO_SCALE)
    names = [field.name for field in fields(DESCRIBED)]
    changed = [[name for name in names if getattr(how, name) != getattr(DESCRIBED, name)] for how in between[1:-1]]
    assert changed == [*([name] for name in names), names]
    assert [name for name in names if getattr(TO_SCALE, name) != getattr(RELEASED, name)] == ["rows"]


def test_a_sweep_is_shared_where_only_batches_differ():
    assert {name: sweep for name, sweep in SWEEPS.items() if name != sweep} == {
        "zeroed after the batch": "as described"
    }
    assert list(SWEEPS) == list(PROTOCOLS)


def test_the_model_stays_as_it_was(model, images):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state_losses(model, images, LABELS, RELEASED)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_what_is_not_restored_adds_up(model, images):
    states = state_losses(model, images, LABELS, ADDS_UP)
    with torch.no_grad():
        for layer in range(2):
            zero(projections(model, layer), slice(None))
    assert np.allclose(states[-1], loss_of(model, images), rtol=1e-4)


def test_what_is_zeroed_too_late_does_not_show_in_the_first_batch(model, images):
    late = PROTOCOLS["zeroed after the batch"]
    intact, losses = reported(model, images, late, batch=5)
    assert np.allclose(losses, intact)  # one batch: nothing shows at all
    plain = ablation.plain_sweep(model, images, LABELS.numpy())
    errors = ablation.squared_errors(plain.ablated, plain)
    _, losses = reported(model, images, late, batch=1)
    assert np.allclose(losses, (loss_of(model, images)[0] + errors[..., 1:].sum(-1)) / 5, rtol=1e-4)
    assert not np.allclose(losses, errors.mean(-1), rtol=1e-3)


def test_one_row_is_one_dimension_of_the_first_head(model, images):
    states = state_losses(model, images, LABELS, replace(DESCRIBED, rows="one"))
    with torch.no_grad():
        zero(projections(model, 0), 2)
    assert np.allclose(states[3], loss_of(model, images), rtol=1e-4)


def test_rows_to_scale_keep_the_published_share():
    rows = [TO_SCALE.zeroed(head, 16) for head in range(12)]
    assert rows == [slice(row, row + 1) for row in (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2)]
    assert [TO_SCALE.zeroed(head, 64) for head in range(12)] == [RELEASED.zeroed(head, 64) for head in range(12)]
    assert DESCRIBED.zeroed(3, 16) == slice(48, 64)


def test_rows_to_scale_are_the_literal_ones_in_heads_64_wide():
    from transformers import ViTConfig, ViTModel

    from paper_utils.data.chirps import LabelScale
    from paper_utils.models.regressor import ChirpRegressor

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=128, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=32, patch_size=16
    )
    model = ChirpRegressor(ViTModel(config, add_pooling_layer=False), LabelScale(np.zeros(3), np.ones(3))).eval()
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    literal, scaled = (state_losses(model, images, LABELS[:3], how) for how in (RELEASED, TO_SCALE))
    assert np.array_equal(literal, scaled)
    assert np.ptp(literal, axis=0).min() > 0


def test_raw_labels_against_standardised_predictions(model, images):
    states = state_losses(model, images, LABELS, replace(DESCRIBED, same_units=False))
    # predictions of a few units against 10, 20 and 30
    assert states[0].mean() == pytest.approx((10**2 + 20**2 + 30**2) / 3, rel=0.4)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("order", [None, [3, 0, 4, 2, 1]])
def test_every_protocol_against_the_whole_model_run_each_time(model, images, name, batch, order):
    """Oracle: no residual stream or loss is kept, every pass runs the model from the image on, batch by batch."""
    how = PROTOCOLS[name]
    states = state_losses(model, images, LABELS, PROTOCOLS[SWEEPS[name]])
    intact, losses = protocol_losses(states, how, batch=batch, order=order)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels, labels = images / 255, model.standardise(LABELS)
    if not how.same_units:
        pixels, labels = (pixels - mean[:, None, None]) / std[:, None, None], LABELS
    if order is not None:
        pixels, labels = pixels[order], labels[order]

    def batches():
        for some, wanted in zip(pixels.split(batch), labels.split(batch), strict=True):
            yield ((model(some) - wanted) ** 2).mean().item()

    with torch.no_grad():
        assert intact == pytest.approx(np.mean(list(batches())), rel=1e-5)
        for state in range(6):
            layer, head = divmod(state, 3)
            weights = projections(model, layer)
            before = [weight.clone() for weight in weights]
            rows = {
                "whole head": slice(8 * head, 8 * head + 8),
                "one": slice(head, head + 1),
                "one, to scale": slice(0, 1),  # an eighth of three rows
            }[how.rows]
            seen = []
            if how.before_batch:
                zero(weights, rows)
            for loss in batches():
                seen.append(loss)
                zero(weights, rows)
            assert losses[state] == pytest.approx(np.mean(seen), rel=1e-5)
            if how.restored:
                for weight, value in zip(weights, before, strict=True):
                    weight.copy_(value)


@pytest.mark.parametrize("how", [DESCRIBED, ADDS_UP, RELEASED])
def test_an_engine_and_a_wrapped_model_serve_as_a_merged_one_does(model, regressor, images, how):
    states = state_losses(model, images, LABELS, how)
    assert np.allclose(states, state_losses(Engine(model), images, LABELS, how))
    assert np.allclose(
        state_losses(regressor, images, LABELS, how), state_losses(merged(regressor), images, LABELS, how)
    )


def test_batches_of_the_engine_play_no_part(model, images):
    one, all_at_once = (state_losses(Engine(model, batch=batch), images, LABELS, RELEASED) for batch in (1, 8))
    assert np.allclose(one, all_at_once, rtol=1e-5)


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


def test_bad_input_is_named(model, images):
    with pytest.raises(CompanionError, match="there are no images"):
        state_losses(model, images[:0], LABELS[:0], DESCRIBED)
    with torch.no_grad():
        model.layers[1].mlp.fc1.weight[0] = np.nan
    with pytest.raises(CompanionError, match="the model predicts something that is not a number"):
        state_losses(model, images, LABELS, DESCRIBED)
    with pytest.raises(CompanionError, match="batches of 0 images"):
        protocol_losses(np.ones((7, 5)), DESCRIBED, batch=0)
    with pytest.raises(CompanionError, match="not one of 5 images"):
        protocol_losses(np.ones((7, 5)), DESCRIBED, batch=2, order=[0, 1, 2, 3, 3])


def test_walks_of_equal_values_are_not_judged(recwarn):
    for equal in (np.zeros((3, 4)), np.full((12, 12), 2.5)):
        assert np.isnan(protocol.continuity(equal))
        assert np.isnan(protocol.lag_1_autocorrelation(equal))
    for none in (np.full((12, 12), np.nan), np.ones((1, 1))):  # no two neighbours
        assert np.isnan(protocol.lag_1_autocorrelation(none))
    assert not recwarn.list
