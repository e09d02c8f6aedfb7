"""The stage that fine-tunes: the model (LoRA, head and label scale) and the history of its training."""

from dataclasses import asdict
from pathlib import Path

from ..files import write_json
from ..models import processes
from ..models.regressor import save_regressor
from ..training.fine_tuning import fine_tune
from .work import Work

__all__ = ["make"]


def make(work: Work, path: Path) -> None:
    """Fine-tune the profile's backbone; write the model to `path` and history.json beside it.

    An interrupted training goes on from its checkpoint, unless recipe, backbone or probe are others by now.
    """
    checkpoint = work.unfinished("fine_tuning") or path.with_suffix(".pt")
    model, history = fine_tune(work.profile, checkpoint)
    write_json(path.with_name("history.json"), [asdict(epoch) for epoch in history])
    save_regressor(model, path, backbone=work.profile.backbone, pixels=work.profile.pixels)
    if processes.is_main():
        checkpoint.unlink()
