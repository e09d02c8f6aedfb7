import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from huggingface_hub import DatasetCard, DatasetCardData
from PIL import Image

from paper_utils.data import folders, writing
from paper_utils.data.dataset import ChirpSet
from paper_utils.data.layout import image_path
from paper_utils.data.resizing import FILTERS
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    writing.write_folder(folder, 5, seed=9)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "copy")


def test_a_written_set_is_the_drawn_set(written):
    drawn, read = ChirpSet(9, range(5)), folders.FolderSet(written)
    assert len(read) == 5
    for (pixels, labels), (pixels_read, labels_read) in zip(drawn, read, strict=True):
        assert np.array_equal(labels, labels_read)
        difference = np.abs(pixels.astype(int) - pixels_read)
        assert (difference <= 2).mean() > 0.998  # rounded at 640 x 480, and clipped where a tick meets the bar
        assert difference.mean() < 0.6


def test_the_hub_reads_the_card(written):
    card = DatasetCard.load(written / "README.md")
    assert DatasetCardData(**card.data.to_dict()).to_yaml() == card.data.to_yaml()
    assert card.data.size_categories == ["n<1K"]
    assert "seed 9" in card.text
    assert "5 synthetic spectrograms" in card.text


def test_hugging_face_datasets_read_it_as_an_imagefolder(written, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install -e .[hub] -c constraints.txt brings it")
    read = datasets.load_dataset("imagefolder", data_dir=str(written), split="train", cache_dir=str(tmp_path))
    ours = folders.read_labels(written)
    assert len(read) == len(ours) == 5
    for row in read:
        number = int(re.search(r"_(\d+)\.png", row["image"].filename or row["image"].info.get("path", ""))[1])
        assert np.array_equal(
            np.asarray(row["image"].convert("RGB")), np.asarray(Image.open(image_path(written, number)).convert("RGB"))
        )
        assert row["start_time"] == ours[number - 1].start_time
        assert row["kind"] == ours[number - 1].kind


def test_indices_choose_images(written):
    some = folders.FolderSet(written, [3, 0])
    assert np.array_equal(some[0][1], folders.FolderSet(written)[3][1])


def test_the_layout_is_the_published_one(written):
    header, first, *_ = (written / "labels.csv").read_text().splitlines()
    assert header == "Chirp_Start_Time,Chirp_Start_Freq,Chirp_End_Freq,Chirp_Duration,Chirp_Type"
    start, low, high, duration, kind = first.split(",")
    assert 0 <= float(start) <= 45
    assert 1 <= float(duration) <= 15
    assert abs(float(high) - float(low)) <= 30
    assert kind in ("linear", "exponential")
    assert Image.open(written / "spectrogram_1.png").size == (640, 480)


def test_an_interrupted_set_is_continued_and_a_finished_one_extended(tmp_path, written, monkeypatch):
    monkeypatch.setattr(writing, "IMAGES_PER_TASK", 1)
    write, numbers = writing._write_images, []

    def killed(folder, seed, part):
        if len(numbers) == 2:
            raise KeyboardInterrupt
        numbers.extend(part)
        return write(folder, seed, part)

    monkeypatch.setattr(writing, "_write_images", killed)
    with pytest.raises(KeyboardInterrupt):
        writing.write_folder(tmp_path, 4, seed=9)
    with pytest.raises(CompanionError, match=r"labels\.csv"):
        folders.FolderSet(tmp_path)  # not read as a complete set
    monkeypatch.setattr(writing, "_write_images", lambda *a: numbers.extend(a[2]) or write(*a))
    writing.write_folder(tmp_path, 4, seed=9)
    writing.write_folder(tmp_path, 5, seed=9)
    assert numbers == [1, 2, 3, 4, 5]
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_workers_write_the_same(tmp_path, written):
    writing.write_folder(tmp_path, 5, seed=9, workers=2)
    assert (tmp_path / "spectrogram_4.png").read_bytes() == (written / "spectrogram_4.png").read_bytes()


def test_workers_end_with_a_writer_that_is_killed(tmp_path):
    command = [
        sys.executable,
        "-m",
        "paper_utils.data.folders",
        "write",
        str(tmp_path / "set"),
        "5000",
        "--workers",
        "2",
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as writer:
        until = time.monotonic() + 60
        while not list(tmp_path.glob("set/*.png")) and time.monotonic() < until:
            time.sleep(0.1)
        workers = psutil.Process(writer.pid).children(recursive=True)
        writer.kill()
    assert len(workers) >= 2
    assert not psutil.wait_procs(workers, timeout=20)[1]
    with pytest.raises(CompanionError, match=r"is not finished: there is no labels\.csv yet; write it again"):
        folders.FolderSet(tmp_path / "set")


def test_sets_do_not_mix(folder):
    with pytest.raises(CompanionError, match="holds another set"):
        writing.write_folder(folder, 6, seed=10)
    with pytest.raises(CompanionError, match="more than 3"):
        writing.write_folder(folder, 3, seed=9)
    origin = folder / "origin.json"
    origin.write_bytes(origin.read_bytes()[:20])
    with pytest.raises(CompanionError, match=r"cannot read .*origin\.json: .*; give an empty folder: it alone says"):
        writing.write_folder(folder, 6, seed=9)
    origin.unlink()
    with pytest.raises(CompanionError, match=r"is not empty, and no origin\.json says .*; give an empty folder"):
        writing.write_folder(folder, 6, seed=9)


def edit(folder, change):
    path = folder / "labels.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")


def cell(row, column, text):
    def change(lines):
        values = lines[row].split(",")
        values[column] = text
        return [*lines[:row], ",".join(values), *lines[row + 1 :]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            cell(2, 0, "soon"),
            r"labels\.csv, row 2 below the header \(of spectrogram_2\.png\): Chirp_Start_Time is 'soon', not a number",
        ),
        (cell(2, 0, "60.1"), r"row 2 .*Chirp_Start_Time is 60.1, outside 0 to 60"),
        (cell(2, 0, "nan"), r"row 2 .*Chirp_Start_Time is 'nan', not a number"),
        (cell(3, 1, "101"), r"row 3 .*Chirp_Start_Freq is 101.0, outside 0 to 100"),
        (cell(5, 4, "cubic"), r"row 5 .*Chirp_Type is 'cubic'"),
        (cell(1, 2, ""), r"row 1 .*Chirp_End_Freq is '', not a number"),
        (cell(0, 3, "Length"), r"labels\.csv lacks the column Chirp_Duration"),
        (lambda lines: lines[:-1], r"has 4 rows and none for spectrogram_5\.png"),
        (lambda lines: [*lines, lines[-1]], r"rows 5 and 6 below the header are the same"),
        (lambda lines: [*lines, "5,6,7,8,linear"], r"spectrogram_6\.png is missing; labels\.csv has 6 rows"),
        (lambda lines: [], r"the table .*labels\.csv is empty; give a folder in the published layout"),
        (lambda lines: [line.replace(",", ";") for line in lines], r"lacks the column Chirp_Start_Time; .* by commas"),
    ],
)
def test_wrong_labels_are_named(folder, change, message):
    edit(folder, change)
    with pytest.raises(CompanionError, match=message):
        folders.FolderSet(folder)


