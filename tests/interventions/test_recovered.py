import numpy as np
import pytest

from paper_utils.files import ROOT, read_arrays
from paper_utils.interventions.recovered import patching_recovery


def test_a_perfect_head_and_layer_are_named():
    rng = np.random.default_rng(0)
    clean, distorted = rng.random((2, 8, 3))
    heads = np.repeat(distorted[None, None], 2, 0).repeat(3, 1)
    heads[1, 2] = clean
    layers = np.stack([(clean + distorted) / 2, clean])
    patched = {"x clean": clean, "x distorted": distorted, "x heads": heads, "x layers": layers}
    recovery = patching_recovery(patched, np.ones(3))
    assert recovery.heads["x"][1, 2] == pytest.approx(100)
    assert recovery.layers["x"] == pytest.approx([50, 100])
    assert recovery.table().loc["x"].tolist() == ["L2H3", "100 (100 to 100)", 2, "100 (100 to 100)", 8]


def test_the_shipped_run():
    unit = read_arrays(ROOT / "data/reference/ablation.npz")["label_std"]
    table = patching_recovery(read_arrays(ROOT / "data/reference/patching.npz"), unit).table()
    assert table["Best head"].tolist() == ["L8H4", "L8H4"]
    assert table.iloc[0, 1] == "11 (8 to 14)"
    assert table.iloc[0, 3] == "62 (59 to 64)"
