import subprocess
import sys

import numpy as np
import torch

from paper_utils.data import chirps, dataset
from paper_utils.files import ROOT
from paper_utils.training.evaluation import in_batches, loader


def test_images_are_drawn_without_torch():
    code = (
        "import sys, paper_utils.data, paper_utils.data.folders; assert 'torch' not in sys.modules, 'torch is loaded'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_index_and_seed_determine_the_image():
    first = dataset.sample(11, 4)[1]
    dataset.sample(11, 5)
    again = dataset.sample(11, 4)[1]
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.regions, again.regions)
    assert not np.array_equal(first.pixels, dataset.sample(12, 4)[1].pixels)


def test_workers_draw_the_same_images():
    data = dataset.ChirpSet(3, range(6))
    own = list(loader(data, batches=in_batches(len(data), 4), workers=0))
    parallel = list(loader(data, batches=in_batches(len(data), 4), workers=2))
    assert [len(labels) for _, labels in own] == [4, 2]
    for (a, b), (c, d) in zip(own, parallel, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_labels_belong_to_the_images_chirp():
    _, labels = dataset.ChirpSet(3, [8])[0]
    chirp, _ = chirps.draw_chirp(3, 8)
    assert labels.tolist() == np.float32([chirp.start_time, chirp.start_frequency, chirp.end_frequency]).tolist()


def test_a_title_may_give_another_number_over_the_same_spectrogram():
    usual, other = (dataset.ChirpSet(3, [7], numbers=numbers)[0] for numbers in (None, [12_345]))
    again = dataset.ChirpSet(3, [7], numbers=[8])[0]
    assert np.array_equal(usual[0], again[0])
    assert np.array_equal(usual[1], other[1])
    changed = (usual[0] != other[0]).any(0)
    rows, _ = np.nonzero(changed)
    assert 0 < rows.max() < 26  # above the plot


def test_splits_share_no_seed():
    seeds = {dataset.split_seed(seed, split) for seed in range(5) for split in dataset.SPLITS}
    assert len(seeds) == 15


def test_the_images_key_follows_the_images(monkeypatch):
    key = dataset.images_key(3)
    assert dataset.images_key.__wrapped__(3) == key
    monkeypatch.setattr(dataset, "title_of", lambda index, chirp: "another title")
    assert dataset.images_key.__wrapped__(3) != key


def test_a_variant_is_the_same_chirp_in_another_image():
    published, bare = (dataset.ChirpSet(5, [3], variant=variant)[0] for variant in ("published", "bare"))
    assert np.array_equal(published[1], bare[1])
    assert not np.array_equal(published[0], bare[0])
    plot = np.s_[:, 60:120, 60:120]  # inside the plot nothing changes
    assert np.array_equal(published[0][plot], bare[0][plot])
