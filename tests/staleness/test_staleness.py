"""What an edit makes stale: a copy of the tree is edited, and its own `status` says what it finds.

Nothing is trained or swept here: shipped results are held against the edited code, as results of a run and as those that
ship.
"""

import json
import re

import pytest

from paper_utils.pipeline.figures import FIGURES
from tests.staleness.status import JUDGED, edit, unfresh


def probes_run(tree):
    return set(json.loads((tree / "build" / "probes.json").read_text()))


def test_an_untouched_tree_is_fresh_and_runs_no_probe(tree):
    before = probes_run(tree)
    assert unfresh(tree) == {}
    assert probes_run(tree) == before


def test_docstrings_comments_private_names_and_moved_modules_make_nothing_stale(tree):
    edit(
        tree,
        "paper_utils/interventions/engine.py",
        ('"""Ablate heads', '"""Do ablate heads'),
        ("_sweep_batch", "_sweep_some"),
    )
    edit(tree, "paper_utils/models/regressor.py", ('"""The paper\'s model', '"""This is the paper\'s model'))
    edit(
        tree,
        "paper_utils/plots/ablation.py",
        ("import numpy as np", "import numpy as np  # arrays"),
        ("_cells", "_draw_cells"),
    )
    moved = tree / "paper_utils" / "interventions"
    (moved / "constants.py").rename(moved / "put_instead.py")
    edit(tree, "paper_utils/interventions/engine.py", (".constants import", ".put_instead import"))
    before = probes_run(tree)
    assert unfresh(tree) == {}
    assert probes_run(tree) != before  # they were run, and agreed


@pytest.mark.parametrize("other", ['"python": "3.13.0"', '"python": "3.11.7", "torch": "9.9"'], ids=["Python", "torch"])
def test_another_python_or_torch_runs_the_probes_and_keeps_results_that_agree(tree, other):
    edit(
        tree,
        "paper_utils/pipeline/provenance.py",
        (
            'return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}',
            f"return {{{other}}}",
        ),
    )
    before = probes_run(tree)
    assert unfresh(tree) == {}
    assert not probes_run(tree) & before


def test_another_matplotlib_draws_every_figure_again_and_keeps_results(tree):
    edit(tree, "paper_utils/pipeline/made_by.py", ("{name: version(name) for", '{name: f"9.{version(name)}" for'))
    found = unfresh(tree)
    assert {name.split()[0] for name in found} == {"figure", "notebook"}
    assert {name.removeprefix("figure ") for name in found if name.startswith("figure")} == set(FIGURES)
    assert re.fullmatch(r"drawn with matplotlib (\S+), now 9\.\1", found["figure figure_4"])


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        ("paper_utils/plots/house.mplstyle", "font.size: 8", "font.size: 9", "figure figure_4"),
        ("data/published_figure4.csv", "0", "1", "notebook 04_head_ablation"),
        ("data/published_heads.json", "1", "2", "notebook 07_claims_ledger"),
    ],
)
def test_style_sheets_and_published_numbers_are_looked_at(tree, file, before, after, expected):
    edit(tree, file, (before, after))
    found = unfresh(tree)
    assert expected in found
    assert not [name for name in found if name.startswith("result")]


def test_a_colour_map_makes_one_figure_stale_and_no_result(tree):
    edit(tree, "paper_utils/plots/effects.py", ('cmap="coolwarm"', 'cmap="PuOr"'))
    found = unfresh(tree)
    assert {name for name in found if not name.startswith("notebook")} == {"figure figure_4"}
    assert {name for name in found if name.startswith("notebook")} == {"notebook 04_head_ablation"}


def test_the_number_of_common_images_makes_stale_what_takes_them_and_its_figures(tree):
    edit(tree, "paper_utils/pipeline/profiles.py", ("common_images=128", "common_images=130"))
    found = unfresh(tree)
    assert found["result protocols"] == "setting common_images was 128, is 130"
    assert {name for name in found if name.startswith("result")} == {
        "result patching",
        "result protocols",
        "result variant_predictions",
    }
    assert "figure figure_4" not in found


def test_a_rule_of_a_claim_makes_verdicts_stale_alone(tree):
    edit(tree, "paper_utils/claims/rules.py", ("published - 3 * margin", "published - 4 * margin"))
    assert set(unfresh(tree)) == JUDGED


def test_how_a_metric_is_taken_makes_the_ledger_stale(tree):
    edit(
        tree,
        "paper_utils/interventions/pruning.py",
        ("errors.sum(-1) / intact.sum()", "errors.sum(-1) - intact.sum()"),
    )
    found = unfresh(tree)
    assert "notebook 07_claims_ledger" in found
    assert all(name.startswith("notebook") for name in found)


def test_a_claim_makes_verdicts_stale_alone(tree):
    edit(tree, "data/claims.json", ("0.9841", "0.9842"))
    assert set(unfresh(tree)) == JUDGED


BUGS = {
    "a bias dropped in the engine": (
        "paper_utils/interventions/engine.py",
        "return bias.detach().view(self.heads, self.size)",
        "return 0 * bias.detach().view(self.heads, self.size)",
        "result ablation",
        r"probe: ablated (mean|projection) expected \S+, found \S+",
    ),
    "the jump of clipped exponential chirps": (
        "paper_utils/data/chirps.py",
        "(end / max(start, 1)) ** progress",
        "(max(end, 1) / max(start, 1)) ** progress",
        "result fine_tuning",
        r"probe of images: chirp 1 projection expected \S+, found \S+",
    ),
    "other images in the pool": (
        "paper_utils/pipeline/predicted.py",
        "range(work.profile.test_images, work.profile.ablation_pool)",
        "range(work.profile.test_images + 1, work.profile.ablation_pool)",
        "result pool",
        r"probe: predictions mean expected \S+, found \S+",
    ),
    "the split seed": (
        "paper_utils/data/dataset.py",
        "seed * SPLIT_STRIDE",
        "(seed + 1) * SPLIT_STRIDE",
        "result fine_tuning",
        r"probe of images: train image 1 projection expected \S+, found \S+",
    ),
    "the label scale": (
        "paper_utils/data/chirps.py",
        "std=table.std(0)",
        "std=table.var(0)",
        "result fine_tuning",
        r"probe of images: label scale deviation mean expected \S+, found \S+",
    ),
    "the learning-rate schedule": (
        "paper_utils/training/schedule.py",
        "RISE = 0.06",
        "RISE = 0.12",
        "result fine_tuning",
        r"probe: .*rates of laptop \w+ expected \S+, found \S+",
    ),
    "the rule that chooses the epoch": (
        "paper_utils/training/checkpoints.py",
        "np.argmin(losses)",
        "np.argmax(losses)",
        "result fine_tuning",
        r"probe: .*epoch kept of paper expected 2, found \d",
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_named_with_stage_number_expected_and_found(tree, name):
    file, before, after, result, reason = BUGS[name]
    edit(tree, file, (before, after))
    found = unfresh(tree, "--shipped")
    assert result in found, found
    assert re.search(reason, found[result]), found[result]
