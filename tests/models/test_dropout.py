import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from paper_utils.models.dropout import QuickDropout, masks_from, set_dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.93])
def test_elements_are_dropped_independently_with_the_given_probability(probability):
    torch.manual_seed(0)
    count = 400_000
    out = QuickDropout(probability)(torch.ones(count))
    mask = out != 0
    spread = (probability * (1 - probability) / count) ** 0.5
    assert mask.float().mean().item() == pytest.approx(1 - probability, abs=5 * spread + 2**-16)
    assert torch.allclose(out[mask], torch.tensor(1 / (1 - probability)))
    # four neighbours come from one random integer, and must be independent
    for distance in (1, 2, 3, 4):
        both = (mask[distance:] & mask[:-distance]).float().mean().item()
        assert both == pytest.approx((1 - probability) ** 2, abs=5 * spread)


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 7, 3)])
def test_any_shape_and_precision_with_the_gradient_of_the_mask(shape):
    torch.manual_seed(1)
    inputs = torch.ones(shape, dtype=torch.bfloat16, requires_grad=True)
    out = QuickDropout(0.5)(inputs)
    out.sum().backward()
    assert out.shape == shape
    assert out.dtype == torch.bfloat16
    assert torch.equal(inputs.grad, out.detach())


def test_a_seed_determines_the_mask_and_evaluation_drops_nothing():
    dropout, inputs = QuickDropout(0.3), torch.rand(50)
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(dropout(inputs))
    assert torch.equal(*drawn)
    assert torch.equal(dropout.eval()(inputs), inputs)


def test_lora_layers_use_it(regressor):
    model = copy.deepcopy(regressor)
    kinds = [type(module) for name, module in model.named_modules() if name.endswith("lora_dropout.default")]
    assert kinds == [QuickDropout] * 4  # two layers, queries and values
    set_dropout(model, nn.Dropout)
    assert not any(isinstance(module, QuickDropout) for module in model.modules())


def test_seeded_masks_do_not_depend_on_other_threads():
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


def test_some_images_of_a_batch_get_the_masks_that_they_get_among_all():
    dropout, inputs = QuickDropout(0.3), torch.ones(5, 3, 7)
    with masks_from(3, 1, 4):
        whole = [dropout(inputs), dropout(inputs)]  # of two layers
    for rows in (slice(0, 2), slice(2, 5)):
        with masks_from(3, 1, 4, rows=rows, of=5):
            some = [dropout(inputs[rows]), dropout(inputs[rows])]
        assert all(torch.equal(one[rows], other) for one, other in zip(whole, some, strict=True))
