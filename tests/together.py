"""What the processes of a launch do in tests, each of them: `python -m tests.together WHAT FOLDER BACKBONE`."""

import atexit
import dataclasses
import os
import signal
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from paper_utils.attention.maps import attention_maps
from paper_utils.data.chirps import LabelScale
from paper_utils.data.dataset import ChirpSet
from paper_utils.errors import CompanionError, reported
from paper_utils.files import write_arrays
from paper_utils.interventions import ablation
from paper_utils.models import processes
from paper_utils.models.parts import in_parts
from paper_utils.models.regressor import build_regressor, merged
from paper_utils.pipeline import computations, distorted, predicted
from paper_utils.pipeline.profiles import PROFILES
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from paper_utils.training.evaluation import evaluate
from paper_utils.training.fine_tuning import fine_tune

# of the paper's profile, at the sizes of a dry run; each batch is one part, which processes cut
TINY = {
    "epochs": 2,
    "images_per_epoch": 6,
    "validation_images": 4,
    "batch": 4,
    "micro_batch": 4,
    "test_images": 5,
    "map_images": 6,
    "ablation_pool": 12,
    "linearised_images": 10,
    "ablation_images": 8,
    "mean_images": 2,
    "common_images": 2,
    "mixed_precision": False,
    "workers": 0,
}


def results(folder: Path, backbone: str) -> dict[str, np.ndarray]:
    """Train, evaluate, sweep and map on this process's share; return what came of it, and what was drawn for training."""
    drawn = []
    draw = ChirpSet.__getitem__

    def noted(images: ChirpSet, position: int) -> tuple[np.ndarray, np.ndarray]:
        if images.numbers is not None:  # titles of training images have numbers of their own
            drawn.append((images.indices[position], images.numbers[position]))
        return draw(images, position)

    found = {}
    tiny = dataclasses.replace(PROFILES["paper"], **TINY, backbone=backbone, learning_rate=1e-3)
    # in turn: parts that are cut, and more parts than processes with a last batch of one image
    for number, changes in enumerate(({}, {"images_per_epoch": 9, "micro_batch": 1, "patience": None})):
        drawn.clear()
        with mock.patch.object(ChirpSet, "__getitem__", noted):
            model, history = fine_tune(dataclasses.replace(tiny, **changes), folder / f"{number}.pt")
        found[f"weights {number}"] = torch.cat([one.detach().ravel() for one in model.parameters()]).numpy()
        found[f"losses {number}"] = np.array([loss for epoch in history for loss in epoch.batch_losses])
        found[f"drawn {number}"] = np.array(sorted(sum(processes.gather(list(drawn)), [])))
        found[f"drawn by each {number}"] = np.array(processes.gather(len(drawn)))
    # of a model that depends on nothing above
    scale = LabelScale(np.array([22.0, 50.0, 50.0]), np.array([13.0, 29.0, 31.0]))
    model = merged(build_regressor(backbone, scale, seed=1))
    checked = evaluate(model, ChirpSet(3, range(7)), batch=2, workers=0, mixed_precision=False)
    found |= {"predictions": checked.predictions, "labels": checked.labels}
    images = torch.randint(0, 256, (7, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    with mock.patch.object(ablation, "IMAGES_PER_SAVE", 2):
        swept = ablation.ablate_every_head(model, images, np.zeros((7, 3)), partial=folder / "sweep.npz")
    maps = attention_maps(model, images, batch=2)
    return found | {"baseline": swept.baseline, "ablated": swept.ablated, "maps": maps.cls, "norms": maps.norms}


def lose(folder: Path) -> None:
    """Compute six parts of which process 1 is killed in its second, once process 0 has finished all of its own."""
    attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]

    def compute(part: slice) -> dict[str, np.ndarray]:
        (folder / f"attempt-{attempt}-part-{part.start}").touch()
        if attempt == "0" and part.start == 3:
            while len(list(folder.glob("sweep-[024]-*"))) < 3:
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return {"numbers": np.arange(part.start, part.stop)}

    found = in_parts(compute, 6, size=1, title="parts", partial=folder / "sweep.npz")
    if processes.is_main():
        write_arrays(folder / "found.npz", found)


def fail() -> None:
    """Fail in process 1 while process 0 waits for it."""
    if processes.number() == 1:
        raise CompanionError("the disk is full")
    processes.wait()


def dry_run(folder: Path, backbone: str) -> None:
    """Compute what the paper's profile does, at tiny sizes, and one training seed of its study."""
    PROFILES["paper"] = dataclasses.replace(PROFILES["paper"], **TINY)
    run = Run("paper", "seeds", backbone=backbone, root=folder)
    predicted.IMAGES_PER_PART = 3  # so that there is a part for each
    ablation.IMAGES_PER_SAVE = computations.IMAGES_PER_PART = computations.IMAGES_PER_REMOVAL = 4
    computations.IMAGES_PER_SWEEP = distorted.IMAGES_PER_PART = 1
    usual = [
        name for name, stage in STAGES.items() if stage.file and not name.startswith(("study/", "seeds/", "lines/"))
    ]
    for name in (*usual, "study/lora_2", "seeds/lora_2"):
        run.results.ensure(name, run)


def note_whether_left(folder: Path) -> None:
    """Say in a file whether this process has left the others before it ends."""
    if not torch.distributed.is_initialized():
        (folder / f"left-{os.environ['RANK']}").touch()


def main(what: str, place: str, backbone: str = "") -> None:
    torch.set_num_threads(1)
    folder = Path(place)
    with reported():
        atexit.register(note_whether_left, folder)  # called after what is registered later
        processes.join()
        if what == "results":
            found = results(folder, backbone)
            if processes.is_main():
                write_arrays(folder / "found.npz", found)
        elif what == "dry run":
            dry_run(folder, backbone)
        else:
            lose(folder) if what == "lose" else fail()


if __name__ == "__main__":
    main(*sys.argv[1:])
