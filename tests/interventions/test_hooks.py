import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.interventions.hooks import HookPoint, hook_name, hooked_layer, named_heads, run_with_hooks
from paper_utils.interventions.own_metric import ablate_heads
from paper_utils.models.adapted import adapt
from tests.classifiers import classifier, close

NAMES = ["ViTForImageClassification", "Dinov2ForImageClassification", "SiglipForImageClassification"]


@pytest.fixture(params=NAMES)
def user(request):
    return classifier(request.param)


@pytest.fixture(scope="module")
def vit():
    return adapt(classifier("ViTForImageClassification").model)


def test_names_are_those_of_transformer_lens():
    assert hook_name(11) == "blocks.11.attn.hook_z"
    assert hooked_layer("blocks.11.attn.hook_z", 12) == 11
    assert HookPoint("blocks.7.attn.hook_z").layer() == 7
    assert named_heads([("blocks.1.attn.hook_z", 2), (0, 1)], (2, 3)) == [(1, 2), (0, 1)]


@pytest.mark.parametrize(
    ("place", "head", "said"),
    [
        ("blocks.0.attn.hook_q", 0, "unknown hook 'blocks.0.attn.hook_q'; give blocks.0.attn.hook_z to blocks.1"),
        ("blocks.0.hook_z", 0, "unknown hook"),
        ("blocks.-1.attn.hook_z", 0, "unknown hook"),
        ("blocks.01.attn.hook_z", 0, "unknown hook"),
        ("L1H1", 0, "unknown hook"),
        ("blocks.2.attn.hook_z", 0, "no layer 2 for hook .*: 2 layers, from 0"),
        ("blocks.1.attn.hook_z", 3, "no head 3 in layer 1: 2 layers, 3 heads, from 0"),
        (-1, 0, "no head 0 in layer -1"),
        (0, -1, "no head -1 in layer 0"),
        (0, True, "True is no number of a layer or head; give a whole number, from 0"),
        (False, 0, "False is no number of a layer or head"),
        (0, np.bool_(True), "is no number of a layer or head"),
        (0, "1", "'1' is no number of a layer or head"),
        (0, 1.0, "1.0 is no number of a layer or head"),
        (None, 0, "None is no number of a layer or head"),
    ],
)
def test_heads_that_are_not_there(vit, place, head, said):
    with pytest.raises(CompanionError, match=said):
        named_heads([(place, head)], (2, 3))
    with pytest.raises(CompanionError, match=said):
        ablate_heads(vit, torch.rand(1, 3, 64, 64), [(place, head)])


@pytest.mark.parametrize("heads", [None, 3, [1, 2], [(0, 1, 2)], "L1H1", (0, 1)])
def test_heads_that_are_no_pairs(heads):
    with pytest.raises(CompanionError, match="heads are .*; give a list of pairs of a layer or its hook's name and"):
        named_heads(heads, (2, 3))


@pytest.mark.parametrize("number", [np.int64, np.uint8, torch.tensor])
def test_heads_by_numbers_of_numpy_and_torch(number):
    assert named_heads([(number(1), number(2))], (2, 3)) == [(1, 2)]


def test_functions_change_the_outputs_of_heads(user):
    """Oracle: hooks on the model that transformers computes, and the heads that are named."""
    images, model = user.images(), adapt(user.model)
    last = user.heads - 1
    seen = []

    def zero(z, hook):
        seen.append((hook.name, hook.layer(), tuple(z.shape[2:])))
        z[:, :, last] = 0

    def keep(z, hook):
        return z

    hooks = [("blocks.1.attn.hook_z", zero), ("blocks.1.attn.hook_z", keep)]
    found = run_with_hooks(model, images, fwd_hooks=hooks)
    with torch.no_grad():
        expected = user.replaced(images, [(1, last)], user.constants("zero"))
    assert close(torch.from_numpy(found), expected)
    assert close(ablate_heads(model, images, [("blocks.1.attn.hook_z", last)], kind="zero"), expected)
    assert seen == [("blocks.1.attn.hook_z", 1, (user.heads, 24 // user.heads))]


def test_a_function_may_only_look(user):
    images, model = user.images(), adapt(user.model)
    kept = {}
    found = run_with_hooks(model, images, fwd_hooks=[("blocks.0.attn.hook_z", lambda z, hook: kept.update(z=z))])
    with torch.no_grad():
        assert close(torch.from_numpy(found), user.outputs(images))
    assert close(kept["z"].flatten(2), user.constants("resample", images)[0])


@pytest.mark.parametrize(
    ("hooks", "said"),
    [
        (None, "fwd_hooks are None; give a list of pairs of a hook's name and a function"),
        (("blocks.0.attn.hook_z", lambda z, hook: z), "fwd_hooks are .*; give a list of pairs"),
        ([(0, lambda z, hook: z)], "unknown hook 0; give blocks.0.attn.hook_z to blocks.1"),
        ([("blocks.0.attn.hook_z", None)], "the hook 'blocks.0.attn.hook_z' has None; give it a function"),
        (
            [("blocks.0.attn.hook_z", lambda z, hook: "z")],
            "returned str; it must return z, a tensor of float32, or None",
        ),
        ([("blocks.0.attn.hook_z", lambda z, hook: z.numpy())], "returned ndarray"),
        ([("blocks.0.attn.hook_z", lambda z, hook: z.long())], "returned torch.int64"),
        ([("blocks.0.attn.hook_z", lambda z, hook: z + 0j)], "returned torch.complex64"),
    ],
)
def test_functions_that_do_not_fit(vit, hooks, said):
    with pytest.raises(CompanionError, match=said):
        run_with_hooks(vit, torch.rand(2, 3, 64, 64), fwd_hooks=hooks)


def test_a_function_may_compute_in_float64(vit):
    images = torch.rand(2, 3, 64, 64)
    found, expected = (
        run_with_hooks(vit, images, fwd_hooks=[("blocks.0.attn.hook_z", function)])
        for function in (lambda z, hook: 2 * z.double(), lambda z, hook: 2 * z)
    )
    assert np.array_equal(found, expected)


def test_a_function_that_returns_another_shape_or_no_number(vit):
    model, images = vit, torch.rand(2, 3, 64, 64)
    with pytest.raises(CompanionError, match=r"returned shape \(2, 17, 3\) for \(2, 17, 3, 8\)"):
        run_with_hooks(model, images, fwd_hooks=[("blocks.0.attn.hook_z", lambda z, hook: z[..., 0])])
    with pytest.raises(CompanionError, match="not a number"):
        run_with_hooks(model, images, fwd_hooks=[("blocks.0.attn.hook_z", lambda z, hook: z * np.nan)])
