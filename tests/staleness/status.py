"""What tests of staleness share: an edit of a copied tree, and what its own `status` says."""

import re
import subprocess
import sys

LEDGER = {"notebook 07_claims_ledger", "notebook 07b_another_backbone"}  # they show the verdicts, of metrics
# and these those on other papers, of what they measure themselves
JUDGED = LEDGER | {
    "notebook 07d_other_papers",
    "notebook 02_finetune_vit",
    "notebook 08c_colour_and_transitions",
    "notebook 09_attention_and_stability",
    "notebook 10b_definitions_and_associations",
}


def edit(tree, file, *replacements):
    path = tree / file
    text = path.read_text()
    for before, after in replacements:
        assert before in text, f"{file} has no {before!r} to replace"
        text = text.replace(before, after)
    path.write_text(text)


def unfresh(tree, *options):
    """Return what is not fresh, with the reason, by its name."""
    command = [sys.executable, "-m", "tools.status", *options]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    rows = re.findall(
        r"^((?:result|figure|notebook) \S+) +(fresh|stale|missing|to run) *(?:\d+ s +\d+ MiB)? *(.*)$",
        done.stdout,
        re.M,
    )
    assert len(rows) > 10, done.stdout + done.stderr
    return {name: why for name, state, why in rows if state != "fresh"}
