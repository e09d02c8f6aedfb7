"""Compute the results of a run, on one process or on several that share the images out: `python -m tools.results --help`.

`make figures` then finds them fresh. With `--processes 4` this starts itself by `accelerate launch`, on as many GPUs
where there are some, else on the CPU; a process that is lost is started again, and what was finished is kept.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if os.environ.get("RANK", "0") != "0":
    os.environ["TQDM_DISABLE"] = "1"  # the main process shows progress; tqdm reads this where it is first imported

import torch

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT
from paper_utils.models import processes
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.execute import check_before_running
from tools.figures import add_run_options, run_of
from tools.leftovers import in_turn

__all__ = ["compute", "launch", "results_of"]

GIVEN_UP = "COMPANION_GIVEN_UP"  # names a file that is there once starting again is of no use
LAUNCHED = "LOCAL_RANK"  # the launcher tells each process which of this machine's it is


def launch(
    module: str, arguments: Sequence[str], *, count: int, restarts: int = 0, mixed_precision: str = "no"
) -> None:
    """Run a module in several processes by `accelerate launch`, and wait for them.

    Args:
        module: as `python -m` takes it.
        arguments: of the module.
        count: of processes.
        restarts: how often they are started again when one is lost.
        mixed_precision: "no", "bf16" or "fp16".

    Raises:
        CompanionError: one failed, more often than it may be started again.
    """
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // count)))
    os.environ.setdefault("LOGLEVEL", "ERROR")  # of the launcher
    # by --cpu accelerate starts one process, whatever their number; by --multi_gpu as many as asked for, on CPUs too
    command = ["--multi_gpu", "--num_processes", str(count), "--num_machines", "1", "--dynamo_backend", "no"]
    command += ["--max_restarts", str(restarts), "--mixed_precision", mixed_precision, "-m", module, *arguments]
    options = launch_command_parser().parse_args(command)
    # a rendezvous of this launch alone, with a new store of addresses for each start: one that is kept, as by default,
    # holds those of lost processes, and restarts fail
    options.standalone = True
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ[GIVEN_UP] = str(Path(folder) / "given up")
            launch_command(options)
    except ChildFailedError as error:
        number, failure = error.get_first_failure()
        how = f"failed with status {failure.exitcode}" if failure.exitcode >= 0 else "was killed"
        raise CompanionError(
            f"process {number + 1} of {count} {how}; run the same command again to continue"
        ) from error


def results_of(options: argparse.Namespace) -> tuple[Run, list[str]]:
    """Return the run that is meant, and the names of the results that are wanted.

    Raises:
        CompanionError: an option is wrong.
    """
    run = run_of(options, root=options.root)
    every = [name for name, stage in STAGES.items() if stage.file]
    if unknown := set(options.only or ()) - set(every):
        raise CompanionError(f"no result is called {min(unknown)!r}; choose from {', '.join(every)}")
    usual = [name for name in every if options.study or not STAGES[name].repeats]
    return run, options.only or usual


def compute(options: argparse.Namespace) -> None:
    """Compute what is not fresh, together with the other processes if the launcher started some.

    Raises:
        CompanionError: an option is wrong, or a computation fails.
    """
    processes.join()
    run, names = results_of(options)
    try:
        for name in names:
            path = run.results.ensure(name, run)
            if processes.is_main():
                print(f"{name}: {path}", flush=True)
    except processes.ProcessLost:
        raise  # to be started again
    except CompanionError:
        if GIVEN_UP in os.environ:
            Path(os.environ[GIVEN_UP]).touch()
        raise


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of processes; give 1 or more (make results PROCESSES=2)"
        )
    return int(text)


def main() -> None:
    if Path(os.environ.get(GIVEN_UP, "")).is_file():
        sys.exit(1)
    parser = argparse.ArgumentParser(prog="python -m tools.results", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--processes", type=_count, default=1, help="how many share the images out (default 1)")
    parser.add_argument(
        "--restarts", type=int, default=3, help="how often lost processes are started again (default 3)"
    )
    parser.add_argument(
        "--mixed_precision",
        default="no",
        choices=("no", "bf16", "fp16"),
        help="fp16 for float16 on GPUs that have bfloat16 too; by default bfloat16 where there is, else float16",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some results, such as ablation, and what they need")
    parser.add_argument("--study", action="store_true", help="repeats and controls of the fine-tuning, too")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of build/ and figures/")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        launched = LAUNCHED in os.environ
        if launched:
            compute(options)
            return
        run = results_of(options)[0]
        check_before_running(run)  # what is wrong is said once, here
        with in_turn(run):
            if options.processes == 1:
                compute(options)
                return
            launch(
                "tools.results",
                sys.argv[1:],
                count=options.processes,
                restarts=options.restarts,
                mixed_precision=options.mixed_precision,
            )


if __name__ == "__main__":
    main()
