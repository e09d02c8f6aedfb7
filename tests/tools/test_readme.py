import pytest

from paper_utils.claims import Backbones
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json
from paper_utils.pipeline.compared import shipped_metrics
from paper_utils.pipeline.figures import NOTEBOOKS
from tools import readme, tables

COSTS = {name: {"seconds": 60.0 + number, "peak_memory_mib": 700 + number} for number, name in enumerate(NOTEBOOKS)}
PROVENANCE = {
    "notebooks": COSTS,
    "stages": {name: {"seconds": 500.4, "peak_memory_mib": 1583} for name in ("fine_tuning", *tables.RESULTS)},
}


@pytest.fixture(scope="module")
def metrics():
    return read_json(readme.SHIPPED)


def beside(metrics, other_seeds=(), **others):
    return Backbones.of({"embedded": (metrics, other_seeds)} | {name: (found, []) for name, found in others.items()})


def test_tables_hold_the_numbers_of_the_run(metrics):
    content = readme.parts(PROVENANCE, beside(metrics, photographs=metrics), {})
    line = next(line for line in content["figures"].splitlines() if line.startswith("| 4 |"))
    assert line.endswith("| [04](notebooks/04_head_ablation.ipynb) | `make figure-4` | 64&nbsp;s | 704&nbsp;MiB |")
    assert f"{metrics['ablation.largest_head.effect_percent']:.3g} %" in line
    assert f"| {500.4 * (len(tables.RESULTS) + 1) / 60:.0f}&nbsp;min | 1583&nbsp;MiB |" in content["figures"]
    assert f"| start time | {metrics['accuracy.start_time.pearson_r']:.3f} (" in content["accuracy"]
    assert f"| {500.4 * len(tables.RESULTS) / 60:.0f}&nbsp;min | 1583&nbsp;MiB |" in content["figures"]
    assert f"| 12 | {metrics['ablation.layer_12.mean_percent']:.2f} % (" in content["ablation"]
    assert f"{metrics['ablation.significant_heads_bh']} of 144 heads" in content["ablation"]
    released = next(line for line in content["protocols"].splitlines() if "as released" in line)
    assert f"| {metrics['released.ablation.lag_1_autocorrelation']:.2f} (" in released
    assert released.endswith("| 128 |")


def test_speed_holds_the_numbers_of_the_benchmark():
    measured = read_json(readme.BENCHMARK)
    text = tables.speed(measured | {"estimates.64.width_for_the_same_time": 0.111, "sweep.speedup_plain": 9.87})
    assert "0.11 of the half-width of 64 exact images" in text
    assert "the sweep 9.9 times as fast as one head" in text
    assert tables.speed(measured) in (ROOT / "docs" / "measurements.md").read_text()


def test_below_a_figure_stands_what_the_paper_says_and_what_each_backbone_gives(metrics):
    found = beside(metrics, photographs=metrics | {"ablation.largest_head.effect_percent": 4321.0})
    lines = tables.paper_and_here(found, 4).splitlines()
    line = next(line for line in lines if line.startswith("| largest effect of a single head | 0.37 % |"))
    assert f"{metrics['ablation.largest_head.effect_percent']:.3g} %" in line
    assert "4321 %" in line
    assert (
        len([line for line in lines if "mean increase of the loss, layer 6" in line]) == 1
    )  # no other protocol or reading
    assert "drawn anew; nothing is claimed of it" in tables.paper_and_here(found, 2)
    assert "| L6H4 attends to the chirp | monosemantic: the chirp | - | - |" in tables.paper_and_here(found, 6)
    assert "A dash: cannot be tested" in tables.paper_and_here(found, 6)


def test_findings_hold_the_numbers_of_each_run(metrics):
    key = "accuracy.unselected.start_time.pearson_r"
    other = metrics | {key: 0.1234, "ablation.largest_head.effect_percent": 4321.0}
    text = readme.findings(beside(metrics, photographs=other))
    assert f"is {metrics[key]:.3f} (" in text
    assert "and 0.123 (" in text
    assert "by 4321 % (" in text
    assert "{" not in text


