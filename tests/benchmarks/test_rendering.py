from benchmarks import rendering
from paper_utils.data.pngs import read_image


def test_without_the_released_package_the_same_calls_are_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering.importlib.util, "find_spec", lambda name: None)
    peer, loop = rendering.published_loop(tmp_path)
    assert peer.startswith("the same matplotlib calls")
    loop(2)
    assert read_image(tmp_path / "plain_1.png").shape == (224, 224, 3)


def test_agreement_with_matplotlib_at_both_sizes():
    found = rendering.agreement(6)  # titles of one to six digits
    for size in ("224", "640x480"):
        assert found[f"rendering.agreement.{size}.mean_difference"] < 1
        assert found[f"rendering.agreement.{size}.least_share_within_8"] > 0.999


def test_every_step_runs():
    steps = rendering.step_candidates(1)
    assert set(steps) >= {"step.floor", "step.noise", "step.smoothing", "step.colours_and_resizing", "step.text"}
    for step in steps.values():
        step.work()


def test_the_table_shows_both_ratios(capsys):
    results = {"rendering.peer": "a peer", "rendering.speedup_memory": 60.0, "rendering.speedup_png": 12.0}
    results |= {f"rendering.{name}.images_per_second": 1.0 for name in ("published_loop", "png", "memory")}
    results |= {"rendering.step.noise.share": 0.25}
    for agreement in ("224", "640x480"):
        results |= {f"rendering.agreement.{agreement}.mean_difference": 0.2}
        results |= {f"rendering.agreement.{agreement}.least_share_within_8": 0.9999}
    rendering.show(results)
    said = capsys.readouterr().out
    assert "60 times as fast in memory, 12.0 times in files" in said
    assert "25% of an image's time" in said
