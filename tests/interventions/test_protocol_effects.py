import pytest

from paper_utils.claims.published import figure_4
from paper_utils.interventions import PROTOCOLS, AblationEffects, ProtocolEffects

from . import reference


@pytest.fixture(scope="module")
def effects():
    return ProtocolEffects.of(
        reference.protocols(),
        AblationEffects.of(reference.ablation()).increase,
        figure_4(),
        reference.arrays("released_losses")["losses"],
        images=8,
    )


def test_the_metrics_are_the_shipped_ones(effects):
    metrics = effects.metrics()
    assert {key.split("ablation.")[0] for key in metrics} == {"", "released.", "published."}
    assert reference.differing(metrics) == []


def test_the_loss_that_effects_are_percents_of_is_that_of_the_first_of_the_images(effects):
    metrics, losses = effects.metrics(), reference.arrays("released_losses")["losses"]
    assert metrics["released.ablation.images"] == 8
    assert metrics["released.ablation.intact_loss_of_sweep"] == pytest.approx(losses[:8].mean(), rel=1e-6)
    assert metrics["released.ablation.intact_loss.images"] == len(losses) == 352


def test_figure_4_comes_three_times_with_its_marks(effects):
    assert list(effects.figure_4()) == ["as described", "as released", "as published"]
    assert effects.captions()[2] == "rank autocorrelation 0.69, continuity 0.17"
    table = effects.table()
    assert list(table.index) == list(PROTOCOLS)
    assert table.loc["as released", "Autocorrelation"] == "0.99"
    assert table.loc["not restored", "Images"] == 8
    released = effects.released_loss()
    assert released.index[0] == "2490"
    assert released.iloc[0].to_list() == ["2300 to 2700", 352]
