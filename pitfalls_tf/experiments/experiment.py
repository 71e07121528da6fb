"""What an experiment is: claims with their rules written down first, a measurement, findings, and a picture of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from matplotlib.figure import Figure

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.experiments.run_store import Lab

Size = TypeVar("Size")
Word = Literal["reproduced", "not reproduced", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large the grid is: `quick` is a smoke test of a minute or two; `seeds` overrides the experiment's number."""

    quick: bool = False
    seeds: int | None = None

    def choose(self, *, full: Size, quick: Size) -> Size:
        """One of two sizes.

        >>> Scale(quick=True).choose(full=30, quick=4)
        4
        """
        return quick if self.quick else full

    def numbers(self, *, full: int, quick: int) -> range:
        """The seeds: as many as asked for, or the experiment's own number."""
        return range(self.choose(full=full, quick=quick) if self.seeds is None else self.seeds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of the paper, and the number that decides whether it holds here.

    quantity  what is measured, with its unit; a noun phrase without a full stop
    above     the claim holds where the quantity is above this, and
    below     below this
    because   why these bounds, if they are not plain
    """

    name: str
    section: str
    says: str
    quantity: str
    above: float = -np.inf
    below: float = np.inf
    because: str = ""

    @property
    def rule(self) -> str:
        """The rule in words, as it stood before anything was run."""
        if np.isinf(self.below):
            where, outside = f"above {self.above:g}", f"at or below {self.above:g}"
        elif np.isinf(self.above):
            where, outside = f"below {self.below:g}", f"at or above {self.below:g}"
        else:
            where, outside = f"between {self.above:g} and {self.below:g}", "outside these"
        because = f" {self.because}" if self.because else ""
        return (
            f"Reproduced if the whole 95 % interval of the {self.quantity} is {where}; not reproduced if the whole"
            f" interval is {outside}; otherwise inconclusive.{because}"
        )

    def word(self, interval: ConfidenceInterval) -> Word:
        """What an interval says of the claim; one with a NaN says nothing.

        >>> from monitoring.baseline.metrics import ConfidenceInterval
        >>> claim = Claim(name="n", section="3", says="s", quantity="q", above=1)
        >>> [claim.word(ConfidenceInterval(low=low, high=low + 1)) for low in (1.5, 0.5, -0.5)]
        ['reproduced', 'inconclusive', 'not reproduced']
        """
        if interval.low > self.above and interval.high < self.below:
            return "reproduced"
        if interval.high <= self.above or interval.low >= self.below:
            return "not reproduced"
        return "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured for a claim in one place: a source, a remedy or a pair of them, as `where` says.

    estimate, interval   of the claim's quantity; NaN where it cannot be had, and `note` says why
    """

    claim: Claim
    where: str
    estimate: float
    interval: ConfidenceInterval
    note: str = ""

    @property
    def word(self) -> Word:
        """Follows from the interval and nothing else."""
        return self.claim.word(self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A figure of the paper.

    name      of its folder and files
    title     what the figure shows, one line
    caption   how to read it; says nothing that the numbers decide
    remarks   what is particular to these data
    claims    in the order of the paragraph
    measure   runs the grid; rows as `scores.SCHEMA` has them, of any setups
    findings  judges them; at least one for each claim
    draw      a matplotlib figure
    summary   the table that is printed, a row per setup or so
    """

    name: str
    title: str
    caption: str
    claims: tuple[Claim, ...]
    measure: Callable[[Lab], pa.Table]
    findings: Callable[[pa.Table], tuple[Finding, ...]]
    draw: Callable[[pa.Table, Sequence[Finding]], Figure]
    summary: Callable[[pa.Table], pa.Table]
    remarks: tuple[str, ...] = ()


def overall(findings: Sequence[Finding]) -> Word:
    """The word that all findings of a claim share; inconclusive where they do not agree."""
    words = {finding.word for finding in findings}
    return words.pop() if len(words) == 1 else "inconclusive"
