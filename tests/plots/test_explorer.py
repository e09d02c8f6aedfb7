import html
import html.parser
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from paper_utils.attention import controls
from paper_utils.attention import scores as region_scores
from paper_utils.attention.mapped import MappedImages
from paper_utils.attention.maps import AttentionMaps
from paper_utils.data.chirps import draw_chirp
from paper_utils.errors import CompanionError
from paper_utils.interventions.ablation import Ablation
from paper_utils.interventions.effects import AblationEffects
from paper_utils.interventions.recovered import PatchingRecovery
from paper_utils.interventions.targets import TargetEffects
from paper_utils.plots import explorer

LAYERS, HEADS, IMAGES = 3, 4, 2
SIDE = 14
SCRIPT = """<script>
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const note = (name, value) => { document.body.dataset[name] = value; };
const headings = () => [...document.querySelectorAll("h2")].map(one => one.textContent.split(":")[0]).join();
const tick = () => new Promise(done => setTimeout(done, 50));
addEventListener("load", async () => {
  while (!document.body.dataset.ready) await tick();
  %s
});
</script></body>"""


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def chirps():
    return [draw_chirp(0, index)[0] for index in range(IMAGES + 1)]


@pytest.fixture(scope="module")
def known(rng):
    shape = LAYERS, HEADS
    kinds = np.full(shape, "polysemantic", object).astype("<U12")
    features = np.full(shape, "", object).astype("<U30")
    kinds[1, 3], features[1, 3] = "monosemantic", "colour bar"
    scores = {name: rng.random((len(region_scores.FEATURES), *shape)) * 3 for name in region_scores.SCORES}
    scored = region_scores.Scores(scores, scores, scores)
    increase = rng.normal(size=shape)
    by_target = np.stack([increase, 2 * increase, 3 * increase])
    effects = AblationEffects(
        increase,
        increase - 1,
        increase + 1,
        np.ones(shape),
        increase > 1,
        increase > 2,
        layer_low_high=np.zeros((LAYERS, 2)),
        ablated=np.ones((*shape, 20)),
        intact=np.ones(20),
        by_target=TargetEffects(by_target, by_target - 1, by_target + 1, np.ones(3), np.ones((3, *shape)), 20),
        is_well_read=np.ones(20, bool),
        weights=np.ones(20),
        exact_images=8,
        effective_images=20.0,
    )
    recovered = {"the image into one without chirp": 10 * rng.random(shape)}
    ends = [{name: value + by for name, value in recovered.items()} for by in (-1, 400)]
    layers = {name: np.ones(LAYERS) for name in recovered}
    recovery = PatchingRecovery(recovered, *ends, layers, layers, layers, 30)
    drive = np.full(shape, "not applicable", object).astype("<U14")
    drive[1, 3] = "content-driven"
    part = np.where(drive == "content-driven", 0.2, np.nan)
    driven = {
        ("colour bar", "no_colour_bar"): controls.ControlledHeads(drive, part, part, part - 0.1, part + 0.1),
        ("colour bar", "moved"): controls.ControlledHeads(drive, part, part, part - 50, part + 0.1),
    }
    said = [
        {"layer": 2, "head": 4, "said_to_see": "colour bar"},
        {"layer": 9, "head": 9, "said_to_see": "nothing here"},
    ]
    return explorer.Heads(kinds, features, {"patches": scored, "cls": scored}, effects, driven, recovery, said)


@pytest.fixture(scope="module")
def predicted(chirps):
    labels = np.array([[chirp.start_time, chirp.start_frequency, chirp.end_frequency] for chirp in chirps])
    moved = labels + np.arange(HEADS)[:, None, None] + 10 * np.arange(LAYERS)[:, None, None, None]
    return Ablation(labels + 0.5, moved, labels, np.ones(3), np.ones(len(labels)))


@pytest.fixture(scope="module")
def queries(rng):
    weights = rng.random((1, LAYERS, HEADS, SIDE**2, SIDE**2)) ** 4
    return weights / weights.sum(-1, keepdims=True) / 2  # the other half goes to CLS


@pytest.fixture(scope="module")
def mapped(rng, chirps):
    maps = rng.random((IMAGES + 1, LAYERS, HEADS, SIDE, SIDE))
    pixels = rng.integers(0, 255, (IMAGES + 1, 224, 224, 3), dtype=np.uint8)
    return MappedImages(chirps, pixels, pixels[..., 0], AttentionMaps(maps, maps[:, :, :, ::-1], maps[:, :, 0]))


