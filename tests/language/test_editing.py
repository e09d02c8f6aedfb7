import numpy as np
import pytest
import torch

from paper_utils.language import editing
from paper_utils.language.decoders import decoder
from paper_utils.language.pairs import Pair

TEXTS = [[1, 5, 9, 3], [2, 8, 30, 31, 4], [11, 12, 13, 14, 15, 16]]
PROMPT = (7, 21, 3, 9, 17)
LAYER, TOKEN = 1, 2


def mlp_outputs(model, ids, layer):
    """Oracle: what transformers' own forward pass gives that matrix, and what it puts out, (tokens, hidden or width)."""
    found = []
    module = decoder(model).output_matrix(decoder(model).layers[layer])
    handle = module.register_forward_hook(lambda _, inputs, output: found.append((inputs[0][0], output[0])))
    with torch.no_grad():
        model(input_ids=torch.tensor([ids]))
    handle.remove()
    return found[0]


@pytest.fixture(params=["llama", "gpt2"])
def model(request):
    return request.getfixturevalue(request.param)


def test_moments_are_of_what_the_matrix_gets(model):
    moments = editing.key_moments(model, TEXTS, layers=(0, LAYER))
    for layer, moment in moments.items():
        keys = torch.cat([mlp_outputs(model, ids, layer)[0] for ids in TEXTS])
        torch.testing.assert_close(moment, keys.T @ keys / len(keys), rtol=1e-4, atol=1e-6)


def test_an_edit_adds_the_change_there_and_is_undone(model):
    reading = decoder(model)
    moment = editing.key_moments(model, TEXTS, layers=(LAYER,))[LAYER]
    keys, before = mlp_outputs(model, PROMPT, LAYER)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    change = torch.randn(before.shape[1], generator=torch.Generator().manual_seed(0))
    with editing.edited(reading, PROMPT, LAYER, TOKEN, change, moment):
        _, after = mlp_outputs(model, PROMPT, LAYER)
    torch.testing.assert_close(after[TOKEN] - before[TOKEN], change, rtol=1e-3, atol=1e-4)
    damped = moment + editing.DAMPING * moment.diagonal().mean() * torch.eye(len(moment))
    u = torch.linalg.inv(damped.double()) @ keys[TOKEN].double()
    shares = (keys.double() @ u / (keys[TOKEN].double() @ u)).float()
    torch.testing.assert_close(after - before, shares[:, None] * change, rtol=1e-2, atol=1e-3)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_an_edit_changes_other_texts_least(model):
    """Oracle: with the inverse moment in the direction's place, any other that adds the change there costs more."""
    moment = editing.key_moments(model, TEXTS, layers=(LAYER,))[LAYER].double()
    key = mlp_outputs(model, PROMPT, LAYER)[0][TOKEN].double()
    damped = moment + editing.DAMPING * moment.diagonal().mean() * torch.eye(len(moment))
    best = torch.linalg.solve(damped, key)
    best = best / (best @ key)
    for seed in range(5):
        other = best + 0.1 * torch.randn(len(key), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        other = other / (other @ key)
        assert other @ damped @ other > best @ damped @ best


def test_the_change_makes_the_wanted_token_likelier_and_is_bounded(model):
    reading = decoder(model)
    _, before = mlp_outputs(model, PROMPT, LAYER)
    change = editing.wanted_change(reading, PROMPT, LAYER, TOKEN, 33)
    assert 0 < change.norm() <= editing.LARGEST * before[TOKEN].norm() * 1.0001
    plain = reading.outputs(torch.tensor([PROMPT]))[0].softmax(-1)[33]
    with editing.edited(reading, PROMPT, LAYER, TOKEN, change, torch.eye(len(mlp_outputs(model, PROMPT, LAYER)[0][0]))):
        assert reading.outputs(torch.tensor([PROMPT]))[0].softmax(-1)[33] > 1.5 * plain


def test_edits_of_pairs_are_measured_against_plain_forward_passes(llama):
    pairs = [
        Pair("definitional", ("a", "b"), ("c", "d"), (7, 21, 3, 9), (7, 22, 3, 9), (33, 34)),
        Pair("definitional", ("e", "f"), ("g", "h"), (1, 2, 3, 4), (1, 2, 5, 4), (35, 36)),
    ]
    moments = editing.key_moments(llama, TEXTS, layers=(0, LAYER))
    found = editing.measure_edits(llama, pairs, moments)
    assert {name: array.shape for name, array in found.items()} == {
        "edited": (2, 2, 2),
        "edited takes": (2, 2),
        "edited leaves": (2, 2),
    }
    reading, pair = decoder(llama), pairs[0]
    change = editing.wanted_change(reading, pair.corrupted, LAYER, 1, 33)
    likeliest = [llama(input_ids=torch.tensor([one.corrupted])).logits[0, -1].argmax() for one in pairs]
    with editing.edited(reading, pair.corrupted, LAYER, 1, change, moments[LAYER]), torch.no_grad():
        logits = [llama(input_ids=torch.tensor([one.corrupted])).logits[0, -1] for one in pairs]
    np.testing.assert_allclose(found["edited"][0, 1], logits[0][[33, 34]].numpy(), rtol=1e-3, atol=1e-4)
    assert found["edited takes"][0, 1] == (logits[0].argmax() == 33)
    assert found["edited leaves"][0, 1] == float(logits[1].argmax() == likeliest[1])
