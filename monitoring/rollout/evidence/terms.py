"""The terms of a comparison: its verdicts, what it is decided by, and the sentences that name its conditions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitoring.records import MissingLabels, Requirement, RolloutResult, RolloutVerdict

BETTER: RolloutVerdict = "better"
WORSE: RolloutVerdict = "worse"
NO_DIFFERENCE: RolloutVerdict = "no difference that matters"
CANNOT_TELL: RolloutVerdict = "can't tell yet"

#: How the reason begins that there are too few days.
FEW_DAYS = "How much days differ is known from "

#: How the reason begins that the primary loss is not as required.
REQUIRED = "The candidate is required to be "

#: Where a promise about days to come holds, in words.
CONDITION = (
    "where days are independent or up to nine tenths of a difference last to the next day, no season is longer than "
    "the days compared, and the few largest days are like the others"
)

#: The loss that a rollout decides by where none is named.
DEFAULT = "default"

#: The largest surprise, or difference of two, in either direction: what counts as 1 in sums of both.
SURPRISE_SCALE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides a comparison.

    Attributes:
        margin: The smallest difference that matters, in the measure's own unit: `min_effect`.
        alpha: How probable a wrong bound may be, over all looks together: 0.05 is "1 in 20".
        scale: The measure's own unit over that of x, in which sums are.
    """

    margin: float
    alpha: float = 0.05
    scale: float = 1.0
    missing: MissingLabels = "bounded"


def unmet(require: Requirement, word: RolloutVerdict) -> str:
    """The reason that the primary loss is not as required.

    >>> unmet("not worse", "worse")
    "The candidate is required to be not worse, and the verdict is 'worse'."
    """
    return f"{REQUIRED}{require}, and the verdict is {word!r}."


def wrong_budget(text: str) -> float:
    """Read how many promotions may be wrong.

    >>> wrong_budget("1 in 20")
    0.05

    Args:
        text: "1 in N", N from 2 on.

    Raises:
        ValueError: it is none.
    """
    words = text.split()
    if len(words) != 3 or words[0] != "1" or words[1] != "in" or not words[2].isdecimal() or int(words[2]) < 2:
        raise ValueError(text)
    return 1.0 / int(words[2])


def as_required(result: RolloutResult, require: Requirement) -> RolloutResult:
    """A result that was decided with another requirement, decided with this one.

    Returns:
        The result, promotable only where the primary loss is as `require` says and no guard or obstacle is against it.
    """
    if result.require == require:
        return result
    word = result.interval.verdict
    fits = word == BETTER if require == "better" else result.interval.high < result.min_effect
    others = [reason for reason in result.reasons if not reason.startswith(REQUIRED)]
    reasons = (*others, *(() if fits else (unmet(require, word),)))
    return replace(result, require=require, promotable=not reasons, reasons=reasons)
