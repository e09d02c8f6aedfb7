from types import SimpleNamespace

import numpy as np
import pytest

from paper_utils.pipeline import metrics
from paper_utils.pipeline.cache import State
from paper_utils.pipeline.metrics import effects_by_kind
from paper_utils.pipeline.run import Run


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


def test_metrics_are_kept_until_what_they_are_gathered_of_is_another(tmp_path, monkeypatch):
    run, gathered = Run("smoke", "seeds", root=tmp_path), []

    def collect(run):
        run.has_read("ablation", "pool")
        gathered.append(len(gathered))
        return {"number": len(gathered)}

    contents = {"ablation": "a"}
    monkeypatch.setattr(metrics, "collect", collect)
    monkeypatch.setattr(run.results, "content", lambda name: contents.get(name, ""))
    monkeypatch.setattr(run.results, "state", lambda name: State("fresh"))
    monkeypatch.setattr(run, "study", list)
    monkeypatch.setattr(run, "other_seeds", list)
    assert metrics.gathered(run) == {"number": 1}
    run.read.clear()
    assert metrics.gathered(run) == {"number": 1}
    assert run.read == {"ablation", "pool"}  # as if they had been read again
    contents["ablation"] = "b"
    assert metrics.gathered(run) == {"number": 2}
    kept = run.build / "metrics.json"
    kept.write_text(kept.read_text().replace('"number": 2', '"number": 99'))
    assert metrics.gathered(run) == {"number": 3}
    for name, value in (
        ("closure_hash", lambda module: "other code"),
        ("environment", lambda: {"numpy": "9"}),
    ):
        monkeypatch.setattr(metrics, name, value)
        assert metrics.gathered(run) == metrics.gathered(run) == {"number": len(gathered)}
    monkeypatch.setattr(run, "other_seeds", lambda: [{"r": 0.9}])
    assert metrics.gathered(run) == {"number": 6}
