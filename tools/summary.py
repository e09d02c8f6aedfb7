"""Gather a run's numbers, say how its figures stand: `python -m paper_utils.summary --help`."""

import argparse
from pathlib import Path

from paper_utils.data.chirps import TARGETS
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, provenance, read_json, write_json
from paper_utils.pipeline.profiles import PROFILES, Profile, get_profile
from paper_utils.pipeline.run import REFERENCE, Run

__all__ = ["FIGURES", "compare", "figure_status", "gather"]

FIGURES = {
    1: "03_attention_maps",
    2: "01_generate_chirps",
    3: "05_prediction_shift",
    4: "04_head_ablation",
    5: "06_monosemantic_gallery",
    6: "03_attention_maps",
    7: "03_attention_maps",
    8: "06_monosemantic_gallery",
}
# how far a fresh run's headline numbers may lie from the reference run's on another machine
TOLERANCE = {f"accuracy.{target}.pearson_r": 0.03 for target in TARGETS}


def gather(profile: Profile, root: Path = ROOT) -> dict[str, float]:
    """Merge the notebooks' numbers into figures/<profile>/results.json and return them.

    Raises:
        CompanionError: a notebook's numbers are missing.
    """
    folder = root / "build" / profile.folder / "results"
    results: dict[str, float] = {}
    seconds, memory = 0.0, 0.0
    for notebook in sorted(set(FIGURES.values()) | {"02_finetune_vit", "07_claims_ledger"}):
        for path in (folder / f"{notebook}.json", folder / f"{notebook}.run.json"):
            if not path.is_file():
                raise CompanionError(f"{path} is missing; run `make figures PROFILE={profile.name}`")
        results |= read_json(folder / f"{notebook}.json")
        run = read_json(folder / f"{notebook}.run.json")
        results |= {f"run.{notebook}.{key}": round(value, 1) for key, value in run.items()}
        seconds, memory = seconds + run["seconds"], max(memory, run["peak_memory_mib"])
    results |= {"run.seconds": round(seconds, 1), "run.peak_memory_mib": round(memory, 1)}
    origin = {f"origin.{key}": value for key, value in provenance(profile.as_dict()).items()}
    write_json(root / "figures" / profile.folder / "results.json", results | origin)
    return results


def compare(results: dict[str, float], reference: dict[str, float]) -> list[str]:
    """Return a line for each headline number that lies further from the reference than TOLERANCE allows."""
    return [
        f"{key} is {results[key]:.3f}, the reference run's is {reference[key]:.3f} (tolerance {tolerance})"
        for key, tolerance in TOLERANCE.items()
        if abs(results[key] - reference[key]) > tolerance
    ]


def figure_status(profile: Profile, number: int, root: Path = ROOT) -> tuple[str, str]:
    """Return "fresh", "stale" or "missing" and why."""
    stem = root / "figures" / profile.folder / f"figure_{number}"
    absent = [path.name for path in (stem.with_suffix(s) for s in (".png", ".pdf", ".json")) if not path.is_file()]
    if absent:
        return "missing", f"no {', '.join(absent)}"
    origin = read_json(stem.with_suffix(".json"))
    now = Run(profile.name, "fresh", notebook=FIGURES[number], backbone=profile.backbone, root=root).inputs()
    then = origin.get("inputs", {})
    changed = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
    if changed:
        return "stale", f"changed since: {', '.join(changed)}"
    return "fresh", f"commit {origin['commit']}, seed {origin['seed']}, {origin['made']}"


def _print_results(profile: Profile, results: dict[str, float]) -> None:
    print(f"\nprofile {profile.name}: it shows {profile.proves}")
    for target in TARGETS:
        prefix = f"accuracy.{target}"
        r, low, high = (results[f"{prefix}.pearson_r{end}"] for end in ("", "_low", "_high"))
        print(f"  {target.replace('_', ' '):16} Pearson r {r:.3f} (95 % {low:.3f} to {high:.3f})")
    minutes, memory = results["run.seconds"] / 60, results["run.peak_memory_mib"]
    print(f"  {minutes:.1f} minutes of notebooks, {memory:.0f} MiB at most")
    if profile.name == "laptop" and profile.backbone == "embedded" and (REFERENCE / "results.json").is_file():
        for line in compare(results, read_json(REFERENCE / "results.json")) or ["agrees with the reference run"]:
            print(f"  {line}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.summary", description=__doc__)
    parser.add_argument("what", choices=["results", "status"], help="see above")
    parser.add_argument("--profile", default="laptop", help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--backbone", help="the backbone the run was given, if not the profile's")
    options = parser.parse_args()
    with reported():
        profile = get_profile(options.profile, backbone=options.backbone)
        if options.what == "results":
            _print_results(profile, gather(profile))
        else:
            for number in FIGURES:
                state, why = figure_status(profile, number)
                print(f"figure {number}: {state:8}{why}")


if __name__ == "__main__":
    main()
