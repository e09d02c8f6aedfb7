"""Measure SmolLM2 on definitions and disease annotations, for notebook 10: `python -m tools.clap --help`."""

import argparse
import shutil

from paper_utils.errors import CompanionError, reported
from tools.leftovers import only_one

FILES = ("arrays.npz", "pairs.json", "origin.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.clap", description=__doc__.split(":")[0] + ".")
    parser.add_argument(
        "--ship", action="store_true", help="copy what was measured to data/clap, which notebook 10 shows"
    )
    options = parser.parse_args()
    with reported():
        from paper_utils.language.study import FOLDER, SHIPPED, compute

        if not options.ship:
            with only_one(FOLDER / "lock", who="another process that measures SmolLM2"):
                compute()
            print(f"the results are in {FOLDER}; `python -m tools.clap --ship` has notebook 10 show them")
            return
        if missing := [name for name in FILES if not (FOLDER / name).is_file()]:
            raise CompanionError(f"{FOLDER} lacks {missing[0]}; run `make study-clap` first")
        SHIPPED.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(FOLDER / name, SHIPPED / name)


if __name__ == "__main__":
    main()