@pytest.fixture(scope="module")
def page(mapped, known, predicted, queries):
    return explorer.explorer_page(
        mapped,
        known,
        predictions=predicted,
        queries=queries,
        origin=pd.DataFrame({"run": {"profile": "smoke <b>", "seed": 42}}),
        labels={"no_colour_bar": "none </script><b>"},
        images=IMAGES,
    )


@pytest.fixture
def run_in_browser(page, shown, tmp_path):
    """Return a function that runs a script in the page once it is ready, and returns the document after that."""

    def run(script, hash="", *more):
        path = tmp_path / "explorer.html"
        path.write_text(page.replace("</body>", SCRIPT % script))
        return html.unescape(shown(f"{path}{hash}", *more))

    return run


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
    head = data["heads"][7]
    assert head["driven"] == [
        ["colour bar", "none </script><b>", "20 % (10 to 30)", "content-driven"],
        ["colour bar", "moved", "20 % (below 50 % throughout)", "content-driven"],
    ]
    assert data["heads"][0]["driven"] == []
    assert len(head["scores"]["cls"]) == 5
    assert (head["paper"], data["heads"][0]["paper"]) == ("colour bar", "")
    assert head["recovered"][0][1] == "(interval too wide to tell)"
    assert head["ablated"][0] == pytest.approx(np.array(data["labels"][0]) + 13, rel=1e-3)


def test_it_works_from_a_file_by_keyboard(run_in_browser):
    document = run_in_browser(
        """
        document.querySelector(".grid button[tabindex='0']").focus();
        for (const key of ["Home", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft", "End"]) press(key);
        document.querySelector("input[value=cls]").click();
        document.querySelector("input[value=effect]").click();
        note("focused", document.activeElement.getAttribute("aria-label"));""",
        "#L2H2",
    )
    # from L2H2: home, up, up again in vain, down, right, left, end
    assert 'data-focused="L2H4: monosemantic' in document
    assert "<h2>L2H4: monosemantic, colour bar" in document
    assert "The paper says of L2H4: colour bar." in document
    assert document.count("<figcaption") == IMAGES
    assert "Regions it attends to most, from CLS" in document
    assert "not significant (FDR 5 %)" in document
    assert "20 % (10 to 30)" in document


def test_a_patch_that_is_pointed_at_shows_where_it_looks(run_in_browser, queries, mapped):
    document = run_in_browser(
        """
        const canvas = document.querySelector("canvas[data-image='0']"), box = canvas.getBoundingClientRect();
        const at = { bubbles: true, clientX: box.left + 4.5 / 14 * box.width, clientY: box.top + 2.5 / 14 * box.height };
        const captions = () => [...document.querySelectorAll("figcaption")].map(one => one.textContent).join("|");
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
        note("pointed", captions());
        canvas.focus();
        press("ArrowDown");
        note("below", captions());
        press("Escape");
        note("escaped", captions());""",
        "#L2H3",
    )
    noted = {
        name: re.search(f'data-{name}="([^"]*)"', document)[1].split("|") for name in ("pointed", "below", "escaped")
    }
    most = {name: float(re.search(r"to ([\d.]+)\s% a patch", captions[0])[1]) for name, captions in noted.items()}
    assert "Of patch 5 of row 3:" in noted["pointed"][0]
    assert "Of all patches:" in noted["pointed"][1]  # the second image has no maps of single patches
    assert "Of patch 5 of row 4:" in noted["below"][0]
    assert most["pointed"] == pytest.approx(100 * queries[0, 1, 2, 2 * SIDE + 4].max(), rel=5e-3)
    assert most["below"] == pytest.approx(100 * queries[0, 1, 2, 3 * SIDE + 4].max(), rel=5e-3)
    assert most["escaped"] == pytest.approx(100 * mapped.maps.patches[0, 1, 2].max(), rel=5e-3)


def test_two_heads_are_shown_side_by_side_and_have_a_link(run_in_browser):
    document = run_in_browser(
        """
        document.querySelector("[data-action=keep]").click();
        document.querySelector("input[value=cls]").click();  // a kept head stays so
        document.querySelectorAll(".grid button")[9].click();
        note("two", headings() + location.hash);
        document.querySelector("#detail article:last-child [data-action=drop]").click();
        note("one", headings() + location.hash);
        location.hash = "#L1H1+L2H1"; await tick(); await tick();
        note("linked", headings());""",
        "#L2H2",
    )
    assert 'data-two="L2H2,L3H2#L2H2+L3H2"' in document
    assert 'data-one="L2H2#L2H2"' in document
    assert 'data-linked="L1H1,L2H1"' in document


