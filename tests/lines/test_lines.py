"""Against shares computed apart from this code, the definition of each set, and simulated pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils import lines
from paper_utils.errors import CompanionError
from paper_utils.lines.samples import _twin

COUNT = 100_000


@pytest.fixture(scope="module")
def decidability():
    return lines.Decidability.measure(count=COUNT)


@pytest.mark.parametrize("name", lines.SETS)
def test_lines_are_as_the_set_says(name):
    kind, drawn = lines.SETS[name], lines.draw_lines(name, 20_000, seed=1)
    for values, ends in ((drawn.length, kind.lengths), (drawn.width, kind.widths)):
        found, counts = np.unique(values, return_counts=True)
        assert found.tolist() == list(range(ends[0], ends[1] + 1))
        assert counts.min() > 0.7 * counts.mean()
    assert set(drawn.colour) == set(kind.colours)
    assert (drawn.start >= drawn.margin[:, None]).all()
    assert (drawn.start <= 223 - drawn.margin[:, None]).all()
    assert (drawn.end >= 0).all()
    assert (drawn.end <= 223).all()
    assert np.histogram(drawn.angle, 36, (0, 360))[0].min() > 450
    reached = np.hypot(*(drawn.end - drawn.start).T)
    assert (reached <= drawn.length).all()
    assert (reached > drawn.length - 1.5).all()


def test_the_first_lines_do_not_depend_on_how_many_are_drawn():
    few, many = (lines.draw_lines("IV", count, seed=3) for count in (5, 50))
    assert np.array_equal(few.end, many.end[:5])
    assert np.array_equal(lines.line_image(few, 4), lines.line_image(many, 4))


def test_an_image_has_its_line_its_colour_and_its_noise():
    drawn = lines.draw_lines("IV", 400, seed=5)
    for index in range(40):
        image = lines.line_image(drawn, index)
        assert image.shape == (224, 224, 3)
        assert image.dtype == np.uint8
        if drawn.noise[index] == 0:
            x, y = drawn.start[index]
            assert tuple(image[y, x]) == lines.COLOURS[drawn.colour[index]]
            assert (image.any(-1)).sum() < 6 * 110
        else:
            corner = image[:15, :15].astype(float)  # no line begins or ends there, half of the noise is cut
            assert corner.mean() == pytest.approx(255 * drawn.noise[index] / np.sqrt(2 * np.pi), rel=0.15)


def test_how_many_images_fit_two_labels_is_known(decidability):
    shares = [100 * decidability.share[name] for name in ("I", "II", "III")]
    assert shares == pytest.approx([54.5, 37.2, 35.8], abs=0.5)
    assert decidability.by_length["II"]["70 to 100"] < 0.03


def test_what_perfect_readers_come_to_is_known(decidability):
    loss = [[decidability.loss[name][reader] for reader in lines.READERS] for name in ("I", "II", "III")]
    assert np.ravel(loss) == pytest.approx([0.02462, 0.02451, 0.01679, 0.01673, 0.01614, 0.01609], rel=0.015)
    assert [decidability.r[name]["midpoint"] for name in ("I", "II", "III")] == pytest.approx(
        [0.77, 0.85, 0.86], abs=0.01
    )


def test_the_error_of_a_reader_that_answers_180_is_known():
    found = lines.perfect_errors("180", count=COUNT // 2)
    at = {name: found[name].error[[18, 9, 27, 0]] for name in found}
    assert at["I"] == pytest.approx([1.5, 54, 54, 106], rel=0.1)
    assert at["II"] == pytest.approx([1, 35, 35, 70], rel=0.1)
    assert (found["I"].low <= found["I"].error).all()
    assert (found["I"].error <= found["I"].high).all()
    assert lines.cardinal_table(found).shape == (4, 5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 359.9), min_size=40, max_size=60))
def test_the_loss_is_hubers(angles):
    torch = pytest.importorskip("torch")
    angles = np.array(angles)
    answers = np.roll(angles, 1)
    expected = torch.nn.functional.huber_loss(
        torch.tensor(answers / 180 - 1), torch.tensor(angles / 180 - 1), delta=0.1
    )
    assert lines.huber(answers, angles) == pytest.approx(expected.item())


def test_two_labels_are_one_image_but_for_lines_one_pixel_wide():
    assert lines.TwoLabels.of("I", pairs=30).different_pixels == 0
    table = lines.same_from_both_ends(count=300)
    assert table["The same image (%)"].tolist()[1:] == ["100"] * 4
    assert 50 < float(table["The same image (%)"].iloc[0]) < 80
    drawn = lines.draw_lines("I", 20, seed=1)
    assert _twin(drawn, 0).shape == (224, 224, 3)


@pytest.mark.parametrize(
    ("name", "published"),
    [("purple", 3.7), ("teal", 3.7), ("red", 7.2), ("orange", 8.0), ("pink", 9.6), ("white", 12.5)],
)
def test_contrasts_are_those_computed_elsewhere_and_simulated(name, published):
    found = lines.contrasts()[name]
    assert found == pytest.approx(published, abs=0.06)
    rng, colour = np.random.default_rng(0), np.array(lines.COLOURS[name])
    dark, bright = (np.clip(level + rng.normal(0, 51, (200_000, 3)), 0, 255) for level in (np.zeros(3), colour))
    simulated = (bright.mean(0) - dark.mean(0)) ** 2 / ((bright.var(0) + dark.var(0)) / 2)
    assert found == pytest.approx(np.sqrt(simulated.sum()), rel=0.01)


def test_unknown_names_are_named():
    with pytest.raises(CompanionError, match="no set of lines is called 'V'; choose one of I, II, III, IV"):
        lines.draw_lines("V", 1, seed=0)
    with pytest.raises(CompanionError, match="no reader is called 'eye'; choose one of 180, midpoint"):
        lines.read(lines.draw_lines("I", 1, seed=0), "eye")
