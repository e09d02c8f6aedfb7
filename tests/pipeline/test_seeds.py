"""What is measured of another seed's model is what the run's own metrics say of the same model."""

import numpy as np
import pytest
import torch
from transformers import ViTConfig, ViTModel

from paper_utils.data.chirps import LabelScale
from paper_utils.interventions.effects import effect_metrics
from paper_utils.interventions.estimated import EstimatedAblation
from paper_utils.interventions.pruning import Removals
from paper_utils.models.regressor import ChirpRegressor
from paper_utils.pipeline import computations, probes, seeds
from paper_utils.statistics import percent_increase


class TwelveLayers(probes._Golden):
    """Golden inputs whose model has the layers that claims name."""

    def __init__(self):
        super().__init__(224)
        self.made = {}

    def model(self):
        if "model" not in self.made:
            torch.manual_seed(0)
            size = {"image_size": 224, "patch_size": 16, "hidden_size": 24, "intermediate_size": 48}
            config = ViTConfig(num_hidden_layers=12, num_attention_heads=3, **size)
            scale = LabelScale(np.array([22.0, 50.0, 50.0]), np.array([13.0, 29.0, 31.0]))
            self.made["model"] = ChirpRegressor(ViTModel(config, add_pooling_layer=False), scale).eval()
        return self.made["model"]

    def arrays(self, stage):
        if stage in ("pool", "evaluation"):
            return super().arrays(stage)
        if stage not in self.made:
            self.made[stage] = getattr(computations, stage)(self)
        return self.made[stage]


@pytest.fixture(scope="module")
def work():
    return TwelveLayers()


def test_numbers_are_those_of_the_run_for_the_same_model(work):
    found = seeds.metrics_of(work, work.model(), stage="seeds/lora_2")
    ablation = EstimatedAblation.of(work.arrays("ablation"), work.arrays("attribution"))
    expected = effect_metrics(percent_increase(ablation.ablated(), ablation.intact))
    assert {name: found[f"ablation.{name}"] for name in expected} == pytest.approx(expected, rel=1e-3, abs=1e-4)
    removals = Removals.of(computations.removals(work)).metrics(early=9)
    assert {name: found[name] for name in removals} == pytest.approx(removals, rel=1e-3)
    assert found["accuracy.unselected.images"] == work.profile.test_images


def test_seeds_are_those_of_the_study_whose_models_are_kept():
    from paper_utils.pipeline.stages import STAGES

    for name in seeds.SEEDS:
        assert STAGES[f"study/{name}"].beside == (f"study/{name}.safetensors",)
        assert f"study/{name}" in STAGES[f"seeds/{name}"].inputs
