"""When a result is fresh: stamps that say what it was computed from, held against the code and settings of now.

Code and versions of libraries only decide whether a stage's probe runs again; the result stays while the probe gives
the numbers that it gave then.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import UnionType

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json, way_out, write_json
from ..models.processes import alone
from .probes import Numbers
from .profiles import Profile
from .provenance import environment
from .sources import closure_hash
from .stages import STAGES, Stage, data_files, settings_of, where

__all__ = [
    "CHANGED_FILES",
    "Stamp",
    "State",
    "differences",
    "numbers_hash",
    "probe_numbers",
    "read_numbers",
    "unfinished_name",
    "state_of",
    "stamp_of",
]

CHANGED_FILES = "its files were changed after they were computed"
# settings that came after the first unfinished computations, whose names they leave as they are while at their default
ADDED = ("pixels",)
NUMBER = int | float
MEMORY = ROOT / "build" / "probes.json"  # numbers of probes by stage, code and environment


@dataclass(frozen=True)
class Stamp:
    """What a result was computed from, and its content.

    Raises:
        TypeError: a value is of another kind, as in a damaged file; so does a field too many or too few.
    """

    version: int
    settings: dict[str, object]
    inputs: dict[str, str]  # content of other stages' results
    data: dict[str, str]  # SHA-256 of data files
    probe: Numbers
    content: str
    computed: dict[str, object]  # where: commit, versions, machine, seconds, peak memory

    def __post_init__(self) -> None:
        costs = ("seconds", "peak_memory_mib")
        fits = (
            isinstance(self.version, int)
            and isinstance(self.settings, dict)
            and all(_is_dict_of(str, texts) for texts in (self.inputs, self.data))
            and _is_dict_of(NUMBER, self.probe)
            and isinstance(self.content, str)
            and isinstance(self.computed, dict)
            and isinstance(self.computed.get("when"), str)
            and all(isinstance(self.computed.get(name), NUMBER) for name in costs)
        )
        if not fits:
            raise TypeError("a value of the stamp is of another kind")

    def as_dict(self) -> dict:
        """Return the stamp as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class State:
    """Whether a result may be used as it is."""

    state: str  # "fresh", "stale" or "missing"
    why: str = ""


def content_of(stage: Stage, folder: Path) -> str:
    """Return the hash of a stage's files in a folder of results; "" of a stage without files."""
    if not stage.file:
        return ""
    hashes = "".join(checksum(folder / name) for name in (stage.file, *stage.beside))
    return hashlib.sha256(hashes.encode()).hexdigest()


def stamp_of(stage: Stage, profile: Profile, folder: Path, inputs: Mapping[str, str], computed: dict) -> Stamp:
    """Return the stamp of a result that was computed just now.

    Args:
        stage: of the result.
        profile: of the run.
        folder: of results, in which the stage's files lie.
        inputs: content of the stage's inputs by name.
        computed: of `provenance.Watch.record`.
    """
    return Stamp(
        version=stage.version,
        settings=settings_of(stage, profile),
        inputs=dict(inputs),
        data={where(path): checksum(path) for path in data_files(stage, profile)},
        probe=probe_numbers(stage.name),
        content=content_of(stage, folder),
        computed=computed,
    )


def state_of(stage: Stage, profile: Profile, folder: Path, stamp: Stamp | None, inputs: Mapping[str, str]) -> State:
    """Say whether a result is fresh, and why not.

    A setting that the stamp lacks did not exist when the result was computed, and counts as its default
    (`Recipe.defaults`): a new setting leaves results fresh that were computed without it.

    Args:
        stage: of the result.
        profile: of the run.
        folder: of results.
        stamp: of the result, None where there is none.
        inputs: content that the stage's inputs have now, by name.
    """
    absent = [name for name in (stage.file, *stage.beside) if name and not (folder / name).is_file()]
    if stamp is None or absent:
        return State("missing", f"no {', '.join(absent)}" if absent else "never computed")
    changes = []
    if stamp.version != stage.version:
        changes.append(f"version {stamp.version}, now {stage.version}")
    settings = settings_of(stage, profile)
    added = {name: value for name, value in profile.defaults().items() if name in settings}
    changes += _changed("setting", added | stamp.settings, settings)
    data = {where(path): checksum(path) for path in data_files(stage, profile)}
    changes += [
        f"{name} has another content" if name in data else f"{name} is missing"
        for name in sorted(data.keys() | stamp.data.keys())
        if data.get(name) != stamp.data.get(name)
    ]
    changes += [
        f"input {name} has another content"
        for name in stage.inputs
        if STAGES[name].file and inputs.get(name) != stamp.inputs.get(name)
    ]
    if stage.file and content_of(stage, folder) != stamp.content:
        changes.append(CHANGED_FILES)
    changes += [f"probe: {line}" for line in differences(stage, stamp.probe, probe_numbers(stage.name))]
    return State("stale", "; ".join(changes)) if changes else State("fresh")


