"""A run whose fine-tuned model is a checkpoint in the published layout."""

import sys
from argparse import Namespace

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.files import checksum, read_json, write_json
from paper_utils.models import published
from paper_utils.models.regressor import load_backbone, merged
from paper_utils.pipeline import cache, given, results
from paper_utils.pipeline.figures import NOTEBOOKS
from paper_utils.pipeline.run import Run
from paper_utils.training.evaluation import evaluate_held_out
from tools import execute, figures, status


@pytest.fixture
def small(monkeypatch):
    """Let models of two layers with three heads of 8 dimensions pass as the paper's, and leave out probes."""
    monkeypatch.setattr(published, "HEAD_WIDTH", 8)
    monkeypatch.setattr(given, "NEEDED", given.NEEDED | {"num_hidden_layers": 2, "num_attention_heads": 3})
    for module in (cache, results):
        monkeypatch.setattr(module, "probe_numbers", lambda name: {})


@pytest.fixture
def checkpoint(regressor, tmp_path):
    published.save_published(regressor, tmp_path / "best_vit_regression.pth")
    return tmp_path / "best_vit_regression.pth"


def opened(checkpoint, **options):
    return Run("smoke", str(checkpoint), root=checkpoint.parent, **options)


def test_the_model_and_its_backbone_are_the_checkpoints(small, checkpoint, regressor, images, tiny_backbone):
    run = opened(checkpoint)
    with torch.no_grad():
        assert torch.equal(run.model()(images), merged(regressor)(images))
    untuned = load_backbone(tiny_backbone).state_dict()
    assert all(torch.equal(tensor, untuned[key]) for key, tensor in run.backbone().state_dict().items())
    scale = published.published_scale()
    np.testing.assert_allclose(run.model().label_mean, scale.mean)
    np.testing.assert_allclose(run.model().label_std, scale.std)


def test_the_stamp_holds_the_checkpoints_sha256(small, checkpoint):
    run = opened(checkpoint)
    assert run.results.state("fine_tuning") == cache.State("missing", "best_vit_regression.pth is not taken apart yet")
    run.results.ensure("fine_tuning", run)
    stamp = run.results.stamp("fine_tuning")
    assert stamp.data == {"best_vit_regression.pth": checksum(checkpoint)}
    assert run.results.state("fine_tuning").state == opened(checkpoint).results.state("fine_tuning").state == "fresh"
    assert {"seconds", "peak_memory_mib", "when"} < stamp.computed.keys()


def test_results_are_of_the_checkpoint_and_kept(small, checkpoint, regressor, monkeypatch):
    run = opened(checkpoint)
    found = run.evaluation()
    expected = evaluate_held_out(merged(regressor), run.profile, range(run.profile.test_images))
    ours, scale = (found.predictions - run.model().label_mean.numpy()) / run.model().label_std.numpy(), regressor
    theirs = (expected.predictions - scale.label_mean.numpy()) / scale.label_std.numpy()
    np.testing.assert_allclose(ours, theirs, atol=0.02)  # in bfloat16 where the processor has it
    assert run.results.stamp("evaluation").inputs["fine_tuning"] == run.results.content("fine_tuning")
    monkeypatch.setattr(given, "load_published", None)
    again = opened(checkpoint, backbone=run.profile.backbone)  # as a notebook opens it
    assert again.results.state("evaluation").state == "fresh"
    np.testing.assert_array_equal(again.evaluation().predictions, found.predictions)


def test_parts_that_were_changed_are_made_again(small, checkpoint):
    run = opened(checkpoint)
    path = run.results.ensure("fine_tuning", run)
    whole = path.read_bytes()
    path.write_bytes(b"tampered")
    again = opened(checkpoint)
    assert again.results.state("fine_tuning") == cache.State("stale", cache.CHANGED_FILES)
    assert again.results.ensure("fine_tuning", again).read_bytes() == whole
    (again.given.backbone / "config.json").unlink()
    assert opened(checkpoint).backbone().config.num_attention_heads == 3


def test_every_content_has_a_folder_of_its_own(small, checkpoint, regressor, tmp_path):
    run = opened(checkpoint)
    assert run.build.name == run.figures.name == f"smoke+best_vit_regression-{checksum(checkpoint)[:8]}"
    with torch.no_grad():
        regressor.head[0].bias.add_(1)
    published.save_published(regressor, checkpoint)
    other = opened(checkpoint)
    assert other.build != run.build
    assert other.results.folder != run.results.folder
    assert Run("smoke", "seeds", root=tmp_path).build.name == "smoke"


