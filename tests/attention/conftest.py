"""Mapped images of the tiny model, and of the shipped one, for the tests of what is read from them."""

from functools import cache

import pytest

from paper_utils.attention import map_images
from paper_utils.data.chirps import LabelScale
from paper_utils.data.dataset import split_seed
from paper_utils.files import ROOT
from paper_utils.models.regressor import build_regressor, load_regressor, merged


@pytest.fixture(scope="session")
def tiny_mapped(tiny_backbone):
    """Return a function from a variant's name to three images of it with the tiny model's maps."""
    model = build_regressor(tiny_backbone, LabelScale([0, 0, 0], [1, 1, 1]), seed=1).eval()
    return cache(lambda variant: map_images(model, 7, [3, 4, 5], variant=variant))


@pytest.fixture(scope="session")
def shipped_mapped():
    """Return the shipped model's maps over the 48 test images of notebooks 3 and 6."""
    model = merged(load_regressor(ROOT / "data/reference/model.safetensors"))
    return map_images(model, split_seed(42, "test"), range(48))