def differences(stage: Stage, expected: Numbers, found: Numbers, *, most: int = 3) -> list[str]:
    """Return which numbers of a probe differ by more than the stage's tolerance, `most` of them in full."""
    if not _is_dict_of(NUMBER, expected):
        return ["what it gave then is damaged"]
    lines = [f"{name} is gone" for name in expected if name not in found]
    lines += [f"{name} is new" for name in found if name not in expected]
    for name, value in expected.items():
        now = found.get(name, value)
        if not abs(now - value) <= stage.tolerance * max(1.0, abs(value)):
            lines.append(f"{name} expected {value:.6g}, found {now:.6g}")
    return lines if len(lines) <= most else [*lines[:most], f"and {len(lines) - most} more numbers"]


def read_numbers(path: Path) -> Numbers:
    """Read the numbers that a probe gave.

    Raises:
        CompanionError: the file is missing or damaged.
    """
    numbers = read_json(path)
    if not _is_dict_of(NUMBER, numbers):
        raise CompanionError(f"{path} does not hold the numbers of a probe; {way_out(path)}")
    return numbers


def numbers_hash(numbers: Numbers) -> str:
    """Return a short name for the numbers of a probe, to three digits: another machine may differ in the sixth."""
    rounded = {name: f"{value:.3g}" for name, value in numbers.items()}
    return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()[:12]


@cache
def probe_numbers(name: str) -> Numbers:
    """Return the numbers of a stage's probe, run again only where its code or the environment is another.

    Raises:
        CompanionError: the probe fails, as the stage would.
    """
    stage = STAGES[name]
    code = hashlib.sha256(f"{closure_hash(stage.module)} {closure_hash(__package__ + '.probes')}".encode()).hexdigest()
    guard = name.partition("/")[0]  # repeats and controls have one probe
    key = f"{guard} {code[:16]} {_environment_hash()}"
    known = _remembered()
    if not _is_dict_of(NUMBER, known.get(key)):
        try:
            with (
                contextlib.redirect_stderr(io.StringIO()),
                alone(),
            ):  # no progress bars of seconds; each process by itself
                numbers = {label: float(value) for label, value in stage.probe().items()}
        except CompanionError as error:
            raise CompanionError(f"the probe of stage {name} fails: {error}") from error
        known = {old: value for old, value in known.items() if not old.startswith(f"{guard} ")} | {key: numbers}
        write_json(MEMORY, known)
    return known[key]


def _remembered() -> dict[str, Numbers]:
    """Return the numbers of probes that ran before; none of a damaged file, since running them again loses nothing."""
    try:
        return read_json(MEMORY, kind=dict) if MEMORY.is_file() else {}
    except CompanionError:
        return {}


@cache
def _environment_hash() -> str:
    return hashlib.sha256(json.dumps(environment(), sort_keys=True).encode()).hexdigest()[:16]


def unfinished_name(stage: str, profile: Profile) -> str:
    """Return the name of an unfinished computation: another for other settings, data or numbers of the probe."""
    entry = STAGES[stage]
    data = {where(path): checksum(path) for path in data_files(entry, profile)}
    rounded = {name: f"{value:.2g}" for name, value in probe_numbers(stage).items()}
    settings, defaults = settings_of(entry, profile), profile.defaults()
    settings = {name: value for name, value in settings.items() if name not in ADDED or value != defaults[name]}
    parts = json.dumps([settings, data, rounded, entry.version], sort_keys=True)
    suffix = ".npz" if entry.file.endswith(".npz") else ".pt"
    return f"{stage.replace('/', '-')}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}{suffix}"


def _is_dict_of(kind: type | UnionType, values: object) -> bool:
    return isinstance(values, dict) and all(isinstance(value, kind) for value in values.values())


def _changed(what: str, before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    names = sorted(before.keys() | now.keys())
    return [
        f"{what} {name} was {before.get(name)!r}, is {now.get(name)!r}"
        for name in names
        if before.get(name) != now.get(name)
    ]
