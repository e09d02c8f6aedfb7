"""Rules of counts and orders of heads, which are held against chance: shuffled rows, or as many heads at random."""

from scipy import stats

from ..errors import CompanionError
from .judgements import NOT, PARTLY, REPRODUCED, UNTESTABLE, Judgement
from .values import Metrics, digits, interval, number

__all__ = ["beyond_shuffled", "chirp_layers", "head_is", "none_of"]

PAPERS_BACKBONE = "google/vit-base-patch16-224"
LAYERS = 12
RARE = 0.05  # a chance below which a count is not put down to chance


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


def _heads_of_a_layer(metrics: Metrics) -> int:
    layers = 1
    while f"ablation.layer_{layers + 1}.mean_percent" in metrics:
        layers += 1
    return round(number(metrics, "ablation.heads")) // layers