def test_a_short_row_is_named(folder):
    edit(folder, lambda lines: [*lines[:4], lines[4].rpartition(",")[0], *lines[5:]])
    with pytest.raises(CompanionError, match=r"row 4 below the header: fewer values \(4\) than columns \(5\)"):
        folders.FolderSet(folder)


def test_missing_labels_are_named(tmp_path):
    with pytest.raises(CompanionError, match=r"cannot read the labels .*labels\.csv.*published layout"):
        folders.FolderSet(tmp_path)


def test_what_is_no_folder_is_named(tmp_path):
    with pytest.raises(CompanionError, match=r"^the folder .*none is not there; give one of images with labels\.csv"):
        folders.FolderSet(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(CompanionError, match="^the folder .*file is a file; give one of images"):
        folders.FolderSet(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_a_damaged_image_is_named_and_never_replaced_by_zeros(folder, content):
    path = folder / "spectrogram_2.png"
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    found = folders.FolderSet(folder)
    found[0]
    with pytest.raises(CompanionError, match=r"cannot read the image .*spectrogram_2\.png"):
        found[1]


def test_an_image_of_another_size_is_named(folder):
    Image.fromarray(np.zeros((224, 224, 3), np.uint8)).save(folder / "spectrogram_3.png")
    with pytest.raises(CompanionError, match=r"spectrogram_3\.png has 224 x 224 pixels, not 640 x 480"):
        folders.FolderSet(folder)[2]


@pytest.mark.parametrize(
    ("name", "what"), [("labels.csv", "the labels"), ("metadata.csv", ""), ("spectrogram_3.png", "the image")]
)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder, name, what):
    """In another process, which can be ended: whoever opens such a pipe waits for a writer that never comes."""
    (folder / name).unlink()
    os.mkfifo(folder / name)
    command = [sys.executable, "-m", "paper_utils.data.folders", "check", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    said = rf"error: cannot read {what} .*{name}: it is a pipe, not a file; (replace it by|put the table).*\n"
    assert re.fullmatch(said if what else "", done.stderr), done.stderr


def test_a_device_in_the_place_of_a_file_is_named(folder):
    for name in ("spectrogram_3.png", "labels.csv"):
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/null")
        with pytest.raises(CompanionError, match=rf"{re.escape(name)}: it is a device, not a file"):
            folders.FolderSet(folder)[2]


def test_a_pipe_in_the_place_of_an_image_is_neither_waited_for_nor_replaced_by_a_new_one(folder):
    (folder / "spectrogram_3.png").unlink()
    os.mkfifo(folder / "spectrogram_3.png")
    command = [sys.executable, "-m", "paper_utils.data.folders", "write", str(folder), "5", "--seed", "9"]
    done = subprocess.run([*command, "--workers", "1"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert re.fullmatch(r"error: cannot write .*spectrogram_3\.png: it is a pipe; .*\n", done.stderr), done.stderr
    assert (folder / "spectrogram_3.png").is_fifo()


def test_the_command_reports_an_error_in_one_line(folder):
    command = [sys.executable, "-m", "paper_utils.data.folders", "check", str(folder)]
    good = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert good.returncode == 0
    assert "5 images and as many labels" in good.stdout
    (folder / "spectrogram_5.png").write_bytes(b"x")
    bad = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert bad.returncode == 1
    assert bad.stderr.startswith("error: cannot read the image")
    assert bad.stderr.count("\n") == 1


@pytest.mark.parametrize("resizing", FILTERS)
def test_an_image_is_resized_as_pillow_does(written, resizing):
    with Image.open(written / "spectrogram_2.png") as opened:
        expected = np.asarray(opened.convert("RGB").resize((224, 224), FILTERS[resizing])).transpose(2, 0, 1)
    assert np.array_equal(folders.FolderSet(written, resizing=resizing)[1][0], expected)


@pytest.mark.parametrize("damaged", [lambda whole: whole[:1000], lambda whole: whole[:1000] + b"xx" + whole[1002:]])
def test_an_image_that_was_damaged_is_drawn_again(folder, damaged):
    path = folder / "spectrogram_3.png"
    whole = path.read_bytes()
    path.write_bytes(damaged(whole))
    writing.write_folder(folder, 5, seed=9)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (-3, 1), (5, -1)])
def test_a_set_that_cannot_be_is_refused(tmp_path, count, seed):
    with pytest.raises(CompanionError, match=f"cannot write {count} images of seed {seed}"):
        writing.write_folder(tmp_path / "set", count, seed=seed)
    with pytest.raises(CompanionError, match="cannot write with 0 workers"):
        writing.write_folder(tmp_path / "set", 5, seed=1, workers=0)
    assert not (tmp_path / "set").exists()


def test_a_file_in_the_folders_place_is_named(tmp_path):
    (tmp_path / "set").touch()
    with pytest.raises(CompanionError, match="cannot make the folder .*set: it is a file"):
        writing.write_folder(tmp_path / "set", 5, seed=9)


def test_a_set_for_which_the_disk_has_no_room_is_refused_before_it_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_write_images", None)  # no image is drawn
    with pytest.raises(
        CompanionError, match=r"^1,000,000,000 images need 200,000\.0 GB in .*set, and [\d,.]+ are free"
    ):
        writing.write_folder(tmp_path / "set", 10**9, seed=1)


@pytest.mark.parametrize(
    "name",
    [
        "spectrogram_0.png",
        "spectrogram_06.png",
        "Spectrogram_2.PNG",
        "spectrogram_2 (1).png",
        "spectrogram_\N{ARABIC-INDIC DIGIT FIVE}.png",
        "spectrogram_1\N{FULLWIDTH DIGIT TWO}.png",
    ],
)
def test_an_image_outside_the_numbering_is_named(folder, name):
    (folder / "spectrogram_5.png").rename(folder / name)
    with pytest.raises(
        CompanionError, match=rf"{re.escape(name)} is outside the numbering: row 1 .* spectrogram_1\.png"
    ):
        folders.FolderSet(folder)


def test_numbering_from_zero_is_said_and_no_row_is_asked_away(folder):
    for number in range(1, 6):
        image_path(folder, number).rename(image_path(folder, number - 1))
    with pytest.raises(CompanionError, match=r"spectrogram_0\.png is outside the numbering.*rename the images"):
        folders.FolderSet(folder)


def test_other_files_beside_are_left_alone(folder):
    for name in ("preview.png", ".spectrogram_3.x1.png", "spectrogram notes.txt", "metadata.json"):
        (folder / name).write_bytes(b"")
    assert len(folders.FolderSet(folder)) == 5


@pytest.mark.parametrize(("occupied", "message"), [("spectrogram_3.png", "it is a folder"), ("x", "holds .*_0.png")])
def test_a_target_that_something_else_occupies_is_named_in_one_line(folder, occupied, message):
    (folder / "spectrogram_3.png").unlink()
    (folder / occupied).mkdir()
    if occupied == "x":
        (folder / "spectrogram_0.png").touch()
    command = [
        sys.executable,
        "-m",
        "paper_utils.data.folders",
        "write",
        str(folder),
        "5",
        "--seed",
        "9",
        "--workers",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert re.fullmatch(rf"error: .*{message}.*\n", done.stderr), done.stderr
