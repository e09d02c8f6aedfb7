"""Oracles: plain loops over shuffled images, and cases whose numbers are known."""

import time

import numpy as np
import pytest
from scipy import stats

from paper_utils.claims.published import figure_4
from paper_utils.claims.values import interval_keys
from paper_utils.errors import CompanionError
from paper_utils.interventions import PROTOCOLS, RELEASED, SWEEPS, ProtocolEffects
from paper_utils.interventions.protocol_effects import SampledProtocol
from paper_utils.interventions.protocol_states import protocol_losses
from paper_utils.interventions.tables import interval, rounded
from paper_utils.statistics import percent_increase

from . import reference

IMAGES, BATCH = 24, 6


def walk_of(rng, images):
    """Losses of a sweep whose states differ little from one to the next, on images that differ much."""
    steps = np.cumsum(rng.normal(0, 0.03, (145, 1)), axis=0) + rng.normal(0, 0.05, (145, images))
    return (rng.gamma(2, 1, images) * (1 + steps - steps[0])).astype(np.float32)


@pytest.fixture(scope="module")
def states():
    rng = np.random.default_rng(5)
    return {name: walk_of(rng, IMAGES) for name in sorted(set(SWEEPS.values()))}


@pytest.fixture(scope="module")
def described():
    return np.random.default_rng(6).normal(1, 1, (12, 12))


@pytest.fixture(scope="module")
def effects(states, described):
    return ProtocolEffects.of(states, described, figure_4(), batch=BATCH)


@pytest.fixture(scope="module")
def metrics(effects):
    return effects.metrics()


def test_percents_are_of_the_intact_loss_that_is_shown(effects, states, metrics):
    rows = states["as released"].astype(float)
    assert metrics["released.ablation.intact_loss"] == pytest.approx(rows[0].mean(), rel=1e-12)
    # the first of four batches is that of the state before
    losses = (rows[:-1, :BATCH].sum(1) + rows[1:, BATCH:].sum(1)) / IMAGES
    expected = (100 * (losses / rows[0].mean() - 1)).reshape(12, 12)
    assert np.allclose(effects.figure_4()["as released"], expected, rtol=1e-9)
    assert metrics["released.ablation.layers_1_to_3.mean_percent"] == pytest.approx(expected[:3].mean())
    assert metrics["released.ablation.largest_head.effect_percent"] == pytest.approx(expected.max())
    assert metrics["released.ablation.images"] == metrics["released.ablation.intact_loss.images"] == IMAGES


