"""Models and images that do not fit, given to every function that takes both."""

import numpy as np
import pytest
import torch

import paper_utils
from paper_utils.errors import CompanionError
from paper_utils.models.adapted import adapt
from paper_utils.models.images import checked_images
from tests.classifiers import classifier, close

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
NAN = torch.full_like(IMAGES, torch.nan)
LABELS = torch.tensor([4, 0])
OTHER = IMAGES.flip(0)
CALLS = {
    "run_with_hooks": lambda model, images: paper_utils.run_with_hooks(model, images, fwd_hooks=[]),
    "ablate_heads": lambda model, images: paper_utils.ablate_heads(model, images, [(0, 1)]),
    "sweep_heads": lambda model, images: paper_utils.sweep_heads(model, images, LABELS, first_output).intact,
    "attribute_heads": lambda model, images: paper_utils.attribute_heads(model, images, LABELS, first_output).intact,
    "attention_maps": lambda model, images: paper_utils.attention_maps(model, images).cls,
    "attention_matrices": paper_utils.attention_matrices,
    "source of ablate_heads": lambda model, images: paper_utils.ablate_heads(
        model, IMAGES, [(0, 1)], kind="mean", source=images
    ),
    "source of attribute_heads": lambda model, images: (
        paper_utils.attribute_heads(model, IMAGES, LABELS, first_output, kind="resample", source=images).replaced
    ),
}


def first_output(outputs, labels):
    return outputs[:, 0]


@pytest.fixture(scope="module")
def model():
    return adapt(classifier("ViTForImageClassification").model)


@pytest.fixture(params=CALLS)
def call(request):
    return CALLS[request.param]


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (IMAGES.long(), "are torch.int64; give them as torch.uint8 of 0 to 255 or as torch.float32"),
        (IMAGES.to(torch.int8), "are torch.int8"),
        (IMAGES > 0.5, "are torch.bool"),
        (IMAGES.to(torch.complex64), "are torch.complex64"),
        (IMAGES.numpy(), "of type ndarray; give one tensor of torch"),
        (list(IMAGES), "of type list; give one tensor of torch"),
        (IMAGES[0], r"the shape \(3, 64, 64\); give \(images, 3, height, width\), which image\[None\] is"),
        (IMAGES.permute(0, 2, 3, 1), r"the shape \(2, 64, 64, 3\); give .*, which permute\(0, 3, 1, 2\) makes"),
        (IMAGES[:, :1], r"the shape \(2, 1, 64, 64\); give \(images, 3, height, width\)$"),
        (IMAGES[..., :48], "are 64 by 48 pixels; give sides of 64"),
        (IMAGES[..., :0], "are 64 by 0 pixels"),
        (IMAGES[:0], r"there are no (source )?images: the shape is \(0, 3, 64, 64\); give 1 or more images"),
        (IMAGES.to("meta"), "are sparse, or on the device meta without values; give a dense tensor"),
        (IMAGES.to_sparse(), "are sparse"),
        (NAN, "hold something that is not a number, or infinite"),
        (NAN.half(), "hold something that is not a number, or infinite"),
        (1e300 + IMAGES.double(), "hold something that is not a number, or infinite"),
    ],
)
def test_images_that_do_not_fit(model, call, images, said):
    with pytest.raises(CompanionError, match=said):
        call(model, images)


@pytest.mark.parametrize("batch", [0, -1, 1.5, True, None, "8"])
@pytest.mark.parametrize("read", [paper_utils.attention_maps, paper_utils.attention_matrices])
def test_batches_that_are_no_number_of_images(model, read, batch):
    with pytest.raises(CompanionError, match="the batch is .*; give a whole number of images, 1 or more"):
        read(model, IMAGES, batch=batch)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_floating_point_is_taken_as_float32(model, call, dtype):
    given = OTHER.to(dtype)
    assert np.array_equal(call(model, given), call(model, given.float()))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_what_a_model_takes_is_not_copied(model, dtype):
    images = (255 * IMAGES).to(dtype)
    assert checked_images(model, images) is images


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: classifier("ViTForImageClassification").model, "type ViTForImageClassification; give what `adapt`"),
        (lambda: None, "type NoneType; give what `adapt`"),
        (lambda: "google/vit", "type str"),
        (lambda: adapt(classifier("ViTForImageClassification").model).to("meta"), "is on the device meta"),
    ],
)
def test_models_that_are_not_adapted(call, other, said):
    with pytest.raises(CompanionError, match=said):
        call(other(), IMAGES)


def test_a_model_that_resizes_its_grid_takes_multiples_of_its_patches():
    user = classifier("Dinov2ForImageClassification")
    larger = torch.rand(2, 3, 70, 70)
    with torch.no_grad():
        assert close(paper_utils.ablate_heads(adapt(user.model), larger, []), user.outputs(larger))
    with pytest.raises(CompanionError, match="are 64 by 70 pixels; give sides that are multiples of 14"):
        paper_utils.ablate_heads(adapt(user.model), larger[:, :, :64], [])
