"""A run's results on disk: each stage's is computed when it is asked for and not fresh, and stamped with its origin."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, read_json, way_out, write_json
from ..models import processes
from ..models.backbone import NAMED
from .cache import Stamp, State, content_of, differences, numbers_hash, probe_numbers, stamp_of, state_of
from .profiles import Profile, get_profile
from .provenance import Watch
from .stages import STAGES, depends_on
from .work import Work

__all__ = [
    "REFERENCE",
    "REFERENCES",
    "Reference",
    "Results",
    "check_shipped_files",
    "check_shipped_model",
    "reference_of",
    "shipped",
    "shipped_stages",
]

REFERENCE = ROOT / "data" / "reference"
SHIPPED_STAMPS = "stamps.json"


@dataclass(frozen=True)
class Reference:
    """Results of a run that ship.

    Attributes:
        folder: of them.
        repeats: how the names begin of those stages among them that `make figures` does not compute (`Stage.repeats`).
    """

    folder: Path
    repeats: tuple[str, ...]


# by backbone: all of the laptop profile on published pixels
REFERENCES = {
    "embedded": Reference(REFERENCE, repeats=("study/", "seeds/", "lines/")),
    "photographs": Reference(ROOT / "data" / "reference-photographs", repeats=("lines/frozen", "lines/lora")),
}


class Results:
    """Results of one run in one folder.

    Args:
        profile: sizes and settings.
        folder: of the results.
        checkpoint: a folder with a fine-tuned model that is taken instead of training one, with its stamp.
    """

    def __init__(self, profile: Profile, folder: Path, *, checkpoint: "Results | None" = None):
        self.profile, self.folder, self.checkpoint = profile, folder, checkpoint
        self._states: dict[str, State] = {}

    def folder_of(self, stage: str) -> Path:
        """Return the folder that holds a stage's files."""
        return self.checkpoint.folder if self.checkpoint and stage == "fine_tuning" else self.folder

    def path(self, stage: str) -> Path:
        """Return the path of a stage's file, there or not."""
        return self.folder_of(stage) / STAGES[stage].file

    def stamp(self, stage: str) -> Stamp | None:
        """Return the stamp of a result, None where there is none or it cannot be read."""
        if self.checkpoint and stage == "fine_tuning":
            return self.checkpoint.stamp(stage)
        shipped_stamps = self.folder / SHIPPED_STAMPS
        if shipped_stamps.is_file():
            content = read_json(shipped_stamps, kind=dict).get(stage)
        else:
            own = self._stamp_path(stage)
            content = read_json(own) if own.is_file() else None
        try:
            return Stamp(**content) if content else None
        except TypeError:  # of an older form
            return None

    def content(self, stage: str) -> str:
        """Return the content hash of a result as its stamp has it; of what is made on the fly, that of its probe."""
        if not STAGES[stage].file:
            return numbers_hash(probe_numbers(stage))
        stamp = self.stamp(stage)
        return stamp.content if stamp else ""

    def state(self, stage: str) -> State:
        """Say whether a result is fresh, and if not, which setting, input or number of a probe is another."""
        if stage not in self._states:
            self._states[stage] = self._state(stage)
        return self._states[stage]

    def _state(self, stage: str) -> State:
        if self.checkpoint and stage == "fine_tuning":
            return self.checkpoint.state(stage)
        entry = STAGES[stage]
        if not entry.file:
            return State("fresh")
        before = [name for name in depends_on(stage) if STAGES[name].file]
        stale = [name for name in before if self.state(name).state != "fresh"]
        if stale and self.path(stage).is_file():
            return State("stale", f"needs {stale[0]}, which is {self.state(stale[0]).state}")
        found = state_of(entry, self.profile, self.folder_of(stage), self.stamp(stage), self._inputs(stage))
        lines = [] if found.state == "missing" else self._drifted(stage)
        return State("stale", "; ".join([*lines, *([found.why] if found.why else [])])) if lines else found

    def _drifted(self, stage: str) -> list[str]:
        """Return which numbers differ of what the result was computed from and is made on the fly, such as images."""
        stamp, lines = self.stamp(stage), []
        for name in STAGES[stage].inputs:
            if stamp is not None and not STAGES[name].file:
                kept = self._numbers_path(stage, name, stamp.inputs.get(name, ""))
                expected = read_json(kept) if kept.is_file() else {}
                lines += [
                    f"probe of {name}: {line}" for line in differences(STAGES[name], expected, probe_numbers(name))
                ]
        return lines

    def _numbers_path(self, stage: str, name: str, content: str) -> Path:
        return self.folder_of(stage) / "probes" / f"{name}-{content}.json"

    def _inputs(self, stage: str) -> Mapping[str, str]:
        return {name: self.content(name) for name in STAGES[stage].inputs}

    def ensure(self, stage: str, work: Work) -> Path:
        """Return the path of a result, computing it, and what it needs, where it is not fresh.

        Several processes compute it together; the main one decides what is fresh, and writes.

        Raises:
            CompanionError: the checkpoint does not belong to this code, or the computation fails.
        """
        for name in (*depends_on(stage), stage):
            if not STAGES[name].file or processes.from_main(partial(self.state, name)).state == "fresh":
                continue
            if self.checkpoint and name == "fine_tuning":
                processes.from_main(self.checkpoint.check)
                self._states.clear()
            else:
                self._compute(name, work)
        return self.path(stage)

    def check(self) -> None:
        """Raise CompanionError if the model that these results ship cannot be used."""
        check_shipped_model(self)

    def _compute(self, stage: str, work: Work) -> None:
        entry, path = STAGES[stage], self.path(stage)
        if processes.is_main():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stamp_path(stage).unlink(missing_ok=True)
        # a stage that cannot do the golden input fails before it costs an hour; others find the main process's numbers
        processes.from_main(lambda: probe_numbers(stage))
        with Watch() as watch, _own_copy(path) as own:
            assert entry.make is not None
            entry.make(work, own)
        processes.from_main(lambda: self.write_stamp(stage, watch.record() | _together()))
        self._states.clear()

    def write_stamp(self, stage: str, computed: dict) -> None:
        """Stamp a result that was computed just now, and keep the numbers of what it was computed from on the fly."""
        stamp = stamp_of(STAGES[stage], self.profile, self.folder, self._inputs(stage), computed)
        for name in STAGES[stage].inputs:
            if not STAGES[name].file:
                write_json(self._numbers_path(stage, name, self.content(name)), probe_numbers(name))
        write_json(self._stamp_path(stage), stamp.as_dict())
        self._states.clear()

    def _stamp_path(self, stage: str) -> Path:
        return self.folder / f"{stage}.stamp.json"