def test_intervals_against_a_loop_that_draws_images_and_cuts_batches(effects, states, metrics):
    """Oracle: another generator, another way to count; ends agree up to what resampling leaves open."""
    rows, rng = states["as released, rows to scale"].astype(float), np.random.default_rng(7)
    found = []
    for _ in range(2000):
        drawn = rows[:, rng.choice(IMAGES, IMAGES)]
        batches = np.split(drawn, IMAGES // BATCH, axis=1)
        after = [batches[0][:-1].mean(1), *(each[1:].mean(1) for each in batches[1:])]
        increase = 100 * (np.mean(after, axis=0) / drawn[0].mean() - 1)
        pairs = np.corrcoef(increase[:-1], increase[1:])[0, 1]
        found.append([drawn[0].mean(), increase[:36].mean(), increase[36:].mean(), increase.max(), pairs])
    keys = (
        "intact_loss",
        "layers_1_to_3.mean_percent",
        "layers_4_to_12.mean_percent",
        "largest_head.effect_percent",
        "lag_1_autocorrelation",
    )
    for key, sample in zip(keys, np.transpose(found), strict=True):
        ends = next(ends for ends in interval_keys(f"to_scale.ablation.{key}") if ends[0] in metrics)
        expected = np.percentile(sample, (2.5, 97.5))
        assert np.allclose([metrics[end] for end in ends], expected, atol=0.3 * np.ptp(expected)), key
        assert metrics[ends[0]] <= metrics[f"to_scale.ablation.{key}"] <= metrics[ends[1]], key


def test_the_order_of_images_alone_lies_within_the_interval():
    """Half of 16 images lose by a head, all others keep their loss: how many are drawn late is binomial."""
    states = np.ones((2, 16))
    states[1, ::2] = 3
    how = PROTOCOLS["zeroed after the batch"]
    sampled = SampledProtocol.of(states, how, layers=1, batch=4, resamples=4000)
    value, low, high = sampled.with_interval(np.mean)
    assert value == pytest.approx(100 * 2 * 6 / 16)
    late = stats.binom(12, 0.5).ppf([0.025, 0.975])
    assert [low, high] == pytest.approx(100 * 2 * late / 16)
    rng = np.random.default_rng(8)
    orders = [protocol_losses(states, how, batch=4, order=rng.permutation(16)) for _ in range(500)]
    permuted = np.percentile([100 * (losses[0] / intact - 1) for intact, losses in orders], (2.5, 97.5))
    assert low <= permuted[0] < permuted[1] <= high


def test_where_all_images_are_alike_nothing_is_left_open():
    states = np.repeat([[1.0], [2.0], [4.0]], 12, axis=1)
    sampled = SampledProtocol.of(states, RELEASED, layers=1, batch=3)
    assert np.allclose(sampled.increase, [[75, 250]])  # a quarter meets the state before
    assert np.allclose(sampled.increase_sample, [[75, 250]])
    assert sampled.intact_with_interval() == pytest.approx((1, 1, 1))


def test_every_value_of_a_claim_has_its_interval(metrics):
    assert {key.split("ablation.")[0] for key in metrics} == {"", "released.", "to_scale.", "published."}
    layers = [f"layer_{layer}.mean_percent" for layer in range(1, 13)]
    groups = [f"{group}.mean_percent" for group in ("layers_1_to_3", "layers_4_to_12", "layers_1_to_4")]
    marks = ["lag_1_autocorrelation", "rank_autocorrelation", "continuity", "intact_loss"]
    keys = [*layers, *groups, *marks, "late_minus_early.mean_percent", "largest_head.effect_percent"]
    for key in (f"{prefix}.ablation.{key}" for prefix in ("released", "to_scale") for key in keys):
        assert any(low in metrics and metrics[low] <= metrics[high] for low, high in interval_keys(key)), key
    assert all(np.isfinite(value) for value in metrics.values())
    released, scaled = (
        {key.removeprefix(p) for key in metrics if key.startswith(p)} for p in ("released.", "to_scale.")
    )
    assert released == scaled


def test_figure_4_comes_three_times_with_its_marks(effects, described):
    panels = effects.figure_4()
    assert list(panels) == ["as described", "as released", "as published"]
    assert panels["as described"] is described
    assert effects.captions()[2] == "rank autocorrelation 0.69, continuity 0.17"
    assert list(effects.by_protocol()) == list(PROTOCOLS)
    assert effects.by_protocol()["as released"] is panels["as released"]


def test_tables_show_values_with_intervals(effects, metrics):
    table = effects.table()
    assert list(table.index) == list(PROTOCOLS)
    assert (table["Images"] == IMAGES).all()
    key = "released.ablation.layers_1_to_3.mean{}_percent"
    value, low, high = (metrics[key.format(end)] for end in ("", "_low", "_high"))
    assert table.loc["as released", "Layers 1 to 3 (%)"] == f"{rounded(value)} ({interval(low, high)})"
    assert table.loc["as released", "Autocorrelation"].startswith("0.9")
    released = effects.released_loss()
    assert table.loc["as released", "Intact loss"] == f"{released.index[0]} ({released.iloc[0, 0]})"
    assert released.iloc[0, 1] == IMAGES


def test_intervals_of_a_whole_run_take_seconds(described):
    rng = np.random.default_rng(9)
    states = {name: walk_of(rng, 128) for name in set(SWEEPS.values())}
    start = time.process_time()
    effects = ProtocolEffects.of(states, described, figure_4(), batch=32)
    effects.table()
    effects.metrics()
    assert time.process_time() - start < 20  # 3 on a laptop


def test_sweeps_that_do_not_belong_together_are_named(states, described):
    with pytest.raises(CompanionError, match="no sweep 'not restored'"):
        ProtocolEffects.of(
            {name: losses for name, losses in states.items() if name != "not restored"},
            described,
            figure_4(),
            batch=BATCH,
        )
    with pytest.raises(CompanionError, match=r"'not restored' is \(145, 23\), not \(145, 24\)"):
        ProtocolEffects.of(states | {"not restored": states["not restored"][:, 1:]}, described, figure_4(), batch=BATCH)


def test_the_shipped_protocols_give_the_shipped_numbers():
    ablation = reference.ablation()
    increase = percent_increase(ablation.ablated(), ablation.intact)
    metrics = ProtocolEffects.of(reference.arrays("protocols"), increase, figure_4()).metrics()
    assert reference.differing(metrics) == []
