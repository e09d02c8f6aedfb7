"""Whether a notebook has to be executed again, and why: what it was made from and what it wrote, against what is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, checksum, read_json
from paper_utils.pipeline.compared import RESULTS_FILE
from paper_utils.pipeline.figures import FIGURES, NOTEBOOKS
from paper_utils.pipeline.made_by import drawn_with
from paper_utils.pipeline.results import REFERENCES, shipped
from paper_utils.pipeline.run import METRICS, Run
from paper_utils.pipeline.sources import definition_hash, script_hash
from paper_utils.pipeline.stages import STAGES

__all__ = ["Plan", "check_written", "contents_of", "figure_state", "files_of", "plan", "took"]


# what is kept of a notebook that was executed to its end
RECORD = {
    "stages": list,
    "figures": list,
    "files": dict,
    "contents": dict,
    "script": str,
    "plots": dict,
    "drawn_with": dict,
}


@dataclass(frozen=True)
class Plan:
    """Whether a notebook has to be executed, and why."""

    notebook: str
    why: str  # "" if it is up to date


def plan(run: Run, notebook: str) -> Plan:
    """Say whether a notebook has to be executed, and why."""
    made = _record(run, notebook)
    if not made:
        return Plan(notebook, "never executed")
    if other := _other_file(run, made["files"]):
        return Plan(notebook, other)
    for name in made["stages"]:
        optional = name == METRICS or STAGES[name].repeats  # the shipped study serves where there is none
        if not optional and (state := run.results.state(name)).state != "fresh":
            return Plan(notebook, f"result {name} is {state.state}: {state.why}")
    contents = contents_of(run, made["stages"])
    changed = [name for name, content in contents.items() if made["contents"].get(name) != content]
    if changed:
        return Plan(notebook, f"result {changed[0]} has another content")
    if other := _other_library(made):
        return Plan(notebook, other)
    if made["script"] != script_hash(ROOT / "notebooks" / f"{notebook}.py"):
        return Plan(notebook, "its text, or the code of its tables and plots, has changed")
    return Plan(notebook, "")


def _record(run: Run, notebook: str) -> dict:
    """Return what a notebook was made from and what it wrote; nothing where it was not executed to its end."""
    path = run.build / "notebooks" / f"{notebook}.json"
    made = read_json(path) if path.is_file() else {}
    whole = isinstance(made, dict) and all(isinstance(made.get(name), kind) for name, kind in RECORD.items())
    # a stage of another name is of other code
    return made if whole and all(name in {*STAGES, METRICS} for name in made["stages"]) else {}


def files_of(run: Run, notebook: str, names: Iterable[str]) -> dict[str, str]:
    """Return the contents of what a notebook has written, and of the executed one itself, by their path below the root."""
    paths = [run.build / f"{notebook}.ipynb", *(run.figures / name for name in names)]
    return {path.relative_to(run.build.parents[1]).as_posix(): checksum(path) for path in paths}


def _other_file(run: Run, files: Mapping[str, str]) -> str:
    """Return which of the files that a notebook wrote is missing or has another content; "" if none is."""
    for name, content in files.items():
        path = run.build.parents[1] / name
        if not path.is_file():
            return f"{path.name} is missing"
        if checksum(path) != content:
            return f"{path.name} is not as it was written"
    return ""


def check_written(path: Path, run: Run, *, again: str) -> None:
    """Raise CompanionError, which says what to run again, unless a file is as a notebook of a run has written it."""
    name = path.relative_to(run.build.parents[1]).as_posix()
    written = [files[name] for files in (_record(run, one).get("files", {}) for one in run.notebooks) if name in files]
    if checksum(path) not in written:
        raise CompanionError(f"{path} is not what a notebook of this run has written there; run `{again}` again")


def contents_of(run: Run, stages: list[str]) -> dict[str, str]:
    """Return the content of results by stage; of metrics, of the code that gathers them and those they stand beside."""
    contents = {name: _content(run, name) for name in stages if name != METRICS}
    if METRICS in stages:
        own = run.profile.backbone if run.ships else ""
        folders = [reference.folder for name, reference in REFERENCES.items() if name != own]
        others = [
            path for folder in folders for path in sorted((*folder.glob(RESULTS_FILE), *folder.glob("seeds/*.json")))
        ]
        code = definition_hash("paper_utils.pipeline.metrics", "collect")
        contents[METRICS] = " ".join([code, *map(checksum, others)])
    return contents


def _content(run: Run, stage: str) -> str:
    """Return the content of a result; of one that repeats a stage also whether it is fresh, and what ships in its place."""
    own = run.results.content(stage)
    if not STAGES[stage].repeats:
        return own
    return " ".join([own, run.results.state(stage).state, *(shipped(name).content(stage) for name in REFERENCES)])


def _other_library(made: dict) -> str:
    """Return which library drew a notebook's figures in another version than that of now; "" if none did."""
    before = made["drawn_with"]
    for name, now in drawn_with().items():
        if before.get(name, now) != now:
            return f"drawn with {name} {before[name]}, now {now}"
    return ""


def figure_state(run: Run, name: str) -> tuple[str, str]:
    """Return "fresh", "stale" or "missing" for a figure, and why."""
    source = FIGURES[name]
    if not (run.figures / f"{name}.png").is_file():
        return "missing", f"no {name}.png"
    made = _record(run, source.notebook)
    if not made:
        return "stale", f"{source.notebook} was not executed to its end"
    own = {path: content for path, content in made["files"].items() if Path(path).stem == name}
    if other := _other_file(run, own):
        return "stale", other
    if made["plots"].get(name) != definition_hash("paper_utils.plots", source.plot):
        return "stale", f"plots.{source.plot} has changed"
    if other := _other_library(made):
        return "stale", other
    for stage in source.stages:
        state = run.results.state(stage)
        if state.state != "fresh":
            return "stale", f"result {stage} is {state.state}"
        if made["contents"].get(stage) != run.results.content(stage):
            return "stale", f"result {stage} has another content"
    return "fresh", ""


def took(run: Run) -> dict[str, dict]:
    """Return the seconds and the peak of memory of each notebook that a run has executed, without its results."""
    paths = {name: run.build / "notebooks" / f"{name}.run.json" for name in NOTEBOOKS}
    records = {name: read_json(path) for name, path in paths.items() if path.is_file()}
    whole = {"seconds", "peak_memory_mib"}
    return {name: one for name, one in records.items() if isinstance(one, dict) and one.keys() >= whole}
