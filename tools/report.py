"""One page with every verdict, its figure and where it comes from: `python -m paper_utils.report --help`."""

import argparse
import base64
import html
import shutil
import subprocess
import tempfile
from pathlib import Path

from paper_utils.claims import published
from paper_utils.claims.rules import VERDICTS, Claim, Judgement, judge_all
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json
from paper_utils.pipeline.profiles import PROFILES
from paper_utils.pipeline.run import Run

__all__ = ["installed_browser", "print_page", "report_page", "verdict_rows"]

TEMPLATE = Path(__file__).with_name("report.html")
COLUMNS = ("claim", "published", "protocol", "here (95 % interval)", "verdict", "starts that agree")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CLASSES = dict(zip(VERDICTS, ("yes", "partly", "no", "open"), strict=True))


def verdict_rows(
    claims: list[Claim], judgements: dict[str, dict[str, Judgement]]
) -> list[tuple[Claim, str, Judgement]]:
    """Return claim, protocol and verdict, in the order of the claims."""
    return [(claim, protocol, judgement) for claim in claims for protocol, judgement in judgements[claim.name].items()]


def report_page(
    claims: list[Claim],
    judgements: dict[str, dict[str, Judgement]],
    figures: Path,
    results: dict,
    runs: dict[str, dict],
) -> str:
    """Return the page as HTML, its figures within.

    Args:
        claims: in the order of the table.
        judgements: of `judge_all`.
        figures: folder of the run's figures.
        results: flat keys of the run.
        runs: judgements of other profiles that have been run, by profile, shown beside.

    Raises:
        CompanionError: a figure is missing.
    """
    rows = [_row(claim, protocol, judgement, runs) for claim, protocol, judgement in verdict_rows(claims, judgements)]
    counts = dict.fromkeys(VERDICTS, 0)
    for per_protocol in judgements.values():
        counts[next(iter(per_protocol.values())).verdict] += 1
    shown = dict.fromkeys(claim.figure for claim in claims)
    origin = {key.removeprefix("origin."): value for key, value in results.items() if key.startswith("origin.")}
    columns = [*COLUMNS, *(f"profile {profile}" for profile in runs)]
    parts = {
        "summary": ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count),
        "head": "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns),
        "rows": "\n".join(rows),
        "figures": "\n".join(_figure(figures, name, claims) for name in shown),
        "origin": "\n".join(f"<dt>{html.escape(key)}</dt><dd>{_plain(value)}</dd>" for key, value in origin.items()),
    }
    page = TEMPLATE.read_text(encoding="utf-8")
    for name, content in parts.items():
        page = page.replace("{{" + name + "}}", content)
    return page


def installed_browser() -> str | None:
    """Return the path of an installed Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_page(page: Path, target: Path) -> bool:
    """Print a page of ours to PDF with an installed Chromium; return whether there is one.

    Raises:
        CompanionError: the browser fails.
    """
    browser = installed_browser()
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as profile, atomic_path(target) as temporary:
        options = f"--headless --no-sandbox --disable-gpu --no-pdf-header-footer --user-data-dir={profile}"
        command = [browser, *options.split(), f"--print-to-pdf={temporary}", page.resolve().as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=120, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise CompanionError(f"{browser} could not print {page}: {error}") from error
        if not temporary.is_file() or not temporary.read_bytes().startswith(b"%PDF"):
            raise CompanionError(f"{browser} printed nothing of {page}; is there room on the disk?")
    return True


def _row(claim: Claim, protocol: str, judgement: Judgement, runs: dict[str, dict]) -> str:
    anchor = claim.heading.replace(" ", "-")
    where = f'<a href="#{claim.figure}">figure</a>, <a href="../../notebooks/{claim.notebook}.ipynb#{anchor}">cell</a>'
    said = f"<details><summary>{html.escape(claim.says)}</summary><q>{html.escape(claim.quote)}</q> ({html.escape(claim.place)}). "
    said += f"Rule: {html.escape(judgement.rule)}. {where}</details>"
    verdict = f'<span class="{CLASSES[judgement.verdict]}">{judgement.verdict}</span>'
    cells = [html.escape(claim.published), protocol, html.escape(judgement.value), verdict, judgement.agreeing or "-"]
    cells += [runs[profile][claim.name][protocol].verdict for profile in runs]
    names = [*COLUMNS[1:], *(f"profile {profile}" for profile in runs)]
    rest = "".join(f'<td data-name="{html.escape(name)}">{cell}</td>' for name, cell in zip(names, cells, strict=True))
    return f'<tr id="{claim.name}-{protocol}"><th scope="row">{said}</th>{rest}</tr>'


def _figure(folder: Path, name: str, claims: list[Claim]) -> str:
    path = folder / f"{name}.png"
    if not path.is_file():
        raise CompanionError(f"{path} is missing; run `make figures` first")
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    about = "; ".join(claim.says for claim in claims if claim.figure == name)
    source = f'<img alt="{html.escape(name.replace("_", " "))}" src="data:image/png;base64,{content}">'
    return f'<figure id="{name}">{source}<figcaption>{html.escape(about)}</figcaption></figure>'


def _plain(value: object) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key} {number}" for key, number in value.items())
    return html.escape(str(value))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.report", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--profile", default="laptop", help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--backbone", help="the backbone of the run, where it is not the profile's own")
    options = parser.parse_args()
    with reported():
        claims = published.claims()
        run = Run(options.profile, "fresh", notebook="report", backbone=options.backbone)
        results = read_json(run.figures / "results.json")
        judgements = judge_all(claims, results, run.starts())
        others = {}
        for name in sorted(set(PROFILES) - {run.profile.name, "smoke"}):  # smoke's numbers mean nothing
            path = ROOT / "figures" / name / "results.json"
            if not path.is_file():
                continue
            try:
                others[name] = judge_all(claims, read_json(path), [])
            except CompanionError as error:
                print(f"profile {name} is left out: {error}")
        page, pdf = run.figures / "report.html", run.figures / "report.pdf"
        with atomic_path(page) as path:
            path.write_text(report_page(claims, judgements, run.figures, results, others), encoding="utf-8")
        print(page)
        if print_page(page, pdf):
            print(pdf)
        else:
            print("no PDF: Chromium is not installed; any browser prints the page")


if __name__ == "__main__":
    main()
