"""Print how much memory a task takes with few images and with many: `python -m tests.memory_tasks TASK FOLDER`.

Each runs in a process of its own, so that none finds memory that another has left; the kernel's own record of the peak
is set back before each size.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

FEW, MANY = 64, 768  # images: 11 MB and 133 MB as bytes, four times that as float32


def peak() -> float:
    """Return the most memory that was resident at once, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def forget_peak() -> None:
    """Let the record of the peak begin anew, from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def drawing(folder: Path) -> Callable[[int], Any]:
    from paper_utils.data.dataset import sample

    return lambda count: [sample(1, index, with_regions=False)[0] for index in range(count)]


def reading(folder: Path) -> Callable[[int], Any]:
    from paper_utils.data.folders import FolderSet
    from paper_utils.data.writing import write_folder

    write_folder(folder / "set", FEW, seed=1)
    images = FolderSet(folder / "set")
    return lambda count: [images[position % FEW][1] for position in range(count)]


def _model(folder: Path):
    import torch
    from transformers import ViTConfig, ViTModel

    from paper_utils.models.regressor import build_regressor
    from tests.conftest import SCALE

    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 48}
    torch.manual_seed(0)
    ViTModel(ViTConfig(**sizes), add_pooling_layer=False).save_pretrained(folder / "vit")
    return build_regressor(str(folder / "vit"), SCALE, seed=1)


def evaluation(folder: Path) -> Callable[[int], Any]:
    from paper_utils.pipeline.profiles import get_profile
    from paper_utils.training.evaluation import evaluate_held_out

    model, recipe = _model(folder), replace(get_profile("smoke"), workers=0)
    return lambda count: evaluate_held_out(model, recipe, range(count))


def training(folder: Path) -> Callable[[int], Any]:
    from paper_utils.pipeline.profiles import get_profile
    from paper_utils.training.fine_tuning import fine_tune

    _model(folder)
    recipe = replace(
        get_profile("smoke", backbone=str(folder / "vit")), epochs=1, validation_images=8, workers=0, fresh_images=False
    )
    return lambda count: fine_tune(replace(recipe, images_per_epoch=count), folder / f"checkpoint-{count}.pth")


def sweep(folder: Path) -> Callable[[int], Any]:
    import numpy as np
    import torch

    from paper_utils.interventions.ablation import ablate_every_head

    model = _model(folder)
    images = torch.randint(256, (MANY, 3, 224, 224), dtype=torch.uint8)  # are there before, as they are in a run
    labels = np.zeros((MANY, 3), np.float32)
    return lambda count: ablate_every_head(model, images[:count], labels[:count])


TASKS = {task.__name__: task for task in (drawing, reading, evaluation, training, sweep)}


def main() -> None:
    task, folder = sys.argv[1:]
    run = TASKS[task](Path(folder))
    run(FEW)  # loads what is needed
    for count in (FEW, MANY):
        forget_peak()
        run(count)
        print(peak())


if __name__ == "__main__":
    main()
