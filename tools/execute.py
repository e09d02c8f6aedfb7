"""Execute one notebook headlessly and keep it under build/: `python -m tools.execute --help`.

Papermill runs the notebook made from its py:percent twin. A notebook that fails leaves no file behind: the executed one
takes its name only when it ended well. Wall time and the peak memory of the whole process tree are recorded.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import jupytext
import nbformat
import papermill
import psutil
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from paper_utils.attention.scores import COARSEST
from paper_utils.claims import claims, figure_4
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, check_writable, write_json, write_text
from paper_utils.interventions.effects import FEWEST_HEADS, FEWEST_LAYERS
from paper_utils.models.backbone import NAMED
from paper_utils.models.loading import check_takes_images
from paper_utils.pipeline.compared import RESULTS_FILE
from paper_utils.pipeline.drawing import check_drawn_images
from paper_utils.pipeline.provenance import Watch
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.figures import add_run_options, run_of
from tools.kernels import ThisPythonsKernel, kernel_chatter_to, kernel_environment, kernel_settings
from tools.leftovers import in_turn, private_folder, sweep

__all__ = ["check_before_running", "execute", "run_notebook"]

LOST_LOADER = "DataLoader worker"  # how torch's error about one begins
OUT_OF_MEMORY = "probably because memory ran out; free some and run the same command again to continue"


def check_before_running(run: Run) -> None:
    """Raise CompanionError for what would make a run fail later.

    A backbone, what normalises its pixels, claims or published numbers that cannot be read; images that are drawn otherwise; no room.
    """
    if run.profile.backbone in NAMED and run.profile.pixels == "published":
        NAMED[run.profile.backbone].checked()
    else:
        vit = run.backbone()
        check_takes_images(run.profile.backbone, vit)
        layers, heads = vit.config.num_hidden_layers, vit.config.num_attention_heads
        if layers < FEWEST_LAYERS or heads < FEWEST_HEADS:
            raise CompanionError(
                f"the backbone {run.profile.backbone!r} has {layers} layers of {heads} heads, and the claims compare layers "
                f"1 to 4 with layer {FEWEST_LAYERS} and heads with each other; give one of {FEWEST_LAYERS} layers of "
                f"{FEWEST_HEADS} heads or more"
            )
        patches = vit.config.image_size // vit.config.patch_size
        if patches < COARSEST:
            raise CompanionError(
                f"the backbone {run.profile.backbone!r} sees an image in {patches} x {patches} patches, too few for titles "
                f"and edges to have some of their own; give one of {COARSEST} x {COARSEST} patches or more"
            )
    claims()
    figure_4()
    if run.source == "checkpoint":  # a model that is trained here reads images as they are drawn here
        check_drawn_images()
    for folder in (run.figures, run.build):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CompanionError(
                f"cannot write in {folder}: {error.strerror}; change permissions, free the disk, or move what is in its way"
            ) from error
        check_writable(folder / RESULTS_FILE)
        sweep(folder.parent)  # probes of all runs are kept beside them


def run_notebook(
    script: Path,
    output: Path,
    *,
    parameters: Mapping[str, object] | None = None,
    log: Path | None = None,
    progress: bool = False,
) -> None:
    """Execute a notebook in its own folder and write it with its outputs, without timings, to `output`.

    Args:
        script: a py:percent script, or an .ipynb, whose cells keep their ids.
        output: may be `script` itself; replaced at the end, and only if all cells ran.
        parameters: injected below the cell tagged "parameters"; no cell is injected without any.
        log: where the traceback of a failure is kept; build/<name>.log if left out.
        progress: show the notebook's progress bars on the terminal.

    Raises:
        CompanionError: the notebook failed, its message being the notebook's own where that raised one; or its kernel
            was killed or did not start.
    """
    log = log or ROOT / "build" / f"{script.stem}.log"
    if not script.is_file():
        raise CompanionError(f"there is no notebook {script}; notebooks/ holds them")
    with private_folder() as folder, kernel_environment(folder, progress=progress):
        plain, chatter = folder / f"{script.stem}.ipynb", folder / "stderr"
        jupytext.write(jupytext.read(script), plain)
        try:
            with kernel_chatter_to(chatter) as terminal:
                notebook = papermill.execute_notebook(
                    plain,
                    None,
                    parameters=dict(parameters or {}),
                    kernel_name="python3",
                    kernel_manager_class=ThisPythonsKernel,
                    language="python",
                    cwd=script.parent,
                    config=kernel_settings(str(folder)),
                    progress_bar=False,
                    record_timing=False,
                    stderr_file=terminal if progress else None,
                )
        except PapermillExecutionError as error:
            _keep(log, "\n".join(error.traceback))
            reason = error.evalue if error.ename == "CompanionError" else f"{error.ename}: {error.evalue}; see {log}"
            if error.evalue.startswith(LOST_LOADER):
                reason = f"a process that draws or reads its images was killed, {OUT_OF_MEMORY} (see {log})"
            raise CompanionError(f"{script.name}: {reason}") from error
        except DeadKernelError as error:
            _keep(log, chatter.read_text(encoding="utf-8", errors="replace"))
            raise CompanionError(
                f"{script.name}: its kernel was killed, {OUT_OF_MEMORY} (what the kernel wrote is in {log})"
            ) from error
        except RuntimeError as error:  # nbclient has no class of its own for a kernel that does not start
            if "Kernel died" not in str(error):
                raise
            _keep(log, chatter.read_text(encoding="utf-8", errors="replace"))
            raise CompanionError(
                f"{script.name}: no kernel starts with {sys.executable}; see {log}, or set up .venv again"
            ) from error
        _strip(notebook)
        with atomic_path(output) as path:
            nbformat.write(notebook, path)


def _strip(notebook: nbformat.NotebookNode) -> None:
    """Remove what papermill notes besides the outputs: times, paths and empty tags."""
    for key in ("papermill", "language_info"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]


def _keep(log: Path, text: str) -> None:
    write_text(log, text)


def execute(script: Path, run: Run) -> Path:
    """Execute a notebook for a run, write build/<run>/<name>.ipynb and what it took; return the notebook's path.

    An interrupt ends the program. Seconds are those of this execution without the results that it computed first, which
    have theirs in their stamps; peak memory is that of both.

    Args:
        script: a py:percent script.
        run: one that computes.

    Raises:
        CompanionError: as `run_notebook` does.
    """
    target, log = (run.build / f"{script.stem}.{kind}" for kind in ("ipynb", "log"))
    parameters = {"profile": run.profile.name, "source": run.source, "backbone": run.profile.backbone}
    parameters["pixels"] = run.profile.pixels
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with Watch() as watch:
            run_notebook(script, target, parameters=parameters, log=log, progress=sys.stderr.isatty())
    except KeyboardInterrupt:
        _leave_at_once()
    alone = watch.seconds - _seconds_of_results(run, since=begun)
    took = {"seconds": round(max(0.0, alone), 1), "peak_memory_mib": round(watch.peak)}
    write_json(run.build / "notebooks" / f"{script.stem}.run.json", took)
    return target


def _seconds_of_results(run: Run, *, since: str) -> float:
    """Return the seconds of the results that were computed since a time (ISO 8601, UTC)."""
    stamps = [run.results.stamp(name) for name, stage in STAGES.items() if stage.file]
    computed = [stamp.computed for stamp in stamps if stamp is not None and str(stamp.computed["when"]) >= since]
    return sum(float(str(record["seconds"])) for record in computed)


def _leave_at_once() -> NoReturn:
    """End this process and its kernel now: asyncio's own shutdown would bury the one line under tracebacks."""
    for child in psutil.Process().children(recursive=True):
        child.terminate()
    print("stopped; run the same command again to continue", file=sys.stderr, flush=True)
    os._exit(130)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", type=Path, help="a notebook's .py")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        run = run_of(options)
        check_before_running(run)
        begun = time.monotonic()
        print(f"{options.notebook.stem}: running (profile {run.profile.name}, from {run.source})", flush=True)
        with in_turn(run):
            execute(options.notebook, run)
        print(f"{options.notebook.stem}: done in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
