"""What the paper says, what a run gives, and the verdict: every rule is here, every claim in data/claims.json.

A verdict says how far a published statement holds on the model at hand. It never says more than its rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CompanionError

__all__ = ["PROTOCOLS", "RULES", "VERDICTS", "Claim", "Judgement", "judge", "judge_all", "load_claims"]

VERDICTS = ("reproduced", "partly", "not reproduced", "cannot be tested at this scale")
REPRODUCED, PARTLY, NOT, UNTESTABLE = VERDICTS
PROTOCOLS = ("described", "released")
PAPERS_BACKBONE = "google/vit-base-patch16-224"


@dataclass(frozen=True)
class Claim:
    """A published statement that can be measured."""

    name: str
    says: str  # in a few words of our own
    quote: str
    place: str  # in the paper
    published: str  # its value, as published
    rule: str  # of RULES
    arguments: dict
    figure: str  # file under figures/<profile> that shows it
    notebook: str
    heading: str  # of the notebook's section that computes it
    protocols: tuple[str, ...] = ("described",)


@dataclass(frozen=True)
class Judgement:
    """The verdict on one claim under one protocol."""

    verdict: str
    value: str  # ours, with its interval
    rule: str  # in words, with its numbers
    agreeing: str = ""  # how many other starts come to the same verdict


def near(results: dict, prefix: str, *, key: str, published: float, tolerance: float, unit: str) -> Judgement:
    """Reproduced within the tolerance, partly within a factor of three and with the same sign."""
    value = _number(results, prefix + key)
    same_sign = value * published > 0
    within = abs(value - published) <= tolerance
    factor = same_sign and 1 / 3 <= value / published <= 3
    verdict = REPRODUCED if within else PARTLY if factor else NOT
    rule = f"within {tolerance:g} {unit} of {published:g} {unit}; partly: within a factor of three"
    return Judgement(verdict, _with_interval(results, prefix + key, unit), rule)


def at_least(results: dict, prefix: str, *, key: str, published: float, margin: float) -> Judgement:
    """Reproduced if not more than the margin below, partly if not more than three margins below."""
    below = published - _number(results, prefix + key)
    verdict = REPRODUCED if below <= margin else PARTLY if below <= 3 * margin else NOT
    rule = f"not more than {margin:g} below {published:g}; partly: not more than {3 * margin:g}"
    return Judgement(verdict, _with_interval(results, prefix + key, ""), rule)


def at_most(results: dict, prefix: str, *, key: str, limit: float, partly: float, unit: str = "") -> Judgement:
    """Reproduced up to the limit, partly up to another."""
    value = _number(results, prefix + key)
    verdict = REPRODUCED if value <= limit else PARTLY if value <= partly else NOT
    return Judgement(
        verdict, _with_interval(results, prefix + key, unit), f"at most {limit:g} {unit}; partly: {partly:g}"
    )


def times_as_large(results: dict, prefix: str, *, key: str, base: str, published: float) -> Judgement:
    """Reproduced if the ratio comes within a third of the published one and is surely above one; partly if above one.

    Of a base that is not above zero nothing is so many times as large.
    """
    value, (low, _) = _number(results, prefix + key), _interval(results, prefix + key)
    rule = f"at least {2 / 3 * published:.1f} times, its interval above 1; partly: above 1"
    if (smaller_one := _number(results, prefix + base)) <= 0:
        return Judgement(NOT, f"no ratio: it is compared with {_digits(smaller_one)}", rule)
    sure = low is None or low > 1
    verdict = REPRODUCED if value >= 2 / 3 * published and sure else PARTLY if value > 1 else NOT
    return Judgement(verdict, _with_interval(results, prefix + key, "times"), rule)


def smaller(results: dict, prefix: str, *, key: str, than: str, unit: str) -> Judgement:
    """Reproduced if the whole interval lies below the other's, partly if the value does."""
    first, second = _number(results, prefix + key), _number(results, prefix + than)
    high, low = _interval(results, prefix + key)[1], _interval(results, prefix + than)[0]
    surely = high is None or low is None or high < low
    verdict = NOT if first >= second else REPRODUCED if surely else PARTLY
    value = f"{_with_interval(results, prefix + key, unit)} against {_with_interval(results, prefix + than, unit)}"
    return Judgement(verdict, value, "smaller, the intervals apart; partly: smaller")


def chirp_layers(results: dict, prefix: str, *, layers: list[int]) -> Judgement:
    """Reproduced if all monosemantic chirp heads lie in the named layers, partly if more than half do."""
    counts = {layer: int(_number(results, f"semantics.layer_{layer}.chirp_heads")) for layer in range(1, 13)}
    found, inside = sum(counts.values()), sum(counts[layer] for layer in layers)
    verdict = NOT if not found or inside <= found / 2 else REPRODUCED if inside == found else PARTLY
    where = ", ".join(f"{layer} ({count})" for layer, count in counts.items() if count) or "none"
    rule = "all in the named layers; partly: more than half"
    return Judgement(verdict, f"{inside} of {found} heads; layers (heads) {where}", rule)