def test_a_model_that_no_figure_can_be_made_of_is_refused_before_anything_is_written(
    checkpoint, regressor, tmp_path, monkeypatch
):
    monkeypatch.setattr(published, "HEAD_WIDTH", 8)
    with pytest.raises(CompanionError, match="has hidden layers 2, and the paper's figures need 12; give a ViT-Base"):
        opened(checkpoint).backbone()
    published.save_published(merged(regressor), checkpoint)
    with pytest.raises(CompanionError, match="is merged: the backbone before fine-tuning"):
        opened(checkpoint).backbone()
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CompanionError, match="is damaged"):
        opened(checkpoint).model()
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.name]
    with pytest.raises(CompanionError, match=r"cannot read the checkpoint .*nowhere.pth: No such file or directory; "):
        opened(tmp_path / "nowhere.pth")


def test_options_that_exclude_each_other_are_refused(small, checkpoint, tiny_backbone):
    with pytest.raises(CompanionError, match="holds its own backbone; leave out"):
        opened(checkpoint, backbone=tiny_backbone)
    options = Namespace(profile="smoke", source="seeds", backbone=None, checkpoint=str(checkpoint), pixels="published")
    with pytest.raises(CompanionError, match="is fine-tuned already; leave out FROM=seeds"):
        figures.run_of(options)


def test_nothing_is_said_of_a_training_that_is_unknown(small, checkpoint, monkeypatch, capsys):
    run = opened(checkpoint)
    assert "02_finetune_vit" not in run.notebooks
    assert len(run.notebooks) == len(NOTEBOOKS) - 2
    with pytest.raises(CompanionError, match="holds no history of its training"):
        run.history()
    names = {name for name, _, _ in status.lines(run)}
    assert {"result fine_tuning", "figure figure_4", "notebook 07_claims_ledger"} < names
    assert not {"figure learning_curves", "notebook 02_finetune_vit"} & names
    monkeypatch.setattr(figures, "run_of", lambda options: run)
    monkeypatch.setattr(sys, "argv", ["figures", "--only", "learning_curves"])
    monkeypatch.setattr(execute, "check_before_running", lambda run: None)  # two layers are too few to be run
    with pytest.raises(SystemExit, match="^error: learning_curves is in 02_finetune_vit, which shows a training"):
        figures.main()


def test_where_a_result_was_made_names_the_checkpoint(small, checkpoint):
    run = opened(checkpoint)
    assert run.source == str(checkpoint)
    assert run.origin()["made with"]["source"] == "best_vit_regression.pth"
    assert read_json(run.results.ensure("fine_tuning", run).with_name("fine_tuning.stamp.json"))["settings"] == {}


class TestNormalisedPixels:
    """A checkpoint of a model that was trained on pixels as a preprocessor_config.json beside it says."""

    @pytest.fixture
    def preprocessor(self, checkpoint):
        path = checkpoint.with_name("preprocessor_config.json")
        write_json(path, {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.2]})
        return path

    def test_the_model_gets_them(self, small, checkpoint, preprocessor, regressor, images):
        """Oracle: the plain regressor on pixels normalised by hand."""
        run = opened(checkpoint, pixels="backbone")
        mean, std = (torch.tensor(each).view(3, 1, 1) for each in ([0.5, 0.4, 0.3], [0.5, 0.25, 0.2]))
        with torch.no_grad():
            expected = merged(regressor)((images / 255 - mean) / std)
            assert torch.allclose(run.model()(images), expected, atol=1e-5)
            assert (run.model()(images) - merged(regressor)(images)).abs().max() > 1e-3
        assert run.origin()["made with"]["pixels"] == "normalised as the backbone was pre-trained"
        again = opened(checkpoint, backbone=run.profile.backbone, pixels="backbone")  # as a notebook opens it
        assert again.results.state("fine_tuning").state == "fresh"

    def test_they_have_a_folder_of_their_own(self, small, checkpoint, preprocessor):
        published, normalised = opened(checkpoint), opened(checkpoint, pixels="backbone")
        assert normalised.build.name == f"{published.build.name}+normalised"
        assert published.profile.pixels == "published"

    def test_another_normalisation_is_another_model(self, small, checkpoint, preprocessor):
        run = opened(checkpoint, pixels="backbone")
        run.results.ensure("fine_tuning", run)
        before = run.results.content("fine_tuning")
        write_json(preprocessor, {"do_normalize": False})
        again = opened(checkpoint, pixels="backbone")
        why = "best_vit_regression.pth or preprocessor_config.json has another content"
        assert again.results.state("fine_tuning") == cache.State("stale", why)
        again.results.ensure("fine_tuning", again)
        assert again.results.content("fine_tuning") != before
        (again.given.backbone / "preprocessor_config.json").unlink()
        assert opened(checkpoint, pixels="backbone").results.state("fine_tuning").state == "stale"

    def test_without_the_file_nothing_is_begun(self, small, checkpoint, tmp_path):
        with pytest.raises(CompanionError, match=r"there is no preprocessor_config.json in .*choose PIXELS=published$"):
            opened(checkpoint, pixels="backbone")
        with pytest.raises(CompanionError, match="unknown pixels 'grey'"):
            opened(checkpoint, pixels="grey")
        assert [path.name for path in tmp_path.iterdir()] == [checkpoint.name]
