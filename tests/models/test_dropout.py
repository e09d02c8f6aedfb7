import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from paper_utils.models.dropout import QuickDropout, masks_from, set_dropout


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.93])
def test_it_drops_by_its_chance_each_number_alone(chance):
    torch.manual_seed(0)
    count = 400_000
    out = QuickDropout(chance)(torch.ones(count))
    kept = out != 0
    spread = (chance * (1 - chance) / count) ** 0.5
    assert kept.float().mean().item() == pytest.approx(1 - chance, abs=5 * spread + 2**-16)
    assert torch.allclose(out[kept], torch.tensor(1 / (1 - chance)))
    # neighbours come out of one random integer: they must not know of each other
    for distance in (1, 2, 3, 4):
        both = (kept[distance:] & kept[:-distance]).float().mean().item()
        assert both == pytest.approx((1 - chance) ** 2, abs=5 * spread)


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 7, 3)])
def test_any_shape_and_precision_and_the_gradient_of_what_is_kept(shape):
    torch.manual_seed(1)
    inputs = torch.ones(shape, dtype=torch.bfloat16, requires_grad=True)
    out = QuickDropout(0.5)(inputs)
    out.sum().backward()
    assert out.shape == shape
    assert out.dtype == torch.bfloat16
    assert torch.equal(inputs.grad, out.detach())


def test_a_seed_fixes_it_and_evaluation_drops_nothing():
    dropout, inputs = QuickDropout(0.3), torch.rand(50)
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(dropout(inputs))
    assert torch.equal(*drawn)
    assert torch.equal(dropout.eval()(inputs), inputs)


def test_lora_uses_it_where_it_drops(regressor):
    model = copy.deepcopy(regressor)
    kinds = [type(module) for name, module in model.named_modules() if name.endswith("lora_dropout.default")]
    assert kinds == [QuickDropout] * 4  # two layers, queries and values
    set_dropout(model, nn.Dropout)
    assert not any(isinstance(module, QuickDropout) for module in model.modules())


def test_a_block_with_seeds_of_its_own_draws_the_same_whatever_others_draw():
    dropout, inputs, drawn = QuickDropout(0.3), torch.ones(60), []
    for disturbance in range(2):
        with masks_from(3, 1, 4):
            first = dropout(inputs)
            with ThreadPoolExecutor(1) as pool:
                for _ in range(disturbance):
                    pool.submit(dropout, inputs).result()
            drawn.append(torch.cat([first, dropout(inputs)]))
    assert torch.equal(*drawn)
    with masks_from(3, 1, 5):
        assert not torch.equal(dropout(inputs), drawn[0][:60])
    torch.manual_seed(7)
    outside = dropout(inputs)
    torch.manual_seed(7)
    with masks_from(1):
        dropout(inputs)
    assert torch.equal(dropout(inputs), outside)