def head_is(results: dict, prefix: str, *, head: str, kind: str, features: list[str]) -> Judgement:
    """Judge one head by its number: only on the paper's own backbone does the number mean anything."""
    if (key := f"heads.{head}") not in results:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    found_kind, feature, top = str(results[key]).split("; ")
    value = f"{found_kind}, {feature}" if feature else f"{found_kind}, most {top}"
    rule = f"{kind}" + (f" for {' or '.join(features)}" if features else "") + "; partly: attends to it most"
    if results.get("origin.backbone") != PAPERS_BACKBONE:
        return Judgement(UNTESTABLE, value, "another backbone's head shares only the number")
    fits = found_kind == kind and (not features or feature in features)
    return Judgement(REPRODUCED if fits else PARTLY if top in features else NOT, value, rule)


def counted(results: dict, prefix: str, *, key: str, least: int) -> Judgement:
    """Reproduced if there are as many as said, partly if there is one."""
    count = int(_number(results, prefix + key))
    verdict = REPRODUCED if count >= least else PARTLY if count else NOT
    return Judgement(verdict, f"{count} heads", f"{least} or more; partly: one or more")


def untestable(results: dict, prefix: str, *, why: str) -> Judgement:
    """Say why a statement cannot be tested."""
    return Judgement(UNTESTABLE, "-", why)


RULES: dict[str, Callable[..., Judgement]] = {
    rule.__name__: rule
    for rule in (near, at_least, at_most, times_as_large, smaller, chirp_layers, head_is, counted, untestable)
}


def load_claims(entries: list[dict]) -> list[Claim]:
    """Return claims from what data/claims.json holds.

    Raises:
        CompanionError: an entry lacks something, or names no rule or protocol that exists.
    """
    claims = []
    for entry in entries:
        try:
            claim = Claim(**entry | {"protocols": tuple(entry.get("protocols", ("described",)))})
        except TypeError as error:
            raise CompanionError(f"claim {entry.get('name', '?')!r} is not complete: {error}") from error
        if claim.rule not in RULES or set(claim.protocols) - set(PROTOCOLS):
            raise CompanionError(
                f"claim {claim.name!r} names no rule or protocol that exists: {claim.rule}, {claim.protocols}"
            )
        claims.append(claim)
    return claims


def judge(claim: Claim, results: dict, *, protocol: str = "described", others: list[dict] | None = None) -> Judgement:
    """Return the verdict on a claim.

    Args:
        claim: what is claimed.
        results: flat keys of results.json.
        protocol: "described" or "released".
        others: flat keys of other starts, which are asked for their verdict too.

    Raises:
        CompanionError: the results lack a number.
    """
    prefix = "" if protocol == "described" else f"{protocol}."
    found = RULES[claim.rule](results, prefix, **claim.arguments)
    if not others or found.verdict == UNTESTABLE:
        return found
    same = []
    for other in others:
        try:
            same.append(RULES[claim.rule](other, prefix, **claim.arguments).verdict == found.verdict)
        except CompanionError:  # not every number is measured for every start
            return found
    return Judgement(found.verdict, found.value, found.rule, f"{sum(same) + 1} of {len(same) + 1} starts")


def judge_all(claims: list[Claim], results: dict, others: list[dict]) -> dict[str, dict[str, Judgement]]:
    """Return the verdicts of all claims by name and protocol."""
    return {
        claim.name: {
            protocol: judge(claim, results, protocol=protocol, others=others if protocol == "described" else None)
            for protocol in claim.protocols
        }
        for claim in claims
    }


def _number(results: dict, key: str) -> float:
    if key not in results:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    return float(results[key])


def _interval(results: dict, key: str) -> tuple[float | None, float | None]:
    """Return the interval's ends, which stand beside a value: ..._low, or, before a unit, ..._low_percent."""
    for stem, unit in ((key, ""), (key.removesuffix("_percent"), "_percent")):
        low, high = (results.get(f"{stem}_{end}{unit}") for end in ("low", "high"))
        if low is not None and high is not None:
            return float(low), float(high)
    return None, None


def _with_interval(results: dict, key: str, unit: str) -> str:
    low, high = _interval(results, key)
    value = f"{_digits(_number(results, key))} {unit}".strip()
    if low is None:
        return value
    # a ratio to what may be zero has no bound
    return f"{value} ({' to '.join(_digits(end) if abs(end) < 1e6 else 'no bound' for end in (low, high))})"


def _digits(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
