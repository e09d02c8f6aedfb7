"""Sentences of notebooks whose numbers are those of the runs that ship."""

from string import Formatter

import pytest

from paper_utils.files import ROOT
from paper_utils.pipeline.compared import shipped_metrics


def written(metrics, key, how):
    """Return a number as prose has it: by a format, without its sign ("~.2f"), or with its interval ("ci1")."""
    unit = " %" if f"{key}_percent" in metrics else ""

    def number(end=""):
        return metrics.get(f"{key}{end}", metrics.get(f"{key}{end}_percent"))

    if how.startswith("ci"):
        low, value, high = (f"{number(end):.{how[2:]}f}" for end in ("_low", "", "_high"))
        return f"{value}{unit} ({low} to {high})"
    return format(abs(number()), how[1:]) if how.startswith("~") else format(number(), how)


SENTENCES = [
    (
        "04_head_ablation",
        "embedded",
        ["{ablation.significant_heads_bh} of the {ablation.heads} heads have a significant effect"],
    ),
    (
        "04b_other_ablations",
        "embedded",
        [
            "Together the early heads raise the loss by {ablation.removal.redundancy.together:ci1}, and their single "
            "effects add up to {ablation.removal.redundancy.added_up:ci1}.",
            "{ablation.removal.redundancy.at_random.together:ci1} against "
            "{ablation.removal.redundancy.at_random.added_up:ci1}.",
            "{ablation.replacement.mean.layers_1_to_3.mean:ci2} in layers 1 to 3 against "
            "{ablation.replacement.mean.layers_4_to_12.mean:ci2} in layers 4 to 12",
        ],
    ),
    (
        "06c_content_or_position",
        "embedded",
        ["of a reader of places alone, {causal.moved_right.mean_shift_of_start_time_seconds:.1f} s of 6.9:"],
    ),
    (
        "07_claims_ledger",
        "embedded",
        [
            "{before_fine_tuning.semantics.chirp_heads} heads are monosemantic for the chirp before fine-tuning and "
            "{semantics.chirp_heads} after ({attention.images} images)",
            "Without L1H1 the loss rises by {ablation.largest_head.effect:.0f} %",
        ],
    ),
    (
        "07_claims_ledger",
        "photographs",
        [
            "{claims.reproduced} claims are reproduced there and {claims.partly} in part",
        ],
    ),
    (
        "07b_another_backbone",
        "photographs",
        [
            "{ablation.layers_1_to_3.mean:ci1} against {ablation.layers_4_to_12.mean:ci1}, on {ablation.images:,} images",
            "{before_fine_tuning.semantics.chirp_heads} of {ablation.heads} heads before and {semantics.chirp_heads} "
            "after, on {attention.images} images",
            "raise the loss by {ablation.removal.redundancy.together:ci0}, and their single effects add up to "
            "{ablation.removal.redundancy.added_up:ci0}; as many heads at random by "
            "{ablation.removal.redundancy.at_random.together:ci0}, against "
            "{ablation.removal.redundancy.at_random.added_up:ci0}, on {ablation.removal.images} images",
            "by {released.ablation.layers_1_to_3.mean:~.2f} % in layers 1 to 3, by "
            "{released.ablation.layers_4_to_12.mean:~.2f} % in the others",
            "({released.ablation.rank_autocorrelation:.2f}, {released.ablation.rank_autocorrelation_shuffled_low:.2f} to "
            "{released.ablation.rank_autocorrelation_shuffled_high:.2f}, on {released.ablation.images} images)",
        ],
    ),
]


@pytest.mark.parametrize(("notebook", "backbone", "sentences"), SENTENCES, ids=lambda value: str(value)[:20])
def test_prose_has_the_numbers_of_the_run(notebook, backbone, sentences):
    text = (ROOT / "notebooks" / f"{notebook}.py").read_text().replace("\n# ", " ").replace("\n#\n", " ")
    words, metrics = " ".join(text.split()), shipped_metrics(backbone)
    for sentence in sentences:
        parts = Formatter().parse(sentence)  # str.format would take the dots of a key for attributes
        assert "".join(part + (written(metrics, key, how or "") if key else "") for part, key, how, _ in parts) in words
