import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils import lines
from paper_utils.errors import CompanionError
from paper_utils.orientation import colour

NAMES = tuple(lines.COLOURS)


def errors_of(by_colour, *, each=40, noise=1.0):
    rng = np.random.default_rng(0)
    names = np.repeat(NAMES, each)
    values = np.array([by_colour.get(name, 10.0) for name in names]) + rng.normal(0, noise, (2, len(names)))
    return colour.ColourErrors(values, names, np.array([lines.contrast(lines.COLOURS[name]) for name in NAMES]))


LABELS = st.lists(st.integers(0, 3), min_size=4, max_size=12)


@given(st.data())
def test_the_adjusted_rand_index_counts_pairs(data):
    first = data.draw(LABELS)
    second = data.draw(st.lists(st.integers(0, 3), min_size=len(first), max_size=len(first)))
    pairs = list(itertools.combinations(range(len(first)), 2))
    same = [(first[i] == first[j], second[i] == second[j]) for i, j in pairs]
    both, rows, columns = (
        sum(found) for found in ([a and b for a, b in same], [a for a, _ in same], [b for _, b in same])
    )
    expected, most = rows * columns / len(pairs), (rows + columns) / 2
    found = colour.adjusted_rand(np.array(first), np.array(second))
    assert found == pytest.approx(1.0 if most == expected else (both - expected) / (most - expected))


def test_colours_whose_errors_differ_are_told_from_chance():
    told = errors_of({"blue": 20.0, "teal": 20.0, "purple": 20.0})
    found = told.bluish_and_yellowish()
    assert found["bluish"][0] == pytest.approx(20, abs=0.5)
    assert found["difference"] == pytest.approx((10, 10, 10), abs=1)
    assert told.spread_by_chance() == 0.001
    same = errors_of({}, noise=5.0)
    assert same.spread_by_chance() > 0.02
    assert same.heights_by_chance().shape == (999, 10)
    last = same.tree()[-1, 2]
    assert (
        np.percentile(same.heights_by_chance()[:, -1], 0.5)
        < last
        < np.percentile(same.heights_by_chance()[:, -1], 99.5)
    )


def test_clusters_that_are_the_categories_agree_with_them():
    by_category = {"warm": 10.0, "cool": 20.0, "without hue": 40.0}
    value, low, high = errors_of({name: by_category[kind] for name, kind in colour.CATEGORIES.items()}).agreement()
    assert (value, low, high) == (1, 1, 1)
    assert set(colour.CATEGORIES) == set(NAMES)
    assert errors_of({}).agreement_of_contrast() < 0.5


def test_an_error_that_follows_contrast_is_seen_to():
    contrast = {name: lines.contrast(lines.COLOURS[name]) for name in NAMES}
    value, _, high = errors_of({name: 40 - 2 * d for name, d in contrast.items()}, noise=0.1).with_contrast()
    assert value < -0.95
    assert high < -0.8
    table = errors_of({}).table()
    assert table.index[-1] == "white"
    assert table["Images"].tolist() == [40] * 11


def test_equal_colours_stand_out_alike_and_keep_their_hue():
    equal = lines.equal_contrast()
    found = [lines.contrast(colour) for colour in equal.values()]
    assert np.ptp(found) < 0.02 * np.mean(found)
    assert equal["purple"] == lines.COLOURS["purple"]
    red, green, blue = equal["orange"]
    assert (blue, green / red) == (0, pytest.approx(165 / 255, abs=0.02))


def test_variants_change_what_they_say():
    drawn = lines.draw_lines("IV", 6, seed=3)
    plain, dot, equal = (lines.variant_images(drawn, range(6), variant=name) for name in lines.VARIANTS)
    assert np.array_equal(plain[2], lines.line_image(drawn, 2))
    assert (dot != plain).any((1, 2, 3)).all()
    assert equal.mean() < plain.mean()
    with pytest.raises(
        CompanionError, match="no variant of line images is called 'loud'; choose one of published, dot"
    ):
        lines.check_variant("loud")
