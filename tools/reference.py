"""Ship the laptop run: `python -m paper_utils.reference` copies its results and runs the notebooks on them.

The results go to data/reference; the notebooks are executed on them and keep the outputs, which nbval then checks.
"""

import shutil

from jupytext.cli import jupytext

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.run import REFERENCE
from paper_utils.pipeline.study import VARIANTS
from tools.execute import run_notebook

__all__ = ["ship"]

RESULTS = (
    "model.safetensors",
    "history.json",
    *(f"{name}.npz" for name in ("evaluation", "pool", "ablation", "replacements", "screening", "removals")),
    *(f"{name}.npz" for name in ("protocols", "released_losses", "variant_predictions", "patching")),
)


def ship() -> None:
    """Copy the laptop run's results and the study, and refresh the outputs of the committed notebooks.

    Raises:
        CompanionError: the laptop run or the study is not there or not complete.
    """
    folder = get_profile("laptop").folder
    sources = [ROOT / "build" / folder / "results" / name for name in RESULTS]
    sources.append(ROOT / "figures" / folder / "results.json")
    for source in sources:
        if not source.is_file():
            raise CompanionError(f"{source} is missing; run `make figures` first")
    targets = [REFERENCE / source.name for source in sources]
    for name in VARIANTS:
        sources.append(ROOT / "build" / folder / "study" / f"{name}.json")
        targets.append(REFERENCE / "study" / f"{name}.json")
        if not sources[-1].is_file():
            raise CompanionError(f"{sources[-1]} is missing; run `make study` first")
    for source, target in zip(sources, targets, strict=True):
        with atomic_path(target) as path:
            shutil.copyfile(source, path)
    for script in sorted((ROOT / "notebooks").glob("0*.py")):
        # --update keeps the identity of unchanged cells, so that a diff shows what changed
        notebook = script.with_suffix(".ipynb")
        jupytext([*(["--update"] if notebook.exists() else []), "--to", "ipynb", "--quiet", str(script)])
        run_notebook(notebook, notebook)
        print(f"{notebook.name}: outputs of the reference run", flush=True)


def main() -> None:
    with reported():
        ship()


if __name__ == "__main__":
    main()
