"""Stages on the golden inputs, against the engine or plain sums."""

import numpy as np
import pytest
import torch

from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.interventions.ablation import plain_sweep
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.interventions.estimated import EstimatedAblation
from paper_utils.interventions.protocols import SWEEPS
from paper_utils.pipeline import computations, probes


@pytest.fixture(scope="module")
def work():
    return probes.golden()


@pytest.fixture(scope="module")
def exact(work):
    return computations.ablation(work)


@pytest.fixture(scope="module")
def linear(work):
    return computations.attribution(work)


def test_the_sweep_is_the_plain_one_on_the_few_images(work, exact):
    some = computations.chosen(work)
    plain = plain_sweep(work.model(), *work.images(some.few_indices))
    assert np.allclose(exact["ablated"], plain.ablated, atol=1e-3)
    assert np.array_equal(exact["weights"], some.few_weights)


def test_exact_and_linearised_are_of_the_same_images(work, exact, linear):
    few = exact["positions"]
    assert np.array_equal(exact["labels"], linear["labels"][few])
    assert np.allclose(exact["baseline"], linear["baseline"][few], atol=1e-3)
    assert np.allclose(exact["weights"], linear["weights"][few] * exact["choice"])
    assert linear["zero_qkv"].shape == (2, 3, work.profile.linearised_images, 3)
    assert EstimatedAblation.of(exact, linear).ablated().shape == (2, 3, work.profile.linearised_images)


def test_the_last_layers_linearised_change_is_near_the_exact_one(exact, linear):
    change = exact["ablated"] - exact["baseline"]
    first = linear["zero_qkv"][:, :, exact["positions"]].astype(np.float32)
    assert np.corrcoef(change[-1].ravel(), first[-1].ravel())[0, 1] > 0.9


def test_replacements_are_of_every_other_kind_on_the_few(work, exact):
    found = computations.replacements(work)
    assert found.keys() == set(KINDS) - {"zero_qkv"}
    engine, some = Engine(work.model()), computations.chosen(work)
    images, labels = work.images(some.few_indices)
    without = engine.predict(images, [(1, 2)], kind="zero")
    unit = work.model().label_std.numpy()
    errors = [(((part - labels) / unit) ** 2).mean(-1) * some.few_weights for part in (without, engine.predict(images))]
    assert np.allclose(found["zero"][1, 2], errors[0] - errors[1], atol=1e-4)


def test_removals_start_from_the_intact_model_and_end_alike(work):
    found = computations.removals(work)
    names = [name for name in found if f"counts of {name}" in found]
    assert {"least important first", "from layer 1 on", "random 1"} <= set(names)
    whole = [found[name] for name in ("least important first", "from layer 1 on", "random 1")]
    for errors in whole:
        assert np.allclose(errors[0], found["intact"], rtol=1e-4)
        assert np.allclose(errors[-1], whole[0][-1], rtol=1e-4)


def test_protocols_hold_a_loss_of_each_image_in_each_state(work):
    found = computations.protocols(work)
    assert list(found) == list(dict.fromkeys(SWEEPS.values()))
    assert {losses.shape for losses in found.values()} == {(7, work.profile.common_images)}
    images, labels = work.images(np.arange(work.profile.common_images))
    with torch.inference_mode():
        expected = ((work.model()(images) - work.model().standardise(torch.from_numpy(labels))) ** 2).mean(-1)
    assert np.allclose(found["as described"][0], expected.numpy(), rtol=1e-4)


def test_variants_and_patching_are_those_of_the_engine(work):
    assert set(computations.variant_predictions(work)) == {"labels", *VARIANTS}
    found, engine = computations.patching(work), Engine(work.model())
    indices = np.arange(work.profile.common_images)
    clean, distorted = (work.images(indices, variant=name)[0] for name in computations.PATCHED["the chirp"])
    assert np.allclose(found["the chirp clean"], engine.predict(clean), atol=1e-3)
    one = engine.predict(distorted, [(1, 2)], kind="resample", source=clean)
    assert np.allclose(found["the chirp heads"][1, 2], one, atol=1e-3)
    layer = engine.predict(distorted, [(0, head) for head in range(3)], kind="resample", source=clean)
    assert np.allclose(found["the chirp layers"][0], layer, atol=1e-3)


def test_control_models_share_the_head_and_nothing_else(work):
    model = work.model()
    for other in computations.controls(work).values():
        assert all((a == b).all() for a, b in zip(other.head.parameters(), model.head.parameters(), strict=True))
        own, others = (one.vit.layers[0].attention.q_proj.weight.detach() for one in (model, other))
        assert not np.allclose(own, others)


def test_controls_keep_every_number_of_a_matrix_and_little_else(work):
    controls = computations.controls(work)
    assert len(controls) == 1 + 2 * computations.DRAWS
    own = work.model()
    for name, model in controls.items():
        if name == "before fine-tuning":
            continue
        for key, after in model.vit.named_parameters():
            before = own.vit.get_parameter(key)
            assert torch.equal(after.flatten().sort().values, before.flatten().sort().values)
            chosen = key.endswith("weight") and before.ndim > 1
            if name.startswith("queries"):
                chosen = chosen and ("q_proj" in key or "k_proj" in key)
            assert torch.equal(after, before) != chosen, (name, key)
    first, second = (controls[f"weights shuffled, draw {draw}"].vit.state_dict() for draw in (1, 2))
    assert not all(torch.equal(first[key], second[key]) for key in first)
