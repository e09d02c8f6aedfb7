from types import SimpleNamespace

import numpy as np
import pytest

from paper_utils.pipeline.metrics import effects_by_kind


@pytest.fixture
def effects():
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=40)
    increase = rng.uniform(0, 5, (6, 4))
    increase[0, 0] = 900
    ablated = intact * (1 + increase[..., None] / 100)
    significant = rng.random((6, 4)) < 0.5
    return SimpleNamespace(ablated=ablated, intact=intact, increase=increase, significant_bh=significant)


def heads(chirp, early):
    return SimpleNamespace(kinds=np.full((6, 4), "unselective"), is_chirp=chirp, is_early_distractor=early)


def test_chirp_heads_are_compared_with_all_others_and_with_those_of_their_layers(effects):
    chirp, early = np.zeros((6, 4), bool), np.zeros((6, 4), bool)
    chirp[4, :3], chirp[5, 1] = True, True
    early[1, :2] = True
    found, increase = effects_by_kind(heads(chirp, early), effects), effects.increase
    assert found["effects.chirp_heads.all.others_percent"] == pytest.approx(increase[~chirp].mean())
    others = ~chirp
    others[0, 0] = False
    assert found["effects.chirp_heads.without_largest.others_percent"] == pytest.approx(increase[others].mean())
    beside = (3 * increase[4, 3] + increase[5, [0, 2, 3]].mean()) / 4  # as often as a layer has chirp heads
    assert found["effects.chirp_heads.same_layers.others_percent"] == pytest.approx(beside)
    layers = (3 * increase[4].mean() + increase[5].mean()) / 4
    assert found["effects.chirp_heads.as_many_of_same_layers_percent"] == pytest.approx(layers)
    assert found["effects.early_distractors.heads"] == 2
    assert found["effects.early_distractors.significant"] == effects.significant_bh[1, :2].sum()


def test_a_model_without_chirp_heads_has_no_mean_of_them(effects):
    none = np.zeros((6, 4), bool)
    found = effects_by_kind(heads(none, none), effects)
    assert not [key for key in found if key.startswith("effects.chirp_heads")]
    assert found["effects.early_distractors.heads"] == 0


def test_a_layer_of_chirp_heads_alone_has_no_others_to_be_compared_with(effects):
    chirp = np.zeros((6, 4), bool)
    chirp[3], chirp[5, 0] = True, True
    found = effects_by_kind(heads(chirp, ~chirp), effects)
    assert found["effects.chirp_heads.same_layers.chosen_percent"] == pytest.approx(effects.increase[5, 0])
