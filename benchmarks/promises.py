"""What docs/reliability.md promises, point by point, and the tests or the measurement that show each."""

from dataclasses import dataclass

__all__ = ["PROMISES", "Promise"]


@dataclass(frozen=True)
class Promise:
    """A point of docs/reliability.md.

    Attributes:
        what: is promised, in Markdown.
        tests: arguments of pytest, the files or folders first; of point 12 and 14 there is a measurement, too.
        examples: of each kind that hypothesis tries; its usual number if None.
        edits: trees that are edited at random; the tests' usual number if None.
    """

    what: str
    tests: tuple[str, ...]
    examples: int | None = None
    edits: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables that its tests get."""
        variables = {"FUZZ_EXAMPLES": self.examples, "RANDOM_EDITS": self.edits}
        return {name: str(value) for name, value in variables.items() if value is not None}


PROMISES = {
    1: Promise(
        "A result is known by its settings, the content of its inputs and the numbers of its probe; a figure by its "
        "function, the style sheet, the data files that it names and the versions of matplotlib and seaborn; a BACKBONE "
        "folder by its whole path and the content of its weights",
        ("tests/staleness/test_staleness.py", "tests/pipeline/test_sources.py"),
    ),
    2: Promise(
        "One rule names a run's folder, in Python; make passes what it was given to the letter, and refuses options that "
        "it does not know",
        ("tests/tools/test_figures.py", "-k", "make"),
    ),
    3: Promise(
        "Nothing asks git which files there are; without it a commit is “unknown”",
        ("tests/tools/test_run_tests.py",),
    ),
    4: Promise(
        "Notebooks run on this Python and this checkout, whatever JUPYTER_PATH, PYTHONPATH or a startup file in ~/.ipython "
        "say",
        ("tests/tools/test_execute.py", "-k", "checkouts or jupyter_path"),
    ),
    5: Promise(
        "A killed kernel, one that does not start, a long TMPDIR, Ctrl-C and SIGTERM are one line and leave no temporary "
        "file; what a `kill -9` leaves is swept by the next run",
        ("tests/tools/test_execute.py", "tests/tools/test_leftovers.py"),
    ),
    6: Promise(
        "Images and figures are drawn under matplotlib's defaults (figures with the house style above them), and before a "
        "run the golden images are drawn and compared",
        ("tests/data/test_user_settings.py", "tests/plots/test_style.py", "tests/pipeline/test_drawing.py"),
    ),
    7: Promise(
        "A map lands on its pixels, with its colours, in the finished figure (figures that ship are compared pixel by pixel, "
        "by `make test`)",
        ("tests/plots",),
    ),
    8: Promise(
        "A folder is read as it stands or refused by name: every PNG's checksums and end, 8-bit RGB, RGBA (over white) or "
        "palette alone; labels without a doubled column or row, a value too many, or a number that only Python reads",
        ("tests/data/test_pngs.py", "tests/data/test_labels.py", "tests/data/test_folders.py"),
    ),
    9: Promise(
        "What a later step cannot use is refused before training: family, sizes, channels, fewer than 7 layers or 2 heads, "
        "tensors missing, unknown or not finite",
        ("tests/models/test_loading.py", "tests/tools/test_execute.py", "-k", "test_loading or backbone"),
    ),
    10: Promise(
        "Text is UTF-8 whatever the locale (ruff's PLW1514 holds it)",
        ("tests/test_files.py", "tests/tools/test_execute.py", "-k", "utf8"),
    ),
    11: Promise(
        "`jupytext --sync` leaves no diff, whichever of a pair is newer", ("tests/test_project.py", "-k", "sync")
    ),
    12: Promise(
        "A killed run goes on where it was and comes to what an undisturbed one comes to; a second run of the same figures "
        "says that it waits; a full disk, a read-only folder and a backbone that vanishes are named, and no half-written "
        "file is left",
        ("tests/benchmarks/test_interruptions.py", "tests/test_files.py", "tests/tools/test_leftovers.py"),
    ),
    13: Promise(
        "An edit that means the same makes nothing stale, one that changes a result does, and `make status` says why",
        ("tests/staleness/test_random_edits.py",),
        edits=8,
    ),
    14: Promise(
        "Two copies of the tree come to the same bytes on a machine: arrays, figures and the outputs of notebooks (with one "
        "thread); images are the same to the bit, and numbers to a stage's tolerance, with other threads and instructions",
        ("tests/benchmarks/test_sameness.py", "tests/benchmarks/test_clones.py"),
    ),
    15: Promise(
        "Mutated images, labels, arrays, JSON, checkpoints, models, configs, options and launcher variables end in what was "
        "meant or in one line that names them; a hostile pickle is never executed (`make fuzz` tries 10,000 of each kind)",
        ("tests/fuzz", "tests/data/test_labels.py", "tests/data/test_pngs.py"),
        examples=1_000,
    ),
    16: Promise(
        "No network at run time, of a BACKBONE folder too; packages come by their hashes (`requirements.lock`); of pickles "
        "only tensors are read; no output of a notebook fetches anything",
        ("tests/test_project.py", "tests/models/test_loading.py", "-k", "fetched or lock or pickles"),
    ),
    17: Promise(
        "The status table has seconds and peak memory of each result and notebook; worker counts stay within a container's "
        "quota; drawing, reading, evaluation, training and the sweep take no more memory for more images",
        ("tests/tools/test_status.py", "tests/test_cores.py", "tests/test_memory.py"),
    ),
}
