"""The rules that judge: what a run measured and what the paper states go in, a verdict comes out.

A rule is a function of the flat metrics of a run, of the prefix that its protocol has there, and of the arguments that
a claim gives it in data/claims.json. Values over several fine-tuning seeds (`seeds`) stand under the same keys.

One scheme serves all measured values. A claim accepts a range. It is reproduced if the whole 95 % interval lies in that
range, and partly so if the value alone does, be it that the interval reaches out of the range or that there is none; a
value in a wider range, which the rule states, is partly reproduced too. Counts and orders of heads are judged against
chance instead (`chance`).
"""

from collections.abc import Callable
from math import inf

from .chance import beyond_shuffled, chirp_layers, head_is, none_of
from .judgements import NOT, PARTLY, REPRODUCED, UNTESTABLE, Judgement
from .values import Metrics, digits, interval, number, with_exact_unit, with_interval, with_unit

__all__ = ["RULES"]

Range = tuple[float, float]  # both ends belong to it


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
