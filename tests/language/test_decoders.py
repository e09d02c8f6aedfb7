"""Language models followed half a layer at a time, against transformers' own pass and plain forward hooks."""

import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions.sites import EVERY, SITES, patched_outputs
from paper_utils.language.decoders import decoder

MODELS = pytest.mark.parametrize("name", ["llama", "gpt2"])


@pytest.fixture
def model(name, request):
    return request.getfixturevalue(name)


@pytest.fixture(scope="module")
def texts():
    """Two batches of four texts of nine tokens that differ in tokens 3 and 4."""
    clean = torch.randint(0, 40, (4, 9), generator=torch.Generator().manual_seed(2))
    corrupted = clean.clone()
    corrupted[:, 3:5] = (corrupted[:, 3:5] + 7) % 40
    return clean, corrupted


def layers_of(model):
    return model.model.layers if hasattr(model, "model") else model.transformer.h


def module_of(layer, site):
    return {
        "attention": getattr(layer, "self_attn", None) or getattr(layer, "attn", None),
        "MLP": layer.mlp,
        "residual": layer,
    }[site]


def first_of(output):
    return output[0] if isinstance(output, tuple) else output


def by_hooks(model, module, inputs, source, position):
    """Oracle: the module's output is kept for the source and put into transformers' own pass over the inputs."""
    kept = {}
    hook = module.register_forward_hook(lambda *args: kept.update(clean=first_of(args[2])))
    model(source)
    hook.remove()

    def put(module, args, output):
        changed = first_of(output).clone()
        where = slice(None) if position is EVERY else position
        changed[:, where] = kept["clean"][:, where]
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    hook = module.register_forward_hook(put)
    logits = model(inputs).logits
    hook.remove()
    return logits[:, -1]


@MODELS
def test_outputs_are_the_logits_of_the_model(model, texts):
    expected = model(texts[0]).logits
    assert torch.allclose(decoder(model).outputs(texts[0]), expected[:, -1], atol=1e-4)
    reads = ((-3, [5, 1]), (-1, [7]))
    found = decoder(model, reads=reads).outputs(texts[0])
    assert torch.allclose(found, torch.cat([expected[:, -3, [5, 1]], expected[:, -1, [7]]], dim=1), atol=1e-4)


@MODELS
@pytest.mark.parametrize("position", [3, 4, 8, EVERY])
def test_patching_is_that_of_plain_hooks(model, texts, position):
    clean, corrupted = texts
    found = patched_outputs(decoder(model), corrupted, clean, positions=[position])
    intact = model(corrupted).logits[:, -1]
    for number, layer in enumerate(layers_of(model)):
        for at, site in enumerate(SITES):
            expected = by_hooks(model, module_of(layer, site), corrupted, clean, position)
            assert torch.allclose(found[number, at, 0], expected, atol=1e-4)
            if (number, position, site) != (0, 8, "MLP"):
                assert number == 2 or (expected - intact).abs().max() > 1e-3  # the patch does something


@MODELS
def test_a_whole_stream_recovers_everything_and_one_token_before_the_change_nothing(model, texts):
    clean, corrupted = texts
    reading = decoder(model)
    whole = patched_outputs(reading, corrupted, clean, positions=[EVERY], sites=["residual"])
    assert torch.allclose(whole, reading.outputs(clean).expand_as(whole), atol=1e-4)
    before = patched_outputs(reading, corrupted, clean, positions=[2])
    assert torch.allclose(before, reading.outputs(corrupted).expand_as(before), atol=1e-4)


def test_another_model_is_named():
    with pytest.raises(CompanionError, match="of type Linear is not known; give a Llama or a GPT-2"):
        decoder(torch.nn.Linear(2, 2))


@MODELS
def test_texts_of_unequal_length_are_named(model, texts):
    with pytest.raises(CompanionError, match=r"inputs of \(4, 9\) cannot be patched from \(4, 8\); give two of equal"):
        patched_outputs(decoder(model), texts[0], texts[1][:, 1:], positions=[0])