def test_a_head_of_the_list_comes_beside_a_kept_one_and_nothing_is_linked_before_a_choice(run_in_browser):
    document = run_in_browser(
        """
        note("before", "hash:" + location.hash);
        document.querySelectorAll(".grid button")[4].click();
        document.querySelector("[data-action=keep]").click();
        [...document.querySelectorAll("#list a")].find(one => one.textContent === "L3H3").click(); await tick();
        note("two", headings() + location.hash);
        document.querySelector("#list th button").click();
        note("sorted", document.querySelector("#list th").getAttribute("aria-sort"));"""
    )
    assert 'data-before="hash:"' in document
    assert 'data-two="L2H1,L3H3#L2H1+L3H3"' in document
    assert 'data-sorted="ascending"' in document


def test_a_browser_that_cannot_unpack_says_so_where_it_is_seen(page, shown, tmp_path):
    path = tmp_path / "explorer.html"
    path.write_text(page.replace("<script id=", "<script>delete window.DecompressionStream;</script><script id=", 1))
    document = shown(path)
    assert re.search(r'id="pointing">This browser cannot show how single patches attend', document)
    assert document.count("<figcaption") == IMAGES


def test_a_model_without_cls_is_not_asked_where_it_looks(mapped, known, predicted, queries):
    alike = replace(mapped, maps=replace(mapped.maps, cls=mapped.maps.patches))
    options = {"predictions": predicted, "queries": queries, "origin": pd.DataFrame(), "labels": {}}
    assert "the CLS token</label>" in explorer.explorer_page(mapped, known, **options)
    assert "the CLS token</label>" not in explorer.explorer_page(alike, known, **options)


def test_a_link_works_in_an_open_page_and_an_unknown_head_changes_nothing(run_in_browser):
    document = run_in_browser(
        """
        note("unknown", headings());
        location.hash = "#L3H1"; await tick(); await tick();
        note("linked", headings());""",
        "#L77H1",
    )
    unknown, linked = (re.search(f'data-{name}="([^"]*)"', document)[1] for name in ("unknown", "linked"))
    assert re.fullmatch(r"L\dH\d", unknown)
    assert linked == "L3H1"


def test_the_list_is_sorted_and_filtered(run_in_browser, known):
    document = run_in_browser(
        """
        const first = () => document.querySelector("#list tbody tr").textContent;
        const sort = () => [...document.querySelectorAll("#list th button")].find(one => one.textContent.startsWith("ablation")).click();
        sort(); note("largest", first());
        sort(); note("least", first());
        const filter = document.getElementById("filter");
        filter.value = "named by the paper"; filter.dispatchEvent(new Event("change", { bubbles: true }));
        note("found", document.getElementById("found").textContent);
        note("rows", document.querySelectorAll("#list tbody tr").length);
        note("dimmed", document.querySelectorAll(".dimmed").length);
        document.querySelector("input[value=map]").click();
        note("thumbnails", document.querySelectorAll(".grid canvas").length);""",
    )
    heads = [f"L{layer}H{head}" for layer in range(1, LAYERS + 1) for head in range(1, HEADS + 1)]
    assert f'data-largest="{heads[known.effects.increase.argmax()]}p' in document
    assert f'data-least="{heads[known.effects.increase.argmin()]}p' in document
    assert 'data-found="1 of 12 heads"' in document
    assert 'data-rows="1"' in document
    assert 'data-dimmed="11"' in document
    assert 'data-thumbnails="12"' in document


def test_on_a_phone_the_head_that_is_tapped_comes_into_view(run_in_browser):
    script = """
        note("before", scrollY);
        document.querySelector(".grid button").click(); await tick(); await tick();
        note("top", Math.round(document.getElementById("detail").getBoundingClientRect().top));"""
    narrow = run_in_browser(script, "", "--window-size=500,900", "--force-prefers-reduced-motion")
    assert 'data-before="0"' in narrow  # what nobody chose is not scrolled to
    assert abs(int(re.search(r'data-top="(-?\d+)"', narrow)[1])) < 20


def test_what_does_not_belong_together_is_refused(mapped, known, predicted, queries):
    options = {"predictions": predicted, "queries": queries, "origin": pd.DataFrame(), "labels": {}}
    fewer = replace(mapped, maps=AttentionMaps(*(maps[:, :1] for maps in vars(mapped.maps).values())))
    with pytest.raises(CompanionError, match=r"maps \(3, 1, 4, 14, 14\) are not of the \(3, 4\) heads"):
        explorer.explorer_page(fewer, known, **options)
    with pytest.raises(CompanionError, match="queries"):
        explorer.explorer_page(mapped, known, **options | {"queries": queries[:, :2]})
    with pytest.raises(CompanionError, match="predictions are not of the images"):
        explorer.explorer_page(
            mapped, known, **options | {"predictions": replace(predicted, labels=predicted.labels + 1)}
        )
