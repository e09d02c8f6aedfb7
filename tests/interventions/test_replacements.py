import numpy as np

from paper_utils.interventions import KINDS, ReplacementEffects

from . import reference


def test_the_rank_correlations_are_the_shipped_ones():
    effects = ReplacementEffects.of(reference.arrays("replacements"))
    assert set(effects.others) == set(KINDS) - {"zero_qkv"}
    assert len(effects.metrics()) == 3
    assert reference.differing(effects.metrics()) == []
    assert effects.table().shape == (4, 4)
    assert list(effects.table().index[1:]) == list(effects.by_title())


def test_effects_of_the_same_order_have_a_rank_correlation_of_one():
    increase = np.arange(6.0).reshape(2, 3)
    effects = ReplacementEffects.of({"zero_qkv": increase, "zero": increase**2, "mean": -increase})
    assert effects.metrics() == {
        "ablation.replacement.zero.rank_correlation": 1,
        "ablation.replacement.mean.rank_correlation": -1,
    }
    assert effects.table().iloc[1].to_list() == ["9.17", "25.0", "1.00", 6]
