"""A claim of the paper: its quantity, its decision rule, and the smallest effect that matters."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments import scale
from pitfalls_tf.experiments.scale import ScaleName

SourceVerdict = Literal["reproduced", "not reproduced", "at the bound", "inconclusive"]
Rule = Literal["current", "first", "both"]

BEYOND: Final = "beyond the paper"  # section of a claim that the paper does not make


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of the paper, and the quantity that decides whether it holds here.

    Attributes:
        matters: smallest distance from a bound that matters; on the log scale a factor above 1.
    """

    name: str
    section: str
    says: str
    quantity: str
    above: float = -np.inf
    below: float = np.inf
    because: str = ""
    scale: ScaleName = "identity"
    matters: float
    first: Claim | None = None

    @property
    def rule(self) -> str:
        """The decision rule in words."""
        if np.isinf(self.below):
            where, outside = f"above {self.above:g}", f"at or below {self.above:g}"
        elif np.isinf(self.above):
            where, outside = f"below {self.below:g}", f"at or above {self.below:g}"
        else:
            where, outside = f"between {self.above:g} and {self.below:g}", "outside these bounds"
        because = f" {self.because}" if self.because else ""
        return (
            f"Reproduced if the whole 95 % interval of the {self.quantity} is {where}; not reproduced if the whole"
            f" interval is {outside}; otherwise inconclusive.{because}"
        )

    @property
    def question(self) -> str:
        """What the rule asks, in words."""
        ends = [f"{word} {end:g}" for word, end in (("above", self.above), ("below", self.below)) if np.isfinite(end)]
        return f"Is the {self.quantity} {' and '.join(ends)}?"

    @property
    def smallest_effect(self) -> str:
        """The smallest effect that matters, in words."""
        return f"a factor of {self.matters:g}" if self.scale == "log" else f"{self.matters:g}"

    @property
    def distance(self) -> float:
        """The smallest effect that matters on the claim's scale, from the bound where it is shortest."""
        bounds = [bound for bound in (self.above, self.below) if np.isfinite(bound)]
        return min(scale.distance(self.scale, bound, self.matters) for bound in bounds)

    def verdict(self, interval: ConfidenceInterval) -> SourceVerdict:
        """Apply the decision rule to an interval.

        Returns:
            The verdict. `at the bound` is an interval that is as narrow as planned, at most the smallest effect that
            matters to each side, and contains the bound; `inconclusive` is a wider one, or one with a NaN.

        >>> from monitoring.baseline.metrics import ConfidenceInterval
        >>> claim = Claim(name="n", section="3", says="s", quantity="q", above=1, matters=0.1)
        >>> [claim.verdict(ConfidenceInterval(low=low, high=low + 1)) for low in (1.5, 0.5, -0.5)]
        ['reproduced', 'inconclusive', 'not reproduced']
        >>> claim.verdict(ConfidenceInterval(low=0.95, high=1.1))
        'at the bound'
        """
        if interval.low > self.above and interval.high < self.below:
            return "reproduced"
        if interval.high <= self.above or interval.low >= self.below:
            return "not reproduced"
        ends = [scale.transform(self.scale, end) for end in (interval.low, interval.high)]
        width = ends[1] - ends[0]
        return "at the bound" if np.isfinite(width) and width <= 2 * self.distance else "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFinding:
    """The measured quantity of a claim in one place.

    Attributes:
        estimate: the quantity; NaN where it cannot be estimated, and `note` says why.
        interval: its 95 % interval.
        note: a remark, or empty.
        seeds: number of runs it was measured in; 0 where runs are not its unit.
        domains: number of domains; 0 where domains are not its unit.
        by_seeds: share of the squared standard error that falls with the number of runs; the rest falls with that of
            domains.
    """

    claim: Claim
    where: str
    estimate: float
    interval: ConfidenceInterval
    note: str = ""
    rule: Rule = "both"
    seeds: int = 0
    domains: int = 0
    by_seeds: float = 1.0

    @property
    def source(self) -> str:
        """The source: the first word of `where`."""
        return self.where.replace(":", ",").split(",", 1)[0].strip()

    @property
    def verdict(self) -> SourceVerdict:
        """The verdict of the claim's rule on the interval."""
        return self.claim.verdict(self.interval)

    @property
    def first_verdict(self) -> SourceVerdict:
        """The verdict of the rule that was replaced, or of the claim's if none was."""
        return (self.claim.first or self.claim).verdict(self.interval)

    @property
    def standard_error(self) -> float:
        """Standard error on the claim's scale, from the interval; NaN where it is unknown."""
        ends = [scale.transform(self.claim.scale, end) for end in (self.interval.low, self.interval.high)]
        return (ends[1] - ends[0]) / 2 / scale.NORMAL_QUANTILE


@cache
def _every_claim() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))


def find_claim(name: str) -> Claim:
    """The claim of this name in claims.toml, with the rule that it replaced where there is one.

    >>> find_claim("plateaus").above
    0.5
    """
    fields = dict(_every_claim()[name])
    changed = fields.pop("first", None)
    claim = Claim(name=name, **fields)
    return claim if changed is None else replace(claim, first=replace(claim, **changed))