def test_what_findings_say_in_words_is_so():
    """The numbers of the sentences are filled; what they are said to show has to hold of them."""
    e, p = (shipped_metrics(name) for name in ("embedded", "photographs"))
    assert all(abs(run["accuracy.unselected.start_time.pearson_r"] - 0.984) < 0.01 for run in (e, p))
    assert all(run["ablation.largest_head.effect_low_percent"] > 10 * 0.37 for run in (e, p))
    early, late = "ablation.layers_1_to_3.mean", "ablation.layers_4_to_12.mean_low_percent"
    assert p[f"{early}_high_percent"] < p[late]
    assert e[f"{early}_without_largest_high_percent"] < e[late] < e[f"{early}_percent"]
    chirp, before = "semantics.chirp_heads", "before_fine_tuning.semantics.chirp_heads"
    assert p[before] < p[chirp] / 4
    assert e[before] > e[chirp] * 0.9
    assert all(run["semantics.monosemantic_by_place"] == 0 for run in (e, p))
    rank, shuffled = "ablation.rank_autocorrelation", "ablation.rank_autocorrelation_shuffled_high"
    assert e[f"published.{rank}"] > e[f"published.{shuffled}"]
    assert e[f"released.{rank}"] > 0.5
    assert all(abs(run[rank]) < 0.2 for run in (e, p))
    low, high = (p[f"ablation.rank_autocorrelation_shuffled_{end}"] for end in ("low", "high"))
    assert low < p[rank] < high
    assert p["released.ablation.rank_autocorrelation_shuffled_high"] < p[f"released.{rank}"] < 0.2


def test_badges_wait_for_an_address():
    assert "pyproject.toml" in readme.badges(f"https://github.com/{readme.NO_ADDRESS}")
    found = readme.badges("https://github.com/someone/heads")
    assert "(https://mybinder.org/v2/gh/someone/heads/main?" in found
    assert "https://github.com/someone/heads/actions/workflows/ci.yml/badge.svg" in found
    assert (ROOT / ".github" / "workflows" / "ci.yml").is_file()


def test_tables_are_rectangular(metrics):
    for text in readme.parts(PROVENANCE, beside(metrics, photographs=metrics), {}).values():
        widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
        assert len(widths) <= 1


def test_the_ledger_shows_the_value_of_every_training_seed(metrics):
    table = tables.ledger_table(beside(metrics, [metrics, metrics]))
    row = next(line for line in table.splitlines() if "correlation of predicted and true start times" in line)
    value = f"{metrics['accuracy.unselected.start_time.pearson_r']:.3g}"
    assert row.endswith(f"| {value}, {value}, {value}; 3 of 3 agree |")
    assert table.splitlines()[0].endswith("| 3 fine-tuning seeds, same backbone |")
    assert "L6H4" in table.splitlines()[-1]


def test_the_released_protocol_has_a_row_of_its_own_where_it_depends_on_the_width_of_a_head(metrics):
    start, key = "| layers 1 to 3 matter less than the others | smallest |", "ablation.layers_1_to_3.mean_percent"

    def rows(scaled):
        table = tables.ledger_table(beside(metrics | {f"released.{key}": 0.0, f"to_scale.{key}": scaled}))
        return [line.removeprefix(start) for line in table.splitlines() if line.startswith(start)]

    assert [row.split(" | ")[0] for row in rows(0.0)] == [" described", " released, to scale"]
    described, scaled, released = rows(1e6)
    assert "**not reproduced**" in scaled
    assert "**reproduced; depends on head width**" in released


def test_a_reading_has_a_row_where_its_verdict_is_another_one_on_any_backbone(metrics):
    start, key = "| mean increase of the loss, layer 6 if counted from zero", "ablation.layer_7.mean"
    ends = {f"{key}{end}_percent": 0.34 for end in ("", "_low", "_high")}
    embedded = metrics | {name.replace("layer_7", "layer_6"): value for name, value in ends.items()} | ends

    def shown(**others):
        return sum(line.startswith(start) for line in tables.ledger_table(beside(embedded, **others)).splitlines())

    assert shown(photographs=embedded) < shown(photographs=embedded | dict.fromkeys(ends, 1000000.0))


def test_filling_replaces_every_part(metrics):
    content = readme.parts(PROVENANCE, beside(metrics, photographs=metrics), {})
    for page, names in readme.PAGES.items():
        text = "".join(f"<!-- {part} -->old<!-- /{part} -->\n" for part in names)
        filled = readme.filled(page, text, content)
        assert "old<" not in filled
        assert filled == readme.filled(page, filled, content)
        with pytest.raises(CompanionError, match=rf"{page.name} lacks the marks"):
            readme.filled(page, "", content)
    assert set(content) == {part for names in readme.PAGES.values() for part in names}


def test_prose_gives_the_counts_of_verdicts_that_the_run_has(metrics):
    counts = [metrics[f"claims.{name}"] for name in ("partly", "not_reproduced", "not_informative")]
    untestable, reproduced = metrics["claims.cannot_be_tested_here"], metrics["claims.reproduced"]
    partly, refuted, moot = counts
    said = (
        f"{_are(partly)} in part, {_are(refuted)} not, {_are(moot)} not informative, and {untestable} cannot be tested"
    )
    ledger = ROOT / "notebooks" / "07_claims_ledger.py"
    words = " ".join(ledger.read_text().replace("\n# ", " ").split())
    assert said in words
    assert f"{reproduced or 'None'} of {sum(counts) + untestable + reproduced} " in words


def _are(count):
    return f"{count} {'is' if count == 1 else 'are'}"
