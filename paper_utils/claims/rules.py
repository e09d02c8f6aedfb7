"""The rules that judge: what a run measured and what the paper states go in, a verdict comes out.

A rule is a function of the flat metrics of a run, of the prefix that its protocol has there, and of the arguments that
a claim gives it in data/claims.json. Values over several fine-tuning seeds (`seeds`) stand under the same keys.

One scheme serves all measured values. A claim accepts a range. It is reproduced if the whole 95 % interval lies in that
range, and partly so if the value alone does, be it that the interval reaches out of the range or that there is none; a
value in a wider range, which the rule states, is partly reproduced too. Counts and orders of heads are judged against
chance instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from scipy import stats

from ..errors import CompanionError
from .values import Metrics, digits, interval, number, with_exact_unit, with_interval, with_unit

__all__ = ["RULES", "VERDICTS", "Judgement"]

Range = tuple[float, float]  # both ends belong to it

VERDICTS = ("reproduced", "partly", "not reproduced", "not informative", "cannot be tested here")
REPRODUCED, PARTLY, NOT, UNINFORMATIVE, UNTESTABLE = VERDICTS
PAPERS_BACKBONE = "google/vit-base-patch16-224"
LAYERS = 12
RARE = 0.05  # a chance below which a count is not put down to chance


@dataclass(frozen=True)
class Judgement:
    """The outcome of one rule for one run."""

    verdict: str  # one of VERDICTS
    value: str  # the run's, with its 95 % interval
    rule: str  # in words, with its numbers
    short: str  # the value alone, without unit and interval


def near(
    metrics: Metrics,
    prefix: str,
    *,
    key: str,
    published: float,
    tolerance: float,
    unit: str,
    of_heads: int | None = None,
) -> Judgement:
    """Accept values within the tolerance; partly, within a factor of three and with the same sign.

    A count `of_heads`, which the paper's model has, is taken in proportion for a model of more or fewer.
    """
    if of_heads is not None:
        share = number(metrics, "ablation.heads") / of_heads
        published, tolerance = share * published, share * tolerance
    wider = min(published / 3, published * 3), max(published / 3, published * 3)
    verdict = _verdict(metrics, prefix + key, (published - tolerance, published + tolerance), wider)
    rule = (
        f"the whole interval within {with_exact_unit(tolerance, unit)} of {with_exact_unit(published, unit)}; "
        "partly: the value is, or is within a factor of three"
    )
    return _judged(verdict, metrics, prefix + key, unit, rule)


def at_least(metrics: Metrics, prefix: str, *, key: str, published: float, margin: float) -> Judgement:
    """Accept values not more than the margin below; partly, not more than three margins."""
    verdict = _verdict(metrics, prefix + key, (published - margin, inf), (published - 3 * margin, inf))
    rule = (
        f"the whole interval not more than {margin:g} below {published:g}; "
        f"partly: the value is, or is not more than {3 * margin:g} below"
    )
    return _judged(verdict, metrics, prefix + key, "", rule)


def at_most(metrics: Metrics, prefix: str, *, key: str, limit: float, partly: float, unit: str = "") -> Judgement:
    """Accept values up to the limit; partly, up to another."""
    verdict = _verdict(metrics, prefix + key, (-inf, limit), (-inf, partly))
    rule = f"the whole interval at most {with_exact_unit(limit, unit)}; partly: the value is, or is at most {digits(partly)}"
    return _judged(verdict, metrics, prefix + key, unit, rule)


def times_as_large(metrics: Metrics, prefix: str, *, key: str, base: str, published: float) -> Judgement:
    """Accept ratios from two thirds of the published one on; partly, from half of it.

    Not reproduced where the base is zero or below: the ratio means nothing there.
    """
    least = 2 / 3 * published
    rule = f"the whole interval at least {least:.1f} times; partly: the value is, or is at least {published / 2:.1f}"
    if (divisor := number(metrics, prefix + base)) <= 0:
        return Judgement(NOT, f"no ratio: it is compared with {digits(divisor)}", rule, "no ratio")
    verdict = _verdict(metrics, prefix + key, (least, inf), (published / 2, inf))
    return _judged(verdict, metrics, prefix + key, "times", rule)


def smaller(
    metrics: Metrics,
    prefix: str,
    *,
    key: str,
    than: str,
    unit: str,
    difference: str | None = None,
    paired: bool = True,
) -> Judgement:
    """Accept a smaller value than another, by the interval of their difference.

    Args:
        metrics: of the run.
        prefix: of the protocol.
        key: of the value that is said to be smaller.
        than: of the other.
        unit: of both.
        difference: of the other minus the first, where the metrics have it with its interval; else the verdict is
            partly at most.
        paired: whether both are of the same images, or each of its own.
    """
    first, second = number(metrics, prefix + key), number(metrics, prefix + than)
    low, high = interval(metrics, prefix + difference) if difference else (None, None)
    # what is not a number is not smaller
    verdict = NOT if not first < second else REPRODUCED if low is not None and low > 0 else PARTLY
    rule = f"smaller, the whole interval of the {'paired ' if paired else ''}difference above 0; partly: smaller"
    return _compared(verdict, metrics, (prefix + key, prefix + than), unit, rule, (low, high))


def differs(metrics: Metrics, prefix: str, *, key: str, than: str, unit: str, difference: str) -> Judgement:
    """Accept two values of which either is larger, by the interval of their difference; arguments as in `smaller`."""
    low, high = interval(metrics, prefix + difference)
    apart = low is not None and high is not None and not low <= 0 <= high
    rule = "the interval of the difference does not hold 0"
    return _compared(REPRODUCED if apart else NOT, metrics, (prefix + key, prefix + than), unit, rule, (low, high))


def beyond_shuffled(
    metrics: Metrics, prefix: str, *, key: str, published: float, of_rows: int, margin: float, larger: bool
) -> Judgement:
    """Accept a mark of a walk that comes near the published one; partly, one that shuffled rows seldom have.

    The published mark is that of rows of so many heads, `of_rows`. Shorter rows of the same walk have a weaker one: a
    model with other rows is held against its shuffled rows alone, and reproduces it in part at most. The range of the figure's own shuffled rows takes the place of an interval: the order of the heads is what is tested.
    """
    value, shuffled = (number(metrics, f"{prefix}{key}{end}") for end in ("", "_shuffled"))
    low, high = interval(metrics, f"{prefix}{key}_shuffled")
    # seen from its own side, so that larger is always more of a walk
    side = 1 if larger else -1
    edge = high if larger else low
    same_rows = _heads_of_a_layer(metrics) == of_rows
    comes_near = same_rows and side * value >= side * published - margin
    beyond = edge is not None and side * value > side * edge
    verdict = (REPRODUCED if comes_near else PARTLY) if beyond else NOT
    ends = "" if low is None or high is None else f" ({digits(low)} to {digits(high)})"
    rule = (
        f"{'above' if larger else 'below'} 95 % of shuffled rows, and not more than {margin:g} "
        f"{'below' if larger else 'above'} {published:g}; partly: {'above' if larger else 'below'} them"
        f"{'' if same_rows else f', which is all that can be asked of rows of other than {of_rows} heads'}"
    )
    return Judgement(verdict, f"{digits(value)}; rows shuffled {digits(shuffled)}{ends}", rule, digits(value))


def none_of(
    metrics: Metrics, prefix: str, *, key: str, of: str, what: str, by_chance: float | str, surely: str | None = None
) -> Judgement:
    """Accept no such head where some were to be expected by chance.

    Partly: no such head where that may be chance, or significantly fewer than by chance and none of which it is sure.

    Args:
        metrics: of the run.
        prefix: of the protocol.
        key: of the number of such heads.
        of: of the number of heads in question.
        what: such heads do.
        by_chance: the share of such heads by chance, or the key of their number among all heads ("heads").
        surely: of the number of heads that do it significantly, where that is another number.
    """
    count, total = (round(number(metrics, prefix + name)) for name in (key, of))
    share = by_chance
    if isinstance(by_chance, str):
        share = number(metrics, prefix + by_chance) / number(metrics, f"{prefix}ablation.heads")
    sure = round(number(metrics, prefix + surely)) if surely else 0
    rare = bool(total) and stats.binom.cdf(count, total, float(share)) < RARE
    verdict = NOT if sure else REPRODUCED if rare and not count else PARTLY if rare or not count else NOT
    note = f", {sure} significantly" if surely else ""
    rule = (
        f"none, and significantly fewer than the {100 * float(share):.0f} % of chance (binomial, {RARE:g}); partly: either"
        f"{', and none significantly' if surely else ''}"
    )
    if not total:
        return Judgement(UNTESTABLE, "there are no such heads", rule, "-")
    return Judgement(verdict, f"{count} of {total} heads {what}{note}", rule, f"{count} of {total}")


def chirp_layers(metrics: Metrics, prefix: str, *, layers: list[int], counted: str = "semantics") -> Judgement:
    """Accept that all monosemantic chirp heads lie in the named layers, and more than by chance; partly, either.

    Args:
        metrics: of the run.
        prefix: of the protocol.
        layers: counted from 1.
        counted: how the keys of the counts begin.
    """
    keys = [f"{counted}.layer_{layer}.chirp_heads" for layer in range(1, 1 + LAYERS)]  # which the paper's model has
    while (deeper := f"{counted}.layer_{len(keys) + 1}.chirp_heads") in metrics:
        keys.append(deeper)
    counts = {layer: round(number(metrics, key)) for layer, key in enumerate(keys, start=1)}
    found, inside = sum(counts.values()), sum(counts[layer] for layer in layers)
    heads = round(number(metrics, "ablation.heads")) if "ablation.heads" in metrics else LAYERS * LAYERS
    rare = stats.hypergeom.sf(inside - 1, heads, heads * len(layers) // len(keys), found) < RARE
    alone = inside == found
    verdict = NOT if not found else REPRODUCED if alone and rare else PARTLY if alone or rare else NOT
    where = ", ".join(f"{layer} ({count})" for layer, count in counts.items() if count) or "none"
    rule = f"all in the named layers, and more than as many heads at random (hypergeometric, {RARE:g}); partly: either"
    short = f"{inside} of {found}"
    return Judgement(verdict, f"{short} heads; layers (heads) {where}", rule, short)


def head_is(
    metrics: Metrics, prefix: str, *, head: str, kind: str, features: list[str], part: str | None = None
) -> Judgement:
    """Judge one head by its number: only on the paper's own backbone does the number mean anything.

    Args:
        metrics: of the run.
        prefix: of the protocol.
        head: such as L1H1.
        kind: that it is said to be.
        features: any of which it is said to respond to; none if it is said of no feature.
        part: half of the colour bar that it is said to attend to more than to the other.
    """
    own_backbone = metrics.get("origin.backbone") == PAPERS_BACKBONE
    if (key := f"heads.{head}") not in metrics:
        if "heads.L1H1" in metrics and not own_backbone:
            return Judgement(
                UNTESTABLE, "no such head", f"this model has fewer layers or heads than {head} asks for", "-"
            )
        raise CompanionError(f"the results lack {key!r}; mend that key in data/claims.json, or take the metrics again")
    found_kind, feature, top = str(metrics[key]).split("; ")
    value = f"{found_kind}, {feature}" if feature else f"{found_kind}, most {top}"
    rule = f"{kind}" + (f" for {' or '.join(features)}" if features else "") + "; partly: attends to it most"
    right_part = True
    if part:
        other = part.replace("lower", "upper") if "lower" in part else part.replace("upper", "lower")
        right_part = number(metrics, f"{key}.{part}") > number(metrics, f"{key}.{other}")
        rule += f"; and more to {part.replace('_', ' ')} than to the other half"
    if not own_backbone:
        return Judgement(UNTESTABLE, value, "another backbone's head shares only the number", value)
    fits = found_kind == kind and (not features or feature in features)
    verdict = NOT if not right_part else REPRODUCED if fits else PARTLY if top in features else NOT
    return Judgement(verdict, value, rule, value)


def untestable(metrics: Metrics, prefix: str, *, why: str) -> Judgement:
    """Say why a statement cannot be tested."""
    return Judgement(UNTESTABLE, "-", why, "-")


RULES: dict[str, Callable[..., Judgement]] = {
    rule.__name__: rule
    for rule in (
        near,
        at_least,
        at_most,
        times_as_large,
        smaller,
        differs,
        beyond_shuffled,
        none_of,
        chirp_layers,
        head_is,
        untestable,
    )
}


def _heads_of_a_layer(metrics: Metrics) -> int:
    layers = 1
    while f"ablation.layer_{layers + 1}.mean_percent" in metrics:
        layers += 1
    return round(number(metrics, "ablation.heads")) // layers


def _judged(verdict: str, metrics: Metrics, key: str, unit: str, rule: str) -> Judgement:
    """Return the judgement of one measured value, which it shows with its interval."""
    return Judgement(verdict, with_interval(metrics, key, unit), rule, digits(number(metrics, key)))


def _compared(
    verdict: str,
    metrics: Metrics,
    keys: tuple[str, str],
    unit: str,
    rule: str,
    ends: tuple[float | None, float | None],
) -> Judgement:
    """Return the judgement of two values, which it shows with their intervals and with that of the second less the first."""
    first, second = (number(metrics, key) for key in keys)
    value = " against ".join(with_interval(metrics, key, unit) for key in keys)
    low, high = ends
    if low is not None and high is not None and low < high:
        value += f"; difference {with_unit(second - first, unit)} ({digits(low)} to {digits(high)})"
    return Judgement(verdict, value, rule, f"{digits(first)} against {digits(second)}")


def _verdict(metrics: Metrics, key: str, accepted: Range, wider: Range) -> str:
    """Judge a value by the range that a claim accepts, and by a wider one in which it is partly reproduced."""
    value, ends = number(metrics, key), interval(metrics, key)
    if not _within(value, accepted):
        return PARTLY if _within(value, wider) else NOT
    return REPRODUCED if all(end is not None and _within(end, accepted) for end in ends) else PARTLY


def _within(value: float, accepted: Range) -> bool:
    low, high = accepted
    return low <= value <= high
