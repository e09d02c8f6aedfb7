import json
from pathlib import Path

import numpy as np
import pytest

from paper_utils.data.chirps import draw_chirp
from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.data.dataset import sample, split_seed
from paper_utils.data.regions import REGIONS
from paper_utils.data.summaries import ChirpExample, KnownEdges, RegionShares, draw_samples

SHIPPED = json.loads((Path(__file__).parents[2] / "data" / "reference" / "results.json").read_text())
SEED = 42  # of the shipped run


def shipped(prefix):
    return {key: value for key, value in SHIPPED.items() if key.startswith(prefix)}


def test_region_shares_are_the_shipped_ones():
    shares = RegionShares.measure(SEED)
    assert shares.metrics() == pytest.approx(shipped("images.chirp_share"), rel=1e-9)
    assert sum(shares.area.values()) == pytest.approx(1)
    table = shares.table()
    assert list(table.index) == ["chirp", "background", "margin", "title"]
    assert set(table["Images"]) == {15}
    assert table.loc["chirp", "Share of the pixels (%)"] == "0.3"


def test_patches_that_hold_a_region_are_counted():
    shares = RegionShares.measure(SEED, count=2)
    by_hand = []
    for index in range(2):
        regions = sample(split_seed(SEED, "test"), index)[1].regions
        rows, columns = np.nonzero(regions == REGIONS.index("chirp"))
        by_hand.append(len(set(zip(rows // 16, columns // 16, strict=True))))
    assert shares.patches["chirp"] == np.mean(by_hand)
    assert shares.patches_per_image == 14 * 14


def test_known_edges_are_the_shipped_ones():
    edges = KnownEdges.measure(SEED)
    assert edges.metrics() == pytest.approx(shipped("images.on_edge_percent"), rel=1e-9)
    assert set(edges.table()["Images"]) == {5000}
    assert max(map(len, edges.table().index)) <= 50  # or pandas cuts names off
    assert list(edges.table()["Share of the images (%)"]) == ["3.2", "7.0", "8.0", "17.2"]


def test_samples_carry_kind_duration_and_noise_level():
    panel = draw_samples(SEED, count=2, size=(48, 64))
    assert panel.images.shape == (2, 48, 64, 3)
    assert panel.images.dtype == np.uint8
    chirp, _ = draw_chirp(split_seed(SEED, "test"), 1)
    assert panel.captions[1] == f"{chirp.kind}, {chirp.duration:.0f} s, {chirp.noise_level:.2f}"


def test_an_example_shows_its_chirp_in_every_variant():
    example = ChirpExample.draw(SEED)
    table = example.table()
    assert list(table["Value"]) == ["43.6", "71.6", "46.1", "6.2", "exponential", "0.16"]
    assert list(table.index[table["Predicted by the model"] == "yes"]) == [
        "start time",
        "start frequency",
        "end frequency",
    ]
    panel = example.variants()
    assert len(panel.captions) == len(VARIANTS) == len(panel.images)
    published = panel.images[0].astype(int)  # drawn in another order of additions, so a value may round otherwise
    assert np.abs(published - example.pixels).max() <= 1
