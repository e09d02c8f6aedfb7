from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from paper_utils import attention
from paper_utils.attention.controls import MOVES
from paper_utils.attention.mapped import MappedImages
from paper_utils.attention.maps import AttentionMaps
from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.data.dataset import sample


@pytest.fixture(scope="module")
def mapped(planted):
    """Return a function to images of a variant with maps of three heads.

    The first follows the chirp, the second the title; the third attends to where the title is in published images.
    """

    @cache
    def of(variant):
        chirps, images = zip(*[sample(4, index, variant=variant) for index in range(12)], strict=True)
        pixels, regions = (np.stack([getattr(image, part) for image in images]) for part in ("pixels", "regions"))
        coverage = np.stack([attention.feature_coverage(one) for one in regions])
        still = planted(coverage, "title") if variant == "published" else of("published").maps.patches[:, :, 2:]
        maps = np.concatenate([planted(coverage, "chirp"), planted(coverage, "title"), still], axis=2)
        return MappedImages(list(chirps), pixels, regions, AttentionMaps(maps, maps, np.ones((12, 1, 14, 14))))

    return of


@pytest.fixture(scope="module")
def drives(mapped):
    return attention.content_or_position(mapped, attention.classify_heads(mapped("published")))


def test_planted_heads_are_counted_by_what_drives_them(drives):
    assert drives.metrics() == {
        "semantics.monosemantic_by_content": 2,
        "semantics.monosemantic_by_leaving": 0,
        "semantics.monosemantic_by_place": 1,
        "semantics.monosemantic_by_mixed": 0,
    }
    title = drives.table().loc[("title", VARIANTS["moved_up"].label)]
    assert title.tolist() == [1, 1, 0, 2, 12]
    assert ("chirp", "another image") in drives.table().index


def test_the_figures_data_name_head_and_feature(drives):
    drawn = drives.of_monosemantic()
    assert drawn["labels"] == ["L1H1 chirp", "L1H2 title", "L1H3 title"]
    assert drawn["drives"] == ["content-driven", "content-driven", "position-driven"]
    assert (drawn["low"] <= drawn["stays"]).all()
    assert (drawn["stays"] <= drawn["high"]).all()
    assert drawn["stays"][2] == pytest.approx(1, abs=0.05)


def test_controls_that_disagree_are_mixed(drives):
    """The third head attends to the title's place: with one control that it left, the two do not agree."""
    moved, removed = (("title", name) for name in attention.CONTROLS["title"])
    left = drives.comparisons | {
        removed: replace(drives.comparisons[removed], drive=np.array([["content-driven"] * 3]))
    }
    assert drives.comparisons[moved].drive[0, 2] == drives.comparisons[removed].drive[0, 2] == "position-driven"
    assert replace(drives, comparisons=left).drives()[2] == "mixed"


def test_a_control_that_cannot_tell_is_left_out(drives):
    moved, removed = (("title", name) for name in attention.CONTROLS["title"])
    other = drives.comparisons[removed]
    blind = replace(other, drive=np.full((1, 3), "not applicable"), stays=np.full((1, 3), np.nan))
    told = replace(drives, comparisons=drives.comparisons | {removed: blind})
    assert told.drives()[2] == drives.comparisons[moved].drive[0, 2] == "position-driven"
    assert told.of_monosemantic()["stays"][2] == drives.comparisons[moved].stays[0, 2]
    nothing = replace(told, comparisons=told.comparisons | {moved: blind})
    assert nothing.drives()[2] == "not applicable"


def test_a_feature_that_is_only_moved_shows_no_more_than_that(drives):
    one = replace(drives, heads=drives.heads[:1], features=("left edge",))
    content = replace(drives.comparisons["chirp", "no_chirp"], drive=np.full((1, 3), "content-driven"))
    assert replace(one, comparisons={("left edge", "moved_right"): content}).drives() == ["leaves its place"]
    position = replace(content, drive=np.full((1, 3), "position-driven"))
    assert replace(one, comparisons={("left edge", "moved_right"): position}).drives() == ["position-driven"]


def test_all_features_but_edges_and_corners_are_also_removed():
    for feature, names in attention.CONTROLS.items():
        assert not set(names) <= set(MOVES) or feature.endswith(("edge", "corner"))
        assert set(names) & set(MOVES)
