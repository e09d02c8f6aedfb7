"""Write a fine-tuned model in another layout: `python -m tools.export OUTPUT` takes the model that ships.

As "old" it is the state dict that the author's released class reads (best_vit_regression.pth, transformers 4), as "new"
the same with the names of transformers 5, and as "adapter" a folder with LoRA in peft's format, the head and a model
card. What was written is read again, and every key is accounted for. A state dict takes pixels in 0..1, as the released
class gives them, whatever the model was trained on: a normalisation is in its weights. An adapter's card says which.
"""

import argparse
import os
from pathlib import Path
from typing import Literal, get_args

from paper_utils.data.chirps import LabelScale
from paper_utils.errors import CompanionError, reported
from paper_utils.files import check_writable, other_than_file
from paper_utils.models.exports import ADAPTER_FILES, save_adapter
from paper_utils.models.published import load_published, save_published
from paper_utils.models.regressor import load_regressor, merged, named_backbone, stored_pixels
from tools.predict import SHIPPED_MODEL, check_if_shipped

__all__ = ["Layout", "export"]

Layout = Literal["old", "new", "adapter"]


def export(
    model: Path, output: Path, *, layout: Layout = "old", backbone: str | None = None, merge: bool = False
) -> str:
    """Write a model of ours in another layout; return a line that says what was written.

    Args:
        model: as `save_regressor` wrote it.
        output: a file, or of an adapter the folder.
        layout: of the file, see the module's docstring.
        backbone: another one than the model names, as in `load_backbone`.
        merge: add LoRA into the weights first.

    Raises:
        CompanionError: the model is missing, damaged or does not fit, an adapter is to be merged, or the output is the
            model or cannot be written.
    """
    if layout == "adapter" and merge:
        raise CompanionError("an adapter holds LoRA alone, which merging removes; leave out one of the two options")
    if layout == "adapter":
        if os.path.exists(output) and not output.is_dir():
            what = other_than_file(output) or "a file"
            raise CompanionError(f"{output} is {what}, and an adapter is a folder; give the name of one")
        for file in ADAPTER_FILES if output.is_dir() else ():
            check_writable(output / file)
    else:
        check_writable(output)
        if os.path.realpath(output) == os.path.realpath(model):
            raise CompanionError(f"{output} is the model that is read, and would be replaced; give another name")
    check_if_shipped(model)
    backbone = backbone or named_backbone(model)
    regressor = load_regressor(model, backbone=backbone)
    if layout == "adapter":
        save_adapter(regressor, output, backbone=backbone, pixels=stored_pixels(model))
        return f"{output}: {', '.join(ADAPTER_FILES)}"
    save_published(merged(regressor) if merge else regressor, output, names=layout)
    scale = LabelScale(regressor.label_mean.numpy(), regressor.label_std.numpy())
    _, report = load_published(output, scale=scale)
    mean, std = (", ".join(f"{value:.6g}" for value in each) for each in (scale.mean, scale.std))
    return f"{report.line()}; its labels are standardised by mean {mean} and standard deviation {std} (s, Hz, Hz)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.export", description=__doc__)
    parser.add_argument("output", type=Path, help="file, or folder of an adapter")
    parser.add_argument("--layout", choices=get_args(Layout), default="old", help="default: old, the author's")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="LoRA and head (default: the shipped)")
    parser.add_argument("--backbone", help="folder or Hugging Face name (default: the one that the model names)")
    parser.add_argument("--merge", action="store_true", help="add LoRA into the weights first")
    options = parser.parse_args()
    with reported():
        print(
            export(options.model, options.output, layout=options.layout, backbone=options.backbone, merge=options.merge)
        )


if __name__ == "__main__":
    main()
