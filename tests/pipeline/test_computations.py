"""Stages on the golden inputs, against the engine or plain sums."""

import numpy as np
import pytest
import torch

from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.interventions.ablation import Ablation, plain_sweep
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.interventions.protocols import PROTOCOLS
from paper_utils.pipeline import computations, probes
from paper_utils.pipeline.selection import select
from paper_utils.training.evaluation import Evaluation


@pytest.fixture
def work():
    return probes.golden()


def test_the_sweep_is_the_plain_one_on_the_selected_images(work):
    found = Ablation(**computations.ablation(work))
    selected = select(work, Evaluation(**work.arrays("pool")))
    plain = plain_sweep(work.model(), selected["images"], selected["labels"])
    assert np.allclose(found.ablated, plain.ablated, atol=1e-3)
    assert np.array_equal(found.weights, selected["weights"])


def test_replacements_are_of_every_kind_and_the_zeroed_one_is_that_of_the_sweep(work):
    found = computations.replacements(work)
    assert found.keys() == set(KINDS)
    assert np.allclose(found["zero_qkv"], computations.increase(Ablation(**work.arrays("ablation"))))


def test_all_orders_of_removal_start_and_end_alike(work):
    found = computations.removals(work)
    counts = found.pop("counts")
    assert counts.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6][::2]
    for index in (0, -1):
        assert np.allclose([losses[index] for losses in found.values()], found["from layer 1 on"][index])


def test_protocols_hold_a_loss_for_each_head_and_the_intact_one(work):
    found = computations.protocols(work)
    assert list(found) == list(PROTOCOLS)
    assert {len(losses) for losses in found.values()} == {7}
    images, labels = work.images(np.arange(work.profile.protocol_images))
    with torch.inference_mode():
        expected = ((work.model()(images) - work.model().standardise(torch.from_numpy(labels))) ** 2).mean()
    assert found["as described"][-1] == pytest.approx(float(expected), rel=1e-4)


def test_variants_and_patching_are_those_of_the_engine(work):
    assert set(computations.variant_predictions(work)) == {"labels", *VARIANTS}
    found, engine = computations.patching(work), Engine(work.model())
    indices = np.arange(work.profile.patching_images)
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
