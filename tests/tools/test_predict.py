import csv
import os
import re
import shutil
import sys

import numpy as np
import pytest
import torch

from paper_utils.data.dataset import split_seed
from paper_utils.data.layout import image_path
from paper_utils.data.writing import write_folder
from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models.published import save_published
from paper_utils.models.regressor import load_regressor, merged
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import Results
from paper_utils.training.evaluation import Evaluation, evaluate_held_out
from tools import predict

COUNT = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The first test images of the laptop profile, as files."""
    folder = tmp_path_factory.mktemp("set")
    write_folder(folder, COUNT, seed=split_seed(get_profile("laptop").seed, "test"))
    return folder


@pytest.fixture
def command(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        predict.main()

    return run


def test_images_from_files_are_predicted_as_rendered_ones_are(folder):
    """Oracle: the same images, rendered at the model's size and never written."""
    from_files = predict.predict_folders([folder], predict.SHIPPED_MODEL)[folder]
    model = merged(load_regressor(predict.SHIPPED_MODEL))
    rendered = evaluate_held_out(model, get_profile("laptop"), range(COUNT))
    np.testing.assert_array_equal(from_files.labels, rendered.labels)
    np.testing.assert_allclose(from_files.predictions, rendered.predictions, atol=1.5)


def test_the_command_prints_r_and_writes_every_image(folder, tmp_path, command, capsys):
    command(folder, "--table", tmp_path / "predictions.csv")
    printed = capsys.readouterr().out
    assert printed.startswith(f"{folder}: {COUNT} images\nstart time")
    assert "folders:" not in printed
    with open(tmp_path / "predictions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [str(image_path(folder, number + 1)) for number in range(COUNT)]
    predicted, true = (np.array([float(row[f"start_time_{kind}"]) for row in rows]) for kind in ("predicted", "true"))
    assert f"r = {np.corrcoef(predicted, true)[0, 1]:.4f}" in printed


def test_several_folders_are_evaluated_one_by_one_and_all_together(folder, tmp_path, command, capsys):
    write_folder(tmp_path / "other", COUNT, seed=1)
    command(folder, tmp_path / "other", "--table", tmp_path / "predictions.csv")
    printed = capsys.readouterr().out
    with open(tmp_path / "predictions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    predicted, true = (
        np.array([float(row[f"end_frequency_{kind}"]) for row in rows]) for kind in ("predicted", "true")
    )
    parts = [printed.index(f"{each}: {COUNT} images") for each in (folder, tmp_path / "other")]
    whole = printed.index(f"all 2 folders: {2 * COUNT} images")
    assert [*parts, whole] == sorted([*parts, whole])
    assert f"r = {np.corrcoef(predicted, true)[0, 1]:.4f}" in printed[whole:]


def test_a_checkpoint_in_the_published_layout_is_evaluated(folder, tmp_path, command, capsys):
    """Oracle: the shipped model itself, written in that layout; r does not depend on the label scale."""
    path = tmp_path / "best_vit_regression.pth"
    save_published(load_regressor(predict.SHIPPED_MODEL), path)
    command(folder)
    expected = capsys.readouterr().out
    command(folder, "--checkpoint", path)
    report, *lines = capsys.readouterr().out.splitlines()
    assert "assumed" not in report
    assert report.startswith(f"{path}: 254 keys (old names, LoRA): 252 used, 2 of the pooler")
    rates = [line.split("(")[0] for line in lines]
    assert rates == [line.split("(")[0] for line in expected.splitlines()]


def test_a_checkpoint_that_does_not_say_its_heads_is_warned_of(folder, tmp_path, command, capsys):
    path = tmp_path / "resaved.pth"
    save_published(load_regressor(predict.SHIPPED_MODEL), path)
    torch.save(dict(torch.load(path, weights_only=True)), path)
    command(folder, "--checkpoint", path)
    assert re.fullmatch(
        r"warning: .*resaved\.pth does not say how many heads .*not 3, .*--heads\n", capsys.readouterr().err
    )
    command(folder, "--checkpoint", path, "--heads", 12)
    assert "warning" not in capsys.readouterr().err


def test_a_shipped_model_that_was_damaged_is_refused(folder, tmp_path, command, monkeypatch):
    path = shutil.copytree(predict.SHIPPED_MODEL.parent, tmp_path / "reference") / "model.safetensors"
    monkeypatch.setattr(predict, "SHIPPED_MODEL", path)
    monkeypatch.setattr(predict, "shipped", lambda: Results(get_profile("laptop"), path.parent))
    command(folder, "--model", path)
    content = path.read_bytes()
    path.write_bytes(content[:-2000] + bytes(2000))  # as where a disk lost the end
    with pytest.raises(
        SystemExit, match=r"^error: the shipped model is not what its stamp names: .*model\.safetensors"
    ):
        command(folder, "--model", path)


def test_predictions_that_are_all_the_same_have_no_r():
    same = Evaluation(predictions=np.zeros((5, 3)), labels=np.arange(15.0).reshape(5, 3), seconds=0.0)
    assert "r undefined (all predictions, or all labels, are the same), mean abs" in predict.accuracy_lines(same)[0]


def test_a_checkpoint_that_cannot_be_used_is_refused_before_an_image_is_predicted(folder, tmp_path, command):
    path = tmp_path / "best_vit_regression.pth"
    save_published(load_regressor(predict.SHIPPED_MODEL), path)
    with pytest.raises(SystemExit, match="holds its own backbone; leave out --backbone"):
        command(folder, "--checkpoint", path, "--backbone", "embedded")
    with pytest.raises(SystemExit, match="--heads is for --checkpoint alone"):
        command(folder, "--heads", 12)
    with pytest.raises(SystemExit, match="says that its layers have 12 heads, not 3"):
        command(folder, "--checkpoint", path, "--heads", 3)
    with pytest.raises(SystemExit, match="^error: there is no folder .*elsewhere for table.csv"):
        command(folder, "--table", tmp_path / "elsewhere" / "table.csv")
    assert not (tmp_path / "elsewhere").exists()
    content = torch.load(path, weights_only=True)
    positions = "vit.base_model.model.embeddings.position_embeddings"
    torch.save(content | {positions: content[positions][:, :50]}, path)
    with pytest.raises(SystemExit, match="is a model of images of 112 pixels; give one of 224"):
        command(folder, "--checkpoint", path)
    torch.save({key: tensor for key, tensor in content.items() if key != "regression_head.0.bias"}, path)
    with pytest.raises(SystemExit, match=r"^error: .*1 missing \(regression_head.0.bias\)"):
        command(folder, "--checkpoint", path)


def test_a_table_that_cannot_be_written_is_named_before_an_image_is_read(folder, tmp_path, command, monkeypatch):
    monkeypatch.setattr(predict, "predict_folders", lambda *_, **__: pytest.fail("images were read"))
    with pytest.raises(SystemExit, match="^error: cannot write .*: it is a folder"):
        command(folder, "--table", tmp_path)
    with pytest.raises(SystemExit, match="^error: cannot write in /proc: "):
        command(folder, "--table", "/proc/predictions.csv")


def test_a_table_never_replaces_what_is_read(folder, tmp_path, command, monkeypatch):
    monkeypatch.setattr(predict, "predict_folders", lambda *_, **__: pytest.fail("images were read"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    (tmp_path / "folder").symlink_to(folder)
    (tmp_path / "link.csv").symlink_to(folder / "labels.csv")
    for table in (
        folder / "labels.csv",
        image_path(folder, 1),
        tmp_path / "folder" / "labels.csv",
        tmp_path / "link.csv",
    ):
        with pytest.raises(SystemExit, match="^error: .* is read, and would be replaced; give another name"):
            command(folder, "--table", table)
    with pytest.raises(SystemExit, match=r"model\.pth is the model that is read, and would be replaced"):
        command(folder, "--checkpoint", tmp_path / "model.pth", "--table", tmp_path / "model.pth")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    linked = tmp_path / "linked"  # a folder whose labels lie elsewhere
    linked.mkdir()
    shutil.copyfile(folder / "labels.csv", tmp_path / "real.csv")
    (linked / "labels.csv").symlink_to(tmp_path / "real.csv")
    with pytest.raises(SystemExit, match=r"real\.csv is read, and would be replaced"):
        command(linked, "--table", tmp_path / "real.csv")
    shutil.copyfile(image_path(folder, 1), tmp_path / "real.png")
    image_path(linked, 1).symlink_to(tmp_path / "real.png")
    with pytest.raises(SystemExit, match=r"real\.png is read, and would be replaced"):
        command(linked, "--table", tmp_path / "real.png")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SystemExit, match="^error: cannot write .*: it is a pipe; give the name of a file"):
        command(folder, "--table", tmp_path / "pipe")


def test_a_folder_whose_name_no_table_can_hold_is_refused_before_an_image_is_read(tmp_path, command, monkeypatch):
    monkeypatch.setattr(predict, "predict_folders", lambda *_, **__: pytest.fail("images were read"))
    name = os.fsdecode(b"F\xff")
    with pytest.raises(SystemExit, match=r"^error: the name of the folder .*F\\udcff is not UTF-8.*leave out --table"):
        command(tmp_path / name, "--table", tmp_path / "table.csv")


def test_a_folder_that_is_given_twice_is_not_counted_twice(folder, tmp_path, command):
    (tmp_path / "link").symlink_to(folder)
    for again in (folder, tmp_path / "link", folder / ".." / folder.name):
        with pytest.raises(SystemExit, match=rf"^error: {again} is the same folder as {folder}; give each once"):
            command(folder, again)


def test_what_was_found_is_printed_though_the_table_cannot_be_written(folder, tmp_path, command, capsys, monkeypatch):
    def full(path, table):
        raise CompanionError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(predict, "write_table", full)
    with pytest.raises(SystemExit, match="No space left"):
        command(folder, "--table", tmp_path / "predictions.csv")
    assert "end frequency    r = " in capsys.readouterr().out


def test_a_damaged_image_is_named_in_one_line(tmp_path, command):
    write_folder(tmp_path, COUNT, seed=1)
    image_path(tmp_path, 5).write_bytes(b"no image")
    with pytest.raises(SystemExit, match=r"^error: cannot read the image .*spectrogram_5.png.*$"):
        command(tmp_path)


def test_too_few_images_are_refused(tmp_path):
    write_folder(tmp_path, 2, seed=1)
    with pytest.raises(CompanionError, match="has 2 images"):
        predict.predict_folders([tmp_path], predict.SHIPPED_MODEL)


def test_pixels_are_those_of_the_model_and_asked_for_of_a_checkpoint(folder, tmp_path, command, capsys):
    with pytest.raises(SystemExit, match=r"^error: .* was fine-tuned with PIXELS=published, not backbone"):
        command(folder, "--pixels", "backbone")
    with pytest.raises(SystemExit, match="^error: unknown pixels 'grey'"):
        command(folder, "--pixels", "grey")
    path = tmp_path / "best_vit_regression.pth"
    save_published(load_regressor(predict.SHIPPED_MODEL), path)
    with pytest.raises(SystemExit, match="^error: there is no preprocessor_config.json in "):
        command(folder, "--checkpoint", path, "--pixels", "backbone")
    printed = []
    for settings in ({"do_normalize": False}, {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}):
        write_json(tmp_path / "preprocessor_config.json", settings)
        command(folder, "--checkpoint", path, "--pixels", "backbone")
        printed.append(capsys.readouterr().out)
    command(folder, "--checkpoint", path)
    assert capsys.readouterr().out == printed[0] != printed[1]
