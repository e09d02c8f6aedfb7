"""The stages of line images on golden inputs: what they hold, and that an interrupted one continues where it was."""

from dataclasses import replace

import numpy as np
import pytest

from paper_utils.orientation import CONDITIONS, Fits
from paper_utils.pipeline import line_fits, probes
from paper_utils.pipeline.stages import STAGES


@pytest.fixture
def work(monkeypatch, tmp_path):
    """Golden inputs that keep what they have done, and note what they draw."""
    golden = probes._Golden(224)
    golden.profile = replace(golden.profile, line_images=16, line_choice_images=8, line_test_images=8)
    monkeypatch.setattr(golden, "unfinished", lambda stage, part: tmp_path / f"{stage} {part}.npz".replace("/", "-"))
    monkeypatch.setattr(line_fits, "CONDITIONS", {name: CONDITIONS[name] for name in ("I", "I-axial", "IV")})
    golden.drawn = []
    features_of = line_fits.features_of
    monkeypatch.setattr(
        line_fits,
        "features_of",
        lambda vit, lines, **options: golden.drawn.append(lines.name) or features_of(vit, lines, **options),
    )
    return golden


def test_a_stage_continues_where_it_was_interrupted(work, tmp_path):
    first = line_fits.frozen(work)
    assert work.drawn == ["I"] * 3 + ["IV"] * 3  # features once for two conditions of one set
    parts = sorted(path.name for path in tmp_path.iterdir())
    assert len(parts) == 6 + 3
    (tmp_path / "lines-frozen I-axial 0.npz").unlink()
    second = line_fits.frozen(work)
    assert len(work.drawn) == 6
    assert all(np.array_equal(first[name], second[name], equal_nan=True) for name in first)


def test_lora_goes_on_from_the_fitted_heads(work, monkeypatch):
    fitted = line_fits.frozen(work)
    monkeypatch.setattr(work, "arrays", lambda stage: {"lines/frozen": fitted}[stage])
    found = line_fits.lora(work)
    fits = Fits.of(found)
    assert list(fits.fitted) == ["I", "IV"]
    assert fits["IV"].answers.shape == (1, 8)
    assert found["similarity.I and IV.0"].shape == (2, 3, 8)
    assert np.nanmax(found["similarity.before and I.0"]) <= 1 + 1e-6
    alike = np.nanmean(found["similarity.before and I.0"])
    assert alike > np.nanmean(found["similarity.I and IV.other_image.0"])


def test_the_shipped_fits_are_of_one_probe_and_their_own_settings():
    names = line_fits.LINE_STAGES
    assert {name for name in STAGES if name.startswith("lines/")} == set(names)
    assert all(STAGES[name].repeats for name in names)
    assert STAGES["lines/lora"].inputs == ("lines/frozen",)
    assert not STAGES["lines/random"].reads_backbone
