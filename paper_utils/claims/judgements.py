"""What a rule says of a claim: a verdict, with the run's value and the rule in words."""

from dataclasses import dataclass

__all__ = ["NOT", "PARTLY", "REPRODUCED", "UNINFORMATIVE", "UNTESTABLE", "VERDICTS", "Judgement"]

VERDICTS = ("reproduced", "partly", "not reproduced", "not informative", "cannot be tested here")
REPRODUCED, PARTLY, NOT, UNINFORMATIVE, UNTESTABLE = VERDICTS


@dataclass(frozen=True)
class Judgement:
    """The outcome of one rule for one run."""

    verdict: str  # one of VERDICTS
    value: str  # the run's, with its 95 % interval
    rule: str  # in words, with its numbers
    short: str  # the value alone, without unit and interval
