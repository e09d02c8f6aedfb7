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
    assert len(metrics) == 24 + 5 + 3 + 6
    assert reference.differing(metrics) == []


def test_figure_4_comes_three_times_with_its_marks(effects):
    assert list(effects.figure_4()) == ["as described", "as released", "as published"]
    assert effects.captions()[2] == "autocorrelation 0.99, continuity 0.17"
    table = effects.table()
    assert list(table.index) == list(PROTOCOLS)
    assert table.loc["as released", "Autocorrelation"] == "0.99"
    assert table.loc["not restored", "Images"] == 8
    released = effects.released_loss()
    assert released.index[0] == "2490"
    assert released.iloc[0].to_list() == ["2300 to 2700", 352]