@contextmanager
def _own_copy(path: Path) -> Iterator[Path]:
    """Yield where this process writes a result: of several, which all come to the same, the main one's is kept."""
    if processes.is_main():
        yield path
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / path.name


def _together() -> dict[str, object]:
    """Return how many processes computed a result, where they were several: seconds and memory are the main one's."""
    return {"processes": processes.total()} if processes.total() > 1 else {}


def reference_of(profile: Profile) -> Path | None:
    """Return the folder of the results that ship for a profile, None where none do."""
    if profile.backbone not in REFERENCES or profile != get_profile("laptop", backbone=profile.backbone):
        return None
    return REFERENCES[profile.backbone].folder


def shipped(backbone: str = "embedded") -> Results:
    """Return the results that ship with the repository for a backbone of REFERENCES."""
    return Results(get_profile("laptop", backbone=backbone), REFERENCES[backbone].folder)


def shipped_stages(backbone: str) -> list[str]:
    """Return the stages whose results ship for a backbone of REFERENCES."""
    repeats = REFERENCES[backbone].repeats
    return [name for name, stage in STAGES.items() if stage.file and (not stage.repeats or name.startswith(repeats))]


def check_shipped_model(results: Results) -> None:
    """Raise CompanionError if the shipped model or its backbone is missing or damaged, or its code has changed since."""
    check_shipped_files(results)
    found = results.state("fine_tuning")
    if found.state != "fresh":
        raise CompanionError(
            f"the shipped model does not belong to this code: {found.why}; undo the change, or train another by "
            f"`make figures FROM=seeds{results.profile.make_option}`"
        )


def check_shipped_files(results: Results) -> None:
    """Raise CompanionError if the shipped model or its backbone is missing or damaged, whatever the code is now."""
    NAMED[results.profile.backbone].checked()
    stage, stamp = STAGES["fine_tuning"], results.stamp("fine_tuning")
    files = [results.path("fine_tuning").with_name(name) for name in (stage.file, *stage.beside)]
    lost = next((file for file in files if not file.is_file()), results.folder / SHIPPED_STAMPS)
    if stamp is None or lost in files:
        raise CompanionError(
            f"the shipped model cannot be used: {lost} is {'damaged' if lost.is_file() else 'missing'}; {way_out(lost)}; "
            f"`make figures FROM=seeds{results.profile.make_option}` trains another"
        )
    if content_of(stage, results.folder_of("fine_tuning")) != stamp.content:
        raise CompanionError(
            f"the shipped model is not what its stamp names: {' or '.join(map(str, files))} has changed; "
            f"{way_out(results.folder)}"
        )
