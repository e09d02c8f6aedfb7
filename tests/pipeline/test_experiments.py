import numpy as np

from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.interventions.engine import KINDS, Engine
from paper_utils.interventions.protocols import PROTOCOLS
from paper_utils.pipeline import experiments
from paper_utils.pipeline.selection import drawn


def test_experiments_are_computed_once_and_have_their_shapes(run, model):
    ablation = experiments.ablation(run, model)
    assert ablation.ablated.shape == (2, 3, 8, 3)
    assert np.array_equal(experiments.ablation(run, model).ablated, ablation.ablated)
    assert experiments.screening(run, model).ablated.shape == (2, 3, 8, 3)
    assert {kind: values.shape for kind, values in experiments.replacements(run, model).items()} == dict.fromkeys(
        KINDS, (2, 3)
    )
    removals = experiments.removals(run, model)
    assert removals.pop("counts")[-1] == 6
    whole = {values[0] for values in removals.values()}, {round(values[-1], 4) for values in removals.values()}
    assert [len(ends) for ends in whole] == [1, 1]  # no head and every head removed are the same in any order
    swept = experiments.protocols(run, model)
    assert list(swept) == list(PROTOCOLS)
    assert all(values.shape == (2, 3) for _, values in swept.values())


def test_variants_and_patching_against_the_engine(run, model):
    predictions = experiments.variant_predictions(run, model)
    assert set(predictions) == {"labels", *VARIANTS}
    found = experiments.patching(run, model)
    engine = Engine(model)
    clean, distorted = (drawn(run, np.arange(2), variant=name)[0] for name in experiments.PATCHED["the chirp"])
    assert np.allclose(found["the chirp clean"], engine.predict(clean), atol=1e-3)
    expected = engine.predict(distorted, [(1, 2)], kind="resample", source=clean)
    assert np.allclose(found["the chirp heads"][1, 2], expected, atol=1e-3)
    layer = engine.predict(distorted, [(0, head) for head in range(3)], kind="resample", source=clean)
    assert np.allclose(found["the chirp layers"][0], layer, atol=1e-3)


def test_controls_share_the_head_and_nothing_else(run, model):
    for other in experiments.controls(run, model).values():
        assert all((a == b).all() for a, b in zip(other.head.parameters(), model.head.parameters(), strict=True))
        assert not np.allclose(
            other.vit.layers[0].attention.q_proj.weight.detach(), model.vit.layers[0].attention.q_proj.weight.detach()
        )
