"""The rules that judge: what a run measured and what the paper states go in, a verdict comes out.

A rule is a function of the flat metrics of a run, of the prefix that its protocol has there, and of the arguments that
a claim gives it in data/claims.json. A verdict is about the model of that run alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CompanionError

__all__ = ["RULES", "VERDICTS", "Judgement", "Metrics"]

Metrics = Mapping[str, Any]  # flat keys of results.json

VERDICTS = ("reproduced", "partly", "not reproduced", "cannot be tested at this scale")
REPRODUCED, PARTLY, NOT, UNTESTABLE = VERDICTS
PAPERS_BACKBONE = "google/vit-base-patch16-224"


@dataclass(frozen=True)
class Judgement:
    """The outcome of one rule for one run."""

    verdict: str  # one of VERDICTS
    value: str  # the run's, with its 95 % interval
    rule: str  # in words, with its numbers


def near(metrics: Metrics, prefix: str, *, key: str, published: float, tolerance: float, unit: str) -> Judgement:
    """Reproduced within the tolerance, partly within a factor of three and with the same sign."""
    value = _number(metrics, prefix + key)
    same_sign = value * published > 0
    within = abs(value - published) <= tolerance
    factor = same_sign and 1 / 3 <= value / published <= 3
    verdict = REPRODUCED if within else PARTLY if factor else NOT
    rule = f"within {_with_unit(tolerance, unit)} of {_with_unit(published, unit)}; partly: within a factor of three"
    return Judgement(verdict, _with_interval(metrics, prefix + key, unit), rule)


def at_least(metrics: Metrics, prefix: str, *, key: str, published: float, margin: float) -> Judgement:
    """Reproduced if not more than the margin below, partly if not more than three margins below."""
    below = published - _number(metrics, prefix + key)
    verdict = REPRODUCED if below <= margin else PARTLY if below <= 3 * margin else NOT
    rule = f"not more than {margin:g} below {published:g}; partly: not more than {3 * margin:g}"
    return Judgement(verdict, _with_interval(metrics, prefix + key, ""), rule)


def at_most(metrics: Metrics, prefix: str, *, key: str, limit: float, partly: float, unit: str = "") -> Judgement:
    """Reproduced up to the limit, partly up to another."""
    value = _number(metrics, prefix + key)
    verdict = REPRODUCED if value <= limit else PARTLY if value <= partly else NOT
    return Judgement(
        verdict,
        _with_interval(metrics, prefix + key, unit),
        f"at most {_with_unit(limit, unit)}; partly: {_with_unit(partly, unit)}",
    )


def times_as_large(metrics: Metrics, prefix: str, *, key: str, base: str, published: float) -> Judgement:
    """Reproduced if the ratio comes within a third of the published one and is surely above one; partly if above one.

    Not reproduced where the base is zero or below: the ratio means nothing there.
    """
    value, (low, _) = _number(metrics, prefix + key), _interval(metrics, prefix + key)
    rule = f"at least {2 / 3 * published:.1f} times, its interval above 1; partly: above 1"
    if (divisor := _number(metrics, prefix + base)) <= 0:
        return Judgement(NOT, f"no ratio: it is compared with {_digits(divisor)}", rule)
    sure = low is None or low > 1
    verdict = REPRODUCED if value >= 2 / 3 * published and sure else PARTLY if value > 1 else NOT
    return Judgement(verdict, _with_interval(metrics, prefix + key, "times"), rule)


def smaller(metrics: Metrics, prefix: str, *, key: str, than: str, unit: str) -> Judgement:
    """Reproduced if the whole interval lies below the other's, partly if the value does."""
    first, second = _number(metrics, prefix + key), _number(metrics, prefix + than)
    high, low = _interval(metrics, prefix + key)[1], _interval(metrics, prefix + than)[0]
    surely = high is None or low is None or high < low
    verdict = NOT if first >= second else REPRODUCED if surely else PARTLY
    value = f"{_with_interval(metrics, prefix + key, unit)} against {_with_interval(metrics, prefix + than, unit)}"
    return Judgement(verdict, value, "smaller, the intervals apart; partly: smaller")


def chirp_layers(metrics: Metrics, prefix: str, *, layers: list[int]) -> Judgement:
    """Reproduced if all monosemantic chirp heads lie in the named layers, partly if more than half do."""
    counts = {layer: int(_number(metrics, f"semantics.layer_{layer}.chirp_heads")) for layer in range(1, 13)}
    found, inside = sum(counts.values()), sum(counts[layer] for layer in layers)
    verdict = NOT if not found or inside <= found / 2 else REPRODUCED if inside == found else PARTLY
    where = ", ".join(f"{layer} ({count})" for layer, count in counts.items() if count) or "none"
    rule = "all in the named layers; partly: more than half"
    return Judgement(verdict, f"{inside} of {found} heads; layers (heads) {where}", rule)


def head_is(metrics: Metrics, prefix: str, *, head: str, kind: str, features: list[str]) -> Judgement:
    """Judge one head by its number: only on the paper's own backbone does the number mean anything."""
    if (key := f"heads.{head}") not in metrics:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    found_kind, feature, top = str(metrics[key]).split("; ")
    value = f"{found_kind}, {feature}" if feature else f"{found_kind}, most {top}"
    rule = f"{kind}" + (f" for {' or '.join(features)}" if features else "") + "; partly: attends to it most"
    if metrics.get("origin.backbone") != PAPERS_BACKBONE:
        return Judgement(UNTESTABLE, value, "another backbone's head shares only the number")
    fits = found_kind == kind and (not features or feature in features)
    return Judgement(REPRODUCED if fits else PARTLY if top in features else NOT, value, rule)


def counted(metrics: Metrics, prefix: str, *, key: str, least: int) -> Judgement:
    """Reproduced if there are as many as said, partly if there is one."""
    count = int(_number(metrics, prefix + key))
    verdict = REPRODUCED if count >= least else PARTLY if count else NOT
    return Judgement(verdict, f"{count} heads", f"{least} or more; partly: one or more")


def untestable(metrics: Metrics, prefix: str, *, why: str) -> Judgement:
    """Say why a statement cannot be tested."""
    return Judgement(UNTESTABLE, "-", why)


RULES: dict[str, Callable[..., Judgement]] = {
    rule.__name__: rule
    for rule in (near, at_least, at_most, times_as_large, smaller, chirp_layers, head_is, counted, untestable)
}


def _number(metrics: Metrics, key: str) -> float:
    if key not in metrics:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    return float(metrics[key])


def _interval(metrics: Metrics, key: str) -> tuple[float | None, float | None]:
    """Return the interval's ends, which stand beside a value: ..._low, or, before a unit, ..._low_percent."""
    for stem, unit in ((key, ""), (key.removesuffix("_percent"), "_percent")):
        low, high = (metrics.get(f"{stem}_{end}{unit}") for end in ("low", "high"))
        if low is not None and high is not None:
            return float(low), float(high)
    return None, None


def _with_interval(metrics: Metrics, key: str, unit: str) -> str:
    low, high = _interval(metrics, key)
    value = f"{_digits(_number(metrics, key))} {unit}".strip()
    if low is None or high is None:
        return value
    # a ratio to what may be zero has no bound
    return f"{value} ({' to '.join(_digits(end) if abs(end) < 1e6 else 'no bound' for end in (low, high))})"


def _digits(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _with_unit(value: float, unit: str) -> str:
    return f"{value:g} {unit}".strip()
