import numpy as np
import pytest

from paper_utils import attention
from paper_utils.data.dataset import sample
from paper_utils.data.regions import REGIONS
from paper_utils.errors import CompanionError
from paper_utils.models.regressor import build_regressor
from tests.conftest import SCALE
from tests.families import new_model


@pytest.fixture(scope="module")
def mapped(tiny_mapped):
    return tiny_mapped("published")


def test_images_are_those_of_the_set_with_their_regions(mapped):
    chirp, image = sample(7, 4, variant="published")
    assert mapped.chirps[1] == chirp
    assert np.array_equal(mapped.pixels[1], image.pixels)
    assert np.array_equal(mapped.regions[1], image.regions)
    assert mapped.maps.patches.shape == (3, 2, 3, 14, 14)
    assert np.array_equal(mapped.coverage()[1], attention.feature_coverage(image.regions))


def test_variants_show_the_same_chirps_on_other_images(mapped, tiny_mapped):
    moved = tiny_mapped("moved_up")
    assert moved.chirps == mapped.chirps
    assert np.array_equal(moved.regions[:, :-16], mapped.regions[:, 16:])
    assert not np.array_equal(moved.pixels, mapped.pixels)


def test_a_heads_maps_come_with_their_images_and_captions(mapped):
    shown = mapped.of_head("L2H3", count=2)
    assert np.array_equal(shown["maps"], mapped.maps.patches[:2, 1, 2])
    assert np.array_equal(shown["images"], mapped.pixels[:2])
    assert shown["captions"] == ["L2H3, image\N{NO-BREAK SPACE}1", "L2H3, image\N{NO-BREAK SPACE}2"]


def test_the_last_head_takes_the_place_of_one_that_the_model_lacks_where_asked_for(mapped):
    shown = mapped.of_head("L12H12", count=1, or_last=True)
    assert np.array_equal(shown["maps"], mapped.maps.patches[:1, 1, 2])
    assert shown["captions"] == ["L2H3 for L12H12, image\N{NO-BREAK SPACE}1"]
    assert mapped.of_head("L2H1", count=1, or_last=True)["captions"] == ["L2H1, image\N{NO-BREAK SPACE}1"]
    with pytest.raises(CompanionError, match="no head is named '6.4'; names are such as L6H4"):
        mapped.of_head("6.4", or_last=True)


def test_captions_give_each_chirp_in_words(mapped):
    one = mapped.chirps[0]
    assert mapped.captions()[0].startswith(f"{one.kind}, {one.start_time:.0f} s, ")


def test_shuffled_maps_hold_the_same_numbers_elsewhere(mapped):
    shuffled = mapped.shuffled()
    for name in ("patches", "cls"):
        before, after = (getattr(one.maps, name).reshape(3, 2, 3, -1) for one in (mapped, shuffled))
        assert np.array_equal(np.sort(before), np.sort(after))
        assert not np.array_equal(before, after)
    assert np.array_equal(shuffled.maps.norms, mapped.maps.norms)


def test_attention_on_regions_is_the_weighted_mean_over_their_patches(mapped):
    found = mapped.attention_on("colour_bar_lower", "colour_bar_upper")
    lower = (mapped.regions == REGIONS.index("colour_bar_lower")).reshape(3, 14, 16, 14, 16).mean((2, 4))
    expected = [
        (lower[image] * maps).sum() / lower[image].sum() / maps.mean()
        for image, maps in enumerate(mapped.maps.patches[:, 1, 2])
    ]
    assert found.shape == (2, 2, 3)
    assert found[0, 1, 2] == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(("kind", "patch"), [("dinov2", 14), ("clip_vision_model", 32), ("siglip_vision_model", 16)])
def test_grid_and_patch_size_are_the_models(tmp_path, kind, patch):
    new_model(kind, image_size=224, patch_size=patch).save_pretrained(tmp_path)
    model = build_regressor(str(tmp_path), SCALE, seed=1, trained="head").eval()
    mapped, side = attention.map_images(model, 7, [3, 4]), 224 // patch
    assert (mapped.patch, mapped.maps.patches.shape[-2:]) == (patch, (side, side))
    blocks = (mapped.regions == REGIONS.index("title")).reshape(2, side, patch, side, patch).mean((2, 4))
    assert np.allclose(mapped.coverage()[:, list(attention.FEATURES).index("title")], blocks)
    assert mapped.attention_on("chirp").shape == (1, *mapped.maps.patches.shape[1:3])


def test_bad_input_is_named(mapped, regressor):
    for name in ("L3H1", "L1H4"):
        with pytest.raises(CompanionError, match="from L1H1 to L2H3"):
            mapped.of_head(name)
    for name in ("L0H1", "6.4"):
        with pytest.raises(CompanionError, match="counted from 1"):
            mapped.of_head(name)
    with pytest.raises(CompanionError, match="no image"):
        attention.map_images(regressor, 7, [])
    with pytest.raises(CompanionError, match="unknown variant 'upside_down'"):
        attention.map_images(regressor, 7, [0], variant="upside_down")
