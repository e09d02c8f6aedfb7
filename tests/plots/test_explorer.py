import html.parser
import json

import numpy as np
import pandas as pd
import pytest

from paper_utils.attention import controls
from paper_utils.attention import scores as region_scores
from paper_utils.attention.mapped import MappedImages
from paper_utils.attention.maps import AttentionMaps
from paper_utils.data.chirps import draw_chirp
from paper_utils.errors import CompanionError
from paper_utils.plots import explorer
from paper_utils.statistics import HeadEffects

LAYERS, HEADS, IMAGES = 3, 4, 2
KEYS = """<script>
addEventListener("load", () => setTimeout(() => {
  const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  document.querySelector(".grid button[tabindex='0']").focus();
  for (const key of ["Home", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft", "End"]) press(key);
  document.querySelector("input[value=cls]").click();
  document.querySelector("input[value=effect]").click();
  document.body.dataset.focused = document.activeElement.getAttribute("aria-label");
}, 300));
</script></body>"""


@pytest.fixture(scope="module")
def page():
    rng = np.random.default_rng(0)
    shape = LAYERS, HEADS
    kinds = np.full(shape, "polysemantic", object).astype("<U12")
    features = np.full(shape, "", object).astype("<U30")
    kinds[1, 3], features[1, 3] = "monosemantic", "colour bar"
    scores = {name: rng.random((len(region_scores.FEATURES), *shape)) * 3 for name in region_scores.SCORES}
    scored = region_scores.Scores(scores, scores, scores)
    increase = rng.normal(size=shape)
    effects = HeadEffects(increase, increase - 1, increase + 1, np.ones(shape), increase > 1, increase > 2)
    drive = np.full(shape, "not applicable", object).astype("<U14")
    drive[1, 3] = "content-driven"
    part = np.where(drive == "content-driven", 0.2, np.nan)
    driven = {("colour bar", "no_colour_bar"): controls.ControlledHeads(drive, part, part, part - 0.1, part + 0.1)}
    maps = rng.random((IMAGES + 1, *shape, 14, 14))
    pixels = rng.integers(0, 255, (IMAGES + 1, 224, 224, 3), dtype=np.uint8)
    chirps = [draw_chirp(0, index)[0] for index in range(IMAGES + 1)]
    mapped = MappedImages(chirps, pixels, pixels[..., 0], AttentionMaps(maps, maps[:, :, :, ::-1], maps[:, :, 0]))
    return explorer.explorer_page(
        mapped,
        explorer.Heads(kinds, features, {"patches": scored, "cls": scored}, effects, driven),
        origin=pd.DataFrame({"run": {"profile": "smoke <b>", "seed": 42}}),
        labels={"no_colour_bar": "none </script><b>"},
        images=IMAGES,
    )


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.buttons, self.outside, self.data, self.inside = [], [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.inside = attributes.get("id") == "data"
        if tag == "button":
            self.buttons.append(attributes["aria-label"])
        self.outside += [value for key, value in attributes.items() if key in ("src", "href")]

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        self.data += text if self.inside else ""


def test_every_head_is_labelled_without_a_script_and_nothing_is_fetched(page):
    parsed = Page(page)
    assert len(parsed.buttons) == LAYERS * HEADS
    assert parsed.buttons[7].startswith("L2H4: monosemantic, colour bar ")
    assert parsed.outside == []
    assert "http" not in page
    assert "{{" not in page
    assert "<b>" not in page  # what is given is escaped


def test_the_data_hold_what_was_given(page):
    data = json.loads(Page(page).data)
    assert len(data["captions"]) == len(data["images"]) == IMAGES
    assert data["heads"][7]["driven"] == [["colour bar", "none </script><b>", "20 % (10 to 30)", "content-driven"]]
    assert data["heads"][0]["driven"] == []
    assert len(data["heads"][7]["scores"]["cls"]) == 5


def test_it_works_in_a_browser_from_a_file_by_keyboard(page, tmp_path, shown):
    path = tmp_path / "explorer.html"
    path.write_text(page.replace("</body>", KEYS))
    document = shown(f"{path}#L2H2")
    assert (
        'data-focused="L2H4: monosemantic' in document
    )  # from L2H2: home, up, up again in vain, down, right, left, end
    assert "<h2>L2H4: monosemantic, colour bar" in document
    assert document.count("<canvas") == IMAGES
    assert "Regions it attends to most, from CLS" in document
    assert "query, key and value weights zeroed, the loss changes by" in document
    assert "not significant at a false discovery rate" in document
    assert "20 % (10 to 30)" in document


def test_maps_must_be_of_the_described_heads():
    maps = AttentionMaps(np.ones((2, 1, 1, 14, 14)), np.ones((2, 1, 1, 14, 14)), np.ones((2, 1, 14, 14)))
    mapped = MappedImages([], np.zeros((2, 224, 224, 3), np.uint8), np.zeros((2, 224, 224)), maps)
    heads = explorer.Heads(np.full((2, 3), "unselective"), np.full((2, 3), ""), {}, None, {})
    with pytest.raises(CompanionError, match=r"maps \(2, 1, 1, 14, 14\) are not of the \(2, 3\) heads"):
        explorer.explorer_page(mapped, heads, origin=pd.DataFrame(), labels={})
