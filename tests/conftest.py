"""Small models and images that several tests share.

Fixtures import what they need themselves, so that the tests of a sub-package load no other.
"""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch

from paper_utils.data.chirps import LabelScale

SCALE = LabelScale(np.array([22.0, 50.0, 50.0]), np.array([13.0, 29.0, 31.0]))


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory):
    """A ViT of 2 layers and 3 heads in a local folder, as a user would bring one."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48, image_size=224, patch_size=16
    )
    vit = ViTModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for parameter in vit.parameters():  # biases too, so that the value bias of a zeroed head is visible
            parameter.add_(0.2 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("vit")
    vit.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def tiny_profile(tiny_backbone):
    """A profile whose fine-tuning takes seconds."""
    from paper_utils.pipeline.profiles import get_profile

    return replace(
        get_profile("smoke", backbone=tiny_backbone), epochs=3, images_per_epoch=8, validation_images=6, workers=0
    )


@pytest.fixture
def regressor(tiny_backbone):
    """A regressor whose LoRA weights are not zero."""
    from paper_utils.models.regressor import build_regressor

    model = build_regressor(tiny_backbone, SCALE, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3, generator=generator)
    return model.eval()


@pytest.fixture(scope="session")
def images():
    """Five images of noise, (5, 3, 224, 224) uint8."""
    return torch.randint(0, 256, (5, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def shown(tmp_path):
    """Return a function that opens a page on disk in Chromium, with more options of it, and returns the document after its
    scripts ran."""
    from tools.report import installed_browser

    browser = installed_browser()
    if browser is None:
        pytest.skip("Chromium is not installed")
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    options += " --disable-component-update --allow-file-access-from-files --virtual-time-budget=4000 --dump-dom"

    def show(address, *more):
        command = [browser, *options.split(), *more, f"--user-data-dir={tmp_path / 'profile'}", f"file://{address}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout

    return show


@pytest.fixture(scope="session")
def coverage():
    """Shares of the patches of twelve images that each feature covers."""
    from paper_utils.attention.scores import feature_coverage
    from paper_utils.data.dataset import sample

    return np.stack([feature_coverage(sample(4, index)[1].regions) for index in range(12)])


@pytest.fixture(scope="session")
def planted():
    """Return a function that makes maps of one head, which attends to the patches of given features, and little elsewhere."""
    from paper_utils.attention.scores import FEATURES, HOLDS

    def maps_of(coverage, *features):
        names = list(FEATURES)
        seen = sum(coverage[:, names.index(feature)] >= HOLDS for feature in features) > 0
        maps = np.where(seen, 1.0, 0.02)
        return (maps / maps.sum((-2, -1), keepdims=True))[:, None, None]

    return maps_of


@pytest.fixture
def model(regressor):
    """The regressor with LoRA merged into its weights."""
    from paper_utils.models.regressor import merged

    return merged(regressor)
