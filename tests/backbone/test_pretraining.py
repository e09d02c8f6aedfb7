from dataclasses import replace

import pytest
import torch
from transformers import ViTConfig, ViTModel

from backbone import pretraining
from backbone.curriculum import Recipe
from paper_utils.files import checksum, read_json

RECIPE = Recipe(small_images=6, large_images=4, batch=2, large_batch=2, warm_up=2, cool_down=4, strokes_per_part=1)


def test_rate_rises_stays_and_falls():
    recipe = Recipe()
    assert pretraining.learning_rate(recipe, 0) == 0
    assert pretraining.learning_rate(recipe, recipe.warm_up) == 1
    assert pretraining.learning_rate(recipe, recipe.images - recipe.cool_down) == 1
    assert pretraining.learning_rate(recipe, recipe.images) == 0


@pytest.fixture
def small_vit(monkeypatch):
    def build(*, seed):
        torch.manual_seed(seed)
        config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
        return ViTModel(config, add_pooling_layer=False)

    monkeypatch.setattr(pretraining, "new_embedded_vit", build)
    monkeypatch.setattr(pretraining, "TYPICAL", 4)


def test_an_interrupted_pretraining_resumes(small_vit, tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    pretraining.pretrain(RECIPE, tmp_path / "whole", workers=0, threads=threads)
    step, done = pretraining._step, []

    def killed(*arguments, **options):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return step(*arguments, **options)

    monkeypatch.setattr(pretraining, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        pretraining.pretrain(RECIPE, tmp_path / "cut", workers=0, threads=threads, minutes_between_saves=0)
    monkeypatch.setattr(pretraining, "_step", step)
    pretraining.pretrain(RECIPE, tmp_path / "cut", workers=0, threads=threads)
    whole, cut = (ViTModel.from_pretrained(tmp_path / name, add_pooling_layer=False) for name in ("whole", "cut"))
    for first, second in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.allclose(first.float(), second.float(), atol=1e-3)


def test_patterns_stay_fixed_through_a_second_stage_and_all_other_weights_train(small_vit, tmp_path):
    threads = torch.get_num_threads()
    pretraining.pretrain(RECIPE, tmp_path / "one", workers=0, threads=threads)
    pretraining.pretrain(RECIPE, tmp_path / "two", start=tmp_path / "one", workers=0, threads=threads)
    new = pretraining.StrokeLocaliser(seed=RECIPE.seed).vit
    pretraining.set_patterns(new, pretraining._typical_images(RECIPE))
    two = ViTModel.from_pretrained(tmp_path / "two", add_pooling_layer=False)
    for (name, before), after in zip(new.half().named_parameters(), two.parameters(), strict=True):
        assert torch.equal(before, after.half()) == ("projection" in name), name


def test_every_weight_belongs_to_one_optimizer(small_vit):
    localiser = pretraining.StrokeLocaliser(seed=1)
    adam, muon = pretraining.optimizers_of(localiser, RECIPE)
    held = [each for optimizer in (adam, muon) for group in optimizer.param_groups for each in group["params"]]
    assert {id(each) for each in held} == {id(each) for each in localiser.parameters()}
    assert len(held) == len(list(localiser.parameters()))
    assert len(muon.param_groups[0]["params"]) == 6  # query, key, value, output and the two of the MLP


def test_the_card_names_the_weights(small_vit, tmp_path):
    pretraining.pretrain(replace(RECIPE, seed=3), tmp_path, workers=0, threads=torch.get_num_threads())
    card = read_json(tmp_path / "training.json")
    assert card["sha256"] == checksum(tmp_path / "model.safetensors")
    assert card["recipe"]["seed"] == 3


def test_a_second_stage_starts_from_the_first_and_keeps_its_record(small_vit, tmp_path):
    threads = torch.get_num_threads()
    pretraining.pretrain(RECIPE, tmp_path / "first", workers=0, threads=threads)
    frozen = replace(RECIPE, first_image=RECIPE.end, peak_rate=0.0, matrix_rate=0.0)
    pretraining.pretrain(frozen, tmp_path / "second", start=tmp_path / "first", workers=0, threads=threads)
    first, second = (ViTModel.from_pretrained(tmp_path / name, add_pooling_layer=False) for name in ("first", "second"))
    for before, after in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(before, after)  # at a rate of zero nothing may change
    record = read_json(tmp_path / "second" / "training.json")
    assert record["before"] == read_json(tmp_path / "first" / "training.json")
    assert not (tmp_path / "second" / "checkpoint.pt").exists()


def test_parts_have_the_positions_and_the_scale_of_whole_images(small_vit):
    pixels, ends, cells, _, place = pretraining.StrokeSet(RECIPE)[1]
    number, strokes = RECIPE.first_image + 1, RECIPE.strokes.closer(2)
    part = pretraining.draw_stroke_image(RECIPE.seed, number, size=112, strokes=strokes)
    assert (pixels.shape, cells.shape) == ((3, 112, 112), (49, 64))
    row, column = place.tolist()
    for found, within, first in zip(ends.tolist(), part.ends.tolist(), (column, row) * 2, strict=True):
        assert found * 224 == pytest.approx(16 * first + within * 112, abs=1e-3)
    localiser = pretraining.StrokeLocaliser(seed=1)
    table = torch.randn_like(localiser.vit.embeddings.position_embeddings)
    localiser.vit.embeddings.position_embeddings.data.copy_(table)
    chosen = localiser._positions(torch.tensor([[0, 0], [2, 7]]))
    assert torch.equal(chosen[:, 0], table[0, :1].expand(2, -1))
    for part, (top, left) in enumerate(((0, 0), (2, 7))):
        expected = [table[0, 1 + (top + i) * 14 + left + j] for i in range(7) for j in range(7)]
        assert torch.equal(chosen[part, 1:], torch.stack(expected))
    image = torch.rand(1, 3, 112, 112)
    answers = [localiser(image, torch.tensor([place]))[1] for place in ([0, 0], [2, 7])]
    assert not torch.allclose(*answers)
    whole_places = [len(item) for item in (pretraining.StrokeSet(RECIPE)[i] for i in (5, 6))]
    assert whole_places == [5, 4]  # whole images have no position


def test_with_several_strokes_only_cells_are_supervised(small_vit):
    single = pretraining.StrokeSet(RECIPE)[1]
    several = pretraining.StrokeSet(replace(RECIPE, strokes_per_part=3))[1]
    assert torch.equal(single[1], several[1])  # the first stroke is the same
    assert (several[2] >= single[2]).all()
    assert several[2].sum() > 1.5 * single[2].sum()
    localiser = pretraining.StrokeLocaliser(seed=1)
    before = localiser.ends.weight.clone(), localiser.cells.weight.clone()
    optimizers = [torch.optim.SGD(localiser.parameters(), lr=0.1)]
    batch = [item[None] for item in several]
    pretraining._step(localiser, optimizers, replace(RECIPE, strokes_per_part=3), *batch)
    assert torch.equal(localiser.ends.weight, before[0])
    assert not torch.equal(localiser.cells.weight, before[1])
    pretraining._step(localiser, optimizers, RECIPE, *batch)
    assert not torch.equal(localiser.ends.weight, before[0])


def test_the_cells_of_the_ends_are_learned_where_they_are_supervised(small_vit):
    batch = [item[None] for item in pretraining.StrokeSet(RECIPE)[1]]

    def likelihood(weight):
        localiser = pretraining.StrokeLocaliser(seed=1)
        optimizers = [torch.optim.SGD(localiser.parameters(), lr=0.1)]
        for _ in range(10):
            pretraining._step(localiser, optimizers, replace(RECIPE, end_cells=weight), *batch)
        logits = localiser(batch[0].float() / 255, batch[4])[2]
        assert logits.shape == (1, 2, 49 * 64)
        return logits.log_softmax(2)[0, [0, 1], batch[3][0]].sum().item()

    assert likelihood(1.0) > likelihood(0.0) + 0.5
