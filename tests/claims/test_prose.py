"""Sentences of notebooks whose numbers are those of the runs and studies that ship."""

from functools import cache
from string import Formatter

import pytest

from paper_utils import Run
from paper_utils.files import ROOT
from paper_utils.orientation import Orientation
from paper_utils.pipeline.compared import shipped_metrics
from paper_utils.pipeline.papers import MEASURED, metrics_on
from paper_utils.pipeline.results import REFERENCES


def written(metrics, key, how):
    """Return a number as prose has it: by a format, without its sign ("~.2f"), with its interval ("ci1"), or that ("to1")."""
    unit = " %" if f"{key}_percent" in metrics else ""

    def number(end=""):
        return metrics.get(f"{key}{end}", metrics.get(f"{key}{end}_percent"))

    if how.startswith("to"):
        return " to ".join(f"{number(end):.{how[2:]}f}" for end in ("_low", "_high"))
    if how.startswith("ci"):
        return f"{number():.{how[2:]}f}{unit} ({written(metrics, key, f'to{how[2:]}')})"
    return format(abs(number()), how[1:]) if how.startswith("~") else format(number(), how)


@cache
def metrics_of(source):
    """Return what a backbone's run came to, or what is measured for another paper: on its line images of one backbone."""
    shown = Run("laptop", "reference")
    if source in REFERENCES:
        return shipped_metrics(source)
    if source in MEASURED:
        return metrics_on(source, shown)
    return Orientation.of(shown.line_fits(source.removeprefix("lines, "))).metrics()


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
            "({released.ablation.rank_autocorrelation:.2f}, {released.ablation.rank_autocorrelation_shuffled:to2}, "
            "on {released.ablation.images} images)",
        ],
    ),
    (
        "08b_what_a_vit_makes_of_them",
        "2504.09393",
        [
            "{orientation.I.error_at_0:ci0} within 15 degrees of 0, against {orientation.I.error_elsewhere:.0f} degrees "
            "({orientation.I.error_elsewhere:to0}) for all other lines",
            "level or upright have {orientation.I-axial.cardinal:.1f} degrees there ({orientation.I-axial.cardinal:to1}), "
            "those as near to a diagonal {orientation.I-axial.oblique:ci1}.",
            "({orientation.IV-axial.cardinal:.1f} against {orientation.IV-axial.oblique:.1f} degrees here)",
            "correlate by {orientation.similarity.I_and_IV:.2f} ({orientation.similarity.I_and_IV:to2}; ",
            "before any training ({orientation.similarity.before_and_I:.2f} and {orientation.similarity.before_and_IV:.2f})",
        ],
    ),
    (
        "08b_what_a_vit_makes_of_them",
        "lines, photographs",
        [
            "({orientation.I-axial.cardinal:.1f} against {orientation.I-axial.oblique:.1f} degrees; [notebook",
            "it is the same: {orientation.similarity.I_and_IV:ci2}, and {orientation.similarity.before_and_I:.2f} and "
            "{orientation.similarity.before_and_IV:.2f} with those before, on the same {orientation.mapped_images:.0f} images",
        ],
    ),
    (
        "08c_colour_and_transitions",
        "2504.09393",
        [
            "by {orientation.IV-axial.bluish_difference:.1f} degrees ({orientation.IV-axial.bluish_difference:to1}) "
            "modulo 180 degrees, and by {orientation.IV-axial-equal.bluish_difference:ci1} at equal contrast",
            "(bluish less yellowish: {orientation.IV.bluish_difference:.1f} degrees, "
            "{orientation.IV.bluish_difference:to1})",
            "have {orientation.IV-axial.bluish:.1f} degrees, yellowish ones {orientation.IV-axial.yellowish:.1f}",
            "(adjusted Rand index {orientation.IV.colour_agreement:.2f}, {orientation.IV.colour_agreement:to2})",
            "after {orientation.III.half_way:.1f} epochs on set III and after {orientation.IV.half_way:.1f} on set IV",
        ],
    ),
    (
        "08c_colour_and_transitions",
        "lines, photographs",
        [
            "by {orientation.IV-axial.bluish_difference:.1f} degrees ({orientation.IV-axial.bluish_difference:to1}), and by "
            "{orientation.IV-axial-equal.bluish_difference:.1f} at equal contrast "
            "({orientation.IV-axial-equal.bluish_difference:to1})",
        ],
    ),
    (
        "09_attention_and_stability",
        "2212.09641",
        [
            "(mean rank correlation {stability.random.attention.rank_correlation:.2f}, "
            "{stability.random.attention.rank_correlation:to2})",
            "({stability.random.participation.rank_correlation:.2f}, "
            "{stability.random.participation.rank_correlation:to2}; ",
            "grows, at a rate of {stability.growth_rate:.3f};",
        ],
    ),
    (
        "10b_definitions_and_associations",
        "2504.02976",
        [
            "is spread over {clap.before.definitional.spread:.0f} outputs ({clap.before.definitional.spread:to0}) "
            "of 120 for the former and {clap.before.associative.spread:ci0}",
            "and over {clap.after.definitional.spread:.0f} and {clap.after.associative.spread:.0f} after",
            "by {clap.before.definitional.clean_difference:.1f} logits ({clap.before.definitional.clean_difference:to1}) against "
            "{clap.before.associative.clean_difference:.1f} ({clap.before.associative.clean_difference:to1}; ",
            "associative pairs have {clap.before.spread_difference:.1f} outputs more ({clap.before.spread_difference:to1}) before, "
            "and {clap.after.spread_difference:ci1} after.",
            "after it (p = {clap.after.layers_differ_p:.3f}; ",
            "in all definitional pairs and in {clap.edited.associative.takes:ci0} of the associative ones",
            "of the other prompts of a kind {clap.edited.definitional.leaves:ci0} keep their likeliest token after a "
            "definitional edit, and {clap.edited.associative.leaves:ci0} after an associative one",
        ],
    ),
]


@pytest.mark.parametrize(("notebook", "source", "sentences"), SENTENCES, ids=lambda value: str(value)[:20])
def test_prose_has_the_numbers_of_the_run(notebook, source, sentences):
    text = (ROOT / "notebooks" / f"{notebook}.py").read_text().replace("\n# ", " ").replace("\n#\n", " ")
    words, metrics = " ".join(text.split()), metrics_of(source)
    for sentence in sentences:
        parts = Formatter().parse(sentence)  # str.format would take the dots of a key for attributes
        assert "".join(part + (written(metrics, key, how or "") if key else "") for part, key, how, _ in parts) in words
