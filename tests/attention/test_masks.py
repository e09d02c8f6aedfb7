import numpy as np
import pytest
import torch

from paper_utils.attention.maps import AttentionMaps, attention_maps
from paper_utils.attention.masks import score_masks
from paper_utils.attention.matrices import attention_matrices
from paper_utils.attention.scores import SCORES, score_heads
from paper_utils.errors import CompanionError
from paper_utils.models.adapted import adapt
from tests.classifiers import NAMES, classifier

TOP = np.zeros((6, 8, 8), bool)
TOP[:, :4] = True


@pytest.fixture
def maps():
    """Maps on four by four patches of six images: all heads attend alike but L2H3, which sees the upper half alone."""
    maps = np.full((6, 2, 3, 4, 4), 1 / 16)
    maps[:, 1, 2, :2], maps[:, 1, 2, 2:] = 1 / 8, 1e-9
    return maps


def test_the_head_of_a_region_is_found(maps):
    found = score_masks(maps, {"top": TOP, "bottom": ~TOP})
    assert found.of("top")[1, 2] == pytest.approx(2)
    assert found.of("bottom")[1, 2] == pytest.approx(0, abs=1e-6)
    assert found.of("top")[0] == pytest.approx([1, 1, 1])
    table = found.table()
    assert table.loc["top", "Best head"] == "L2H3"
    assert table.loc["top", "Its score (95 % interval)"] == "2.00 (2.00 to 2.00)"
    assert table.loc["top", "Best possible map"] == "2.00"
    assert list(table["Images"]) == [6, 6]
    assert found.table("auroc").loc["top", "Best head"] == "L2H3"


def test_one_mask_is_the_region(maps):
    assert score_masks(maps, TOP).regions == ("region",)


def test_patches_are_covered_in_part(maps):
    """Oracle: the scores of shares counted pixel by pixel."""
    mask = np.random.default_rng(0).random((6, 12, 8)) < 0.4
    shares = np.array(
        [[[mask[n, 3 * i : 3 * i + 3, 2 * j : 2 * j + 2].mean() for j in range(4)] for i in range(4)] for n in range(6)]
    )
    expected = score_heads(maps, shares[:, None])
    found = score_masks(maps, mask)
    for name in SCORES:
        assert np.allclose(found.of("region", name), expected[name].mean(0)[0])


def test_a_region_in_some_images_is_scored_there_alone(maps):
    mask = TOP.copy()
    mask[2:] = False
    found = score_masks(maps, {"seldom": mask, "never": mask & False})
    assert list(found.holding) == [2, 0]
    assert found.of("seldom")[1, 2] == pytest.approx(2)
    assert np.isnan(found.of("never")).all()
    assert list(found.table().loc["never"]) == ["-", "-", "-", "-", 0]


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (TOP.astype(int), "is int64"),
        (TOP[:5], r"bool \(5, 8, 8\); give bool \(6, height, width\)"),
        (TOP[:, :6], "multiples of 4 and 4 patches"),
        (TOP[0], r"bool \(8, 8\)"),
        (TOP[:, :0], r"bool \(6, 0, 8\); give bool \(6, height, width\) whose sides are multiples of 4"),
        (TOP[:, :0, :0], r"bool \(6, 0, 0\)"),
        (TOP[:0], r"bool \(0, 8, 8\)"),
        (None, "the mask 'region' is object"),
        ([[[True]], [[True, False]]], "the mask 'region' cannot become an array of numpy: .*; give one"),
        ({}, "no mask"),
    ],
)
def test_masks_that_do_not_fit(maps, mask, said):
    with pytest.raises(CompanionError, match=said):
        score_masks(maps, mask)


@pytest.mark.parametrize("given", [torch.from_numpy, np.ndarray.tolist])
def test_maps_and_masks_that_become_arrays(maps, given):
    found, expected = score_masks(given(maps), given(TOP)), score_masks(maps, TOP)
    for name in SCORES:
        assert np.array_equal(found.of("region", name), expected.of("region", name))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            lambda maps: maps[0],
            r"maps are float64 \(2, 3, 4, 4\); give numbers \(images, layers, heads, rows, columns\)",
        ),
        (lambda maps: maps[:0], r"maps are float64 \(0, 2, 3, 4, 4\)"),
        (lambda maps: maps[..., :0], r"maps are float64 \(6, 2, 3, 4, 0\)"),
        (lambda maps: maps + 0j, "maps are complex128"),
        (lambda maps: AttentionMaps(maps, maps, maps), r"maps are object \(\); .* such as cls of what attention_maps"),
        (lambda maps: "maps", "maps are <U4"),
        (lambda maps: torch.from_numpy(maps).requires_grad_(), "maps cannot become an array of numpy: .*; give one"),
        (lambda maps: torch.from_numpy(maps).to("meta"), "maps cannot become an array of numpy: .*; give one"),
        (lambda maps: maps * np.nan, "not a number"),
    ],
)
def test_maps_that_do_not_fit(maps, given, said):
    with pytest.raises(CompanionError, match=said):
        score_masks(given(maps), TOP)


def test_names_that_are_not_there(maps):
    found = score_masks(maps, {"top": TOP})
    with pytest.raises(CompanionError, match="no region 'left'; choose one of top"):
        found.of("left")
    with pytest.raises(CompanionError, match="no score 'beauty'; choose one of enrichment"):
        found.table("beauty")


@pytest.mark.parametrize("read", [attention_maps, attention_matrices])
@pytest.mark.parametrize("fault", ["weights", "pixels"])
def test_attention_that_is_not_a_number(read, fault):
    user = classifier("ViTForImageClassification")
    images, model = user.images(), adapt(user.model)
    if fault == "weights":
        model.blocks[1].query.weight.data[0] = torch.nan
    else:
        images[2] = torch.finfo(torch.float32).max
    with pytest.raises(CompanionError, match="the model's attention is not a number for some image; check its weights"):
        read(model, images, batch=2)


@pytest.mark.parametrize("name", [name for name in NAMES if "mae" not in name])
def test_matrices_and_maps_are_the_attentions_of_the_users_model(name):
    """Oracle: what transformers returns as attentions."""
    user = classifier(name)
    images, model = user.images(), adapt(user.model)
    found, maps = attention_matrices(model, images, batch=2), attention_maps(model, images, batch=2)
    user.plain.vit.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = torch.stack(user.plain.run(images, output_attentions=True).attentions, dim=1).numpy()
    assert np.allclose(found, attentions, atol=1e-6)
    assert np.allclose(found.sum(-1), 1, atol=1e-5)
    patches = attentions[..., user.plain.not_patches :]
    assert np.allclose(maps.patches.reshape(*patches.shape[:3], -1), patches[..., user.plain.not_patches :, :].mean(-2))
