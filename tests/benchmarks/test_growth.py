import dataclasses

import numpy as np
import pytest

from benchmarks.growth import (
    BASE,
    EMBEDDED,
    FIELDS,
    PAGE,
    TARGET,
    WORKS,
    Size,
    filled,
    fit,
    in_parts,
    measured,
    report,
    sizes,
    tables,
)
from paper_utils.files import read_json

POWERS = {"images": 1.0, "layers": 2.0, "heads": 1.0, "width": 1.5, "tokens": 1.2}


def cost(size):
    return 1e-6 * np.prod([getattr(size, name) ** power for name, power in POWERS.items()])


def test_four_sizes_of_each_field_are_measured():
    for name in (*FIELDS[:-1], "grid"):
        assert len({getattr(size, name) for size in sizes()}) >= 4


def test_a_law_is_found_again_and_foretells_other_sizes():
    law = fit([(size, cost(size)) for size in sizes()])
    assert law.powers == pytest.approx(POWERS)
    large = Size(images=100, layers=24, heads=16, width=1024, grid=14)
    assert law.at(large) == pytest.approx(cost(large))


def test_many_images_cost_as_many_parts():
    law = fit([(size, cost(size) ** 0.5) for size in sizes()])  # of the fitted images' powers, a half
    one, many = (dataclasses.replace(EMBEDDED, images=count) for count in (32, 320_000))
    assert in_parts(law, many) == pytest.approx(10_000 * law.at(one))


def test_the_page_has_the_tables_of_what_was_measured():
    page = PAGE.read_text()
    assert page == filled(page, read_json(TARGET))
    assert "| every head exactly | time |" in page


def test_the_embedded_size_is_told_but_not_fitted_to():
    values = {
        work: [(size, {"seconds": cost(size), "mib": cost(size)}) for size in sizes()]
        + [(EMBEDDED, {"seconds": 7.0, "mib": 7.0})]
        for work in WORKS
    }
    laws = report(values)
    assert laws["sweep.seconds"]["measured"] == 7.0
    assert laws["sweep.seconds"]["by_the_law"] == pytest.approx(cost(EMBEDDED))
    assert "| 7 |" in tables(laws)["powers"]


@pytest.mark.parametrize("work", WORKS)
def test_every_work_is_done_at_a_small_size(work):
    found = measured(work, dataclasses.replace(BASE, images=2, layers=2, heads=2, width=32, grid=4))
    assert found["seconds"] > 0
    assert found["mib"] >= 1
