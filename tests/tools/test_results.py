"""Two processes on the CPU, as `accelerate launch` starts them, against one."""

import os
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import pytest
import torch
from transformers import ViTConfig, ViTModel

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_arrays, read_json
from paper_utils.models import processes
from paper_utils.pipeline.results import Results
from tests import together
from tools import results

LAUNCH = "from paper_utils.errors import reported\nfrom tools.results import launch\nimport sys\nwith reported():\n"


def launched(*arguments, restarts=0):
    """Run `tests.together` in two processes; return the finished launcher."""
    code = f"{LAUNCH}    launch('tests.together', sys.argv[1:], count=2, restarts={restarts})"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "ACCELERATE_USE_CPU": "true"}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=1800,
    )


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory, tiny_backbone):
    """What one process and two come to."""
    folder = tmp_path_factory.mktemp("two")
    done = launched("results", folder, tiny_backbone)
    assert done.returncode == 0, done.stderr
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = together.results(tmp_path_factory.mktemp("one"), tiny_backbone)
    torch.set_num_threads(threads)
    return one, read_arrays(folder / "found.npz"), folder


@pytest.mark.slow
class TestTwoProcesses:
    def test_train_on_the_same_samples_shared_out(self, one_and_two):
        one, two, _ = one_and_two
        for number in (0, 1):
            assert np.array_equal(two[f"drawn {number}"], one[f"drawn {number}"])
            assert one[f"drawn by each {number}"].tolist() == [len(one[f"drawn {number}"])]
            shares = two[f"drawn by each {number}"]
            assert len(shares) == 2
            assert shares.min() > 0.4 * shares.sum()

    def test_train_the_same_weights(self, one_and_two):
        """With dropout, whose masks belong to the images of a batch, whoever has them."""
        one, two, _ = one_and_two
        for number in (0, 1):
            assert np.allclose(two[f"losses {number}"], one[f"losses {number}"], atol=2e-5)
            assert np.allclose(two[f"weights {number}"], one[f"weights {number}"], atol=1e-5)

    def test_predict_what_one_does_in_its_order(self, one_and_two):
        one, two, _ = one_and_two
        assert np.array_equal(two["labels"], one["labels"])
        assert np.allclose(two["predictions"], one["predictions"], rtol=1e-5, atol=1e-5)

    def test_give_the_sweep_of_one(self, one_and_two):
        one, two, folder = one_and_two
        assert one["ablated"].shape == (2, 3, 7, 3)
        assert np.allclose(two["baseline"], one["baseline"], rtol=0, atol=1e-5)
        assert np.allclose(two["ablated"], one["ablated"], rtol=0, atol=1e-5)
        assert len(list(folder.glob("sweep-*"))) == 4

    def test_leave_each_other_before_they_end(self, one_and_two):
        """A process that does not may abort as it ends, which the launcher takes for a failure."""
        assert sorted(path.name for path in one_and_two[2].glob("left-*")) == ["left-0", "left-1"]

    def test_give_the_maps_of_one(self, one_and_two):
        one, two, _ = one_and_two
        assert np.allclose(two["maps"], one["maps"], atol=1e-6)
        assert np.allclose(two["norms"], one["norms"], atol=1e-5)


@pytest.mark.slow
def test_a_lost_process_is_started_again_and_only_its_share_is_done_again(tmp_path):
    done = launched("lose", tmp_path, restarts=1)
    assert done.returncode == 0, done.stderr
    assert read_arrays(tmp_path / "found.npz")["numbers"].tolist() == list(range(6))
    again = sorted(path.name for path in tmp_path.glob("attempt-1-*"))
    assert again == ["attempt-1-part-3", "attempt-1-part-5"]
    assert len(list(tmp_path.glob("attempt-0-*"))) == 5


@pytest.mark.slow
def test_a_process_that_fails_ends_all_with_its_own_line(tmp_path):
    begun = time.monotonic()
    done = launched("fail", tmp_path)
    assert done.returncode == 1
    assert time.monotonic() - begun < 600  # a hang would last until the timeout
    lines = done.stderr.splitlines()
    assert lines.count("error: the disk is full") == 1
    assert "process 2 of 2 failed with status 1; run the same command again to continue" in lines[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_every_step_of_the_papers_profile_runs_on_two_processes(tmp_path, deep_backbone):
    done = launched("dry run", tmp_path, deep_backbone)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "build").glob("paper+*")
    stamps = {str(path.relative_to(folder / "results")): read_json(path) for path in folder.rglob("*.stamp.json")}
    assert {"fine_tuning.stamp.json", "removals.stamp.json", "seeds/lora_2.stamp.json"} <= stamps.keys()
    assert {stamp["computed"]["processes"] for stamp in stamps.values()} == {2}
    assert list((folder / "unfinished").iterdir()) == []


@pytest.fixture
def deep_backbone(tmp_path):
    """A ViT of the layers that claims name, as narrow as can be."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    size = {"image_size": 224, "patch_size": 16, "hidden_size": 24, "intermediate_size": 24}
    config = ViTConfig(num_hidden_layers=12, num_attention_heads=12, **size)
    ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "vit")
    return str(tmp_path / "vit")


@pytest.fixture
def options(tmp_path):
    usual = {"profile": "smoke", "source": "seeds", "backbone": None, "checkpoint": None, "pixels": "published"}
    return Namespace(**usual, root=tmp_path, only=["ablation"], study=False)


def test_only_a_lost_process_is_worth_starting_again(options, tmp_path, monkeypatch):
    given_up, error = tmp_path / "given up", processes.ProcessLost("lost")
    monkeypatch.setenv(results.GIVEN_UP, str(given_up))

    def ensure(*_):
        raise error

    monkeypatch.setattr(Results, "ensure", ensure)
    with pytest.raises(CompanionError, match="lost"):
        results.compute(options)
    assert not given_up.exists()
    error = CompanionError("the training loss is inf")
    with pytest.raises(CompanionError, match="inf"):
        results.compute(options)
    assert given_up.exists()
    with pytest.raises(SystemExit):
        results.main()


def test_an_unknown_result_is_named(options):
    options.only = ["ablations"]
    with pytest.raises(CompanionError, match="no result is called 'ablations'; choose from fine_tuning, evaluation"):
        results.results_of(options)


@pytest.mark.parametrize("count", ["1", "2"])
def test_what_would_fail_later_is_said_before_a_process_starts(count, tmp_path, monkeypatch):
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
    ViTModel(ViTConfig(**sizes)).save_pretrained(tmp_path / "vit")
    monkeypatch.setattr(results, "launch", lambda *_, **__: pytest.fail("processes were started"))
    wanted = ["--processes", count, "--profile", "smoke", "--backbone", str(tmp_path / "vit"), "--from", "seeds"]
    monkeypatch.setattr(sys, "argv", ["tools.results", *wanted, "--root", str(tmp_path / "runs")])
    with pytest.raises(SystemExit, match="error: .* has 2 layers of 2 heads"):
        results.main()
    assert not (tmp_path / "runs").exists()
