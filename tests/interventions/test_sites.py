"""Patching by layer, site and token against plain forward hooks, on a Vision Transformer."""

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions.engine import Engine
from paper_utils.interventions.sites import EVERY, SITES, patched_outputs
from paper_utils.models.regressor import merged

LAYERS = 2


def module_of(layer, site):
    return {"attention": layer.attention, "MLP": layer.mlp, "residual": layer}[site]


def put(output, value, position):
    """Return a module's output with that for another input at one token, or at all."""
    first = output[0] if isinstance(output, tuple) else output
    changed = first.clone()
    where = slice(None) if position is EVERY else position
    changed[:, where] = value[:, where]
    return (changed, *output[1:]) if isinstance(output, tuple) else changed


def by_hooks(run, modules, inputs, source, position):
    """Oracle: the module's output is kept for the source and put into the pass over the inputs."""
    kept = {}
    hook = modules.register_forward_hook(lambda *args: kept.update(clean=args[2]))
    run(source)
    hook.remove()
    clean = kept["clean"][0] if isinstance(kept["clean"], tuple) else kept["clean"]
    hook = modules.register_forward_hook(lambda *args: put(args[2], clean, position))
    found = run(inputs)
    hook.remove()
    return found


@pytest.mark.parametrize("position", [0, 7, EVERY])
def test_every_layer_and_site_against_hooks(regressor, images, position):
    model = merged(regressor)
    source = images.flip(0)
    found = patched_outputs(Engine(model), images, source, positions=[position])
    assert found.shape == (LAYERS, len(SITES), 1, len(images), 3)
    for layer in range(LAYERS):
        for number, site in enumerate(SITES):
            with torch.no_grad():
                expected = by_hooks(model.predict, module_of(model.layers[layer], site), images, source, position)
                assert torch.allclose(found[layer, number, 0], expected, atol=1e-3)


def test_positions_and_sites_keep_their_order(regressor, images):
    engine, source = Engine(regressor), images.flip(0)
    together = patched_outputs(engine, images, source, positions=[3, EVERY, 0], sites=["residual", "attention"])
    for number, position in enumerate([3, EVERY, 0]):
        for at, site in enumerate(["residual", "attention"]):
            alone = patched_outputs(engine, images, source, positions=[position], sites=[site])
            assert torch.allclose(together[:, at, number], alone[:, 0, 0], atol=1e-4)


def test_its_own_activations_change_nothing_and_a_whole_stream_gives_the_other_prediction(regressor, images):
    engine, source = Engine(regressor), images.flip(0)
    intact, other = engine.predict(images), engine.predict(source)
    assert np.allclose(patched_outputs(engine, images, images, positions=[2, EVERY]), intact, atol=1e-3)
    assert np.allclose(patched_outputs(engine, images, source, positions=[EVERY], sites=["residual"]), other, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": 2}, r"inputs of \(5, .* cannot be patched from \(2, .*; give two of equal length"),
        ({"sites": ["head"]}, "unknown site 'head'; choose of attention, MLP, residual"),
        ({"positions": [500]}, "no token 500: there are 197, from 0"),
    ],
)
def test_bad_input_is_named(regressor, images, change, message):
    options = {"positions": [0], "sites": SITES} | {name: value for name, value in change.items() if name != "source"}
    with pytest.raises(CompanionError, match=message):
        patched_outputs(Engine(regressor), images, images[: change.get("source", 5)], **options)
