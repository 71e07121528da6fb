"""An experiment: claims with decision rules fixed in advance, a measurement, findings, and a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from matplotlib.figure import Figure

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.experiments.run_store import RunStore

ClaimVerdict = Literal["reproduced", "not reproduced", "inconclusive"]

BEYOND: Final = "beyond the paper"  # section of a claim that the paper does not make


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of the paper, and the quantity that decides whether it holds here.

    Attributes:
        name: short name, unique within the experiment.
        section: section of the paper, or `BEYOND`.
        says: the claim.
        quantity: what is measured, with its unit; a noun phrase without a full stop.
        above: the claim holds where the quantity is above this bound, and
        below: below this one.
        because: the reason for the bounds, where they are not obvious.
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

    def verdict(self, interval: ConfidenceInterval) -> ClaimVerdict:
        """Apply the decision rule to an interval.

        Returns:
            The verdict; `inconclusive` for an interval with a NaN.

        >>> from monitoring.baseline.metrics import ConfidenceInterval
        >>> claim = Claim(name="n", section="3", says="s", quantity="q", above=1)
        >>> [claim.verdict(ConfidenceInterval(low=low, high=low + 1)) for low in (1.5, 0.5, -0.5)]
        ['reproduced', 'inconclusive', 'not reproduced']
        """
        if interval.low > self.above and interval.high < self.below:
            return "reproduced"
        if interval.high <= self.above or interval.low >= self.below:
            return "not reproduced"
        return "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFinding:
    """The measured quantity of a claim in one place.

    Attributes:
        claim: the claim.
        where: a source, a remedy, or a pair of them.
        estimate: the quantity; NaN where it cannot be estimated, and `note` says why.
        interval: its 95 % interval.
        note: a remark, or empty.
    """

    claim: Claim
    where: str
    estimate: float
    interval: ConfidenceInterval
    note: str = ""

    @property
    def verdict(self) -> ClaimVerdict:
        """The claim's verdict on the interval."""
        return self.claim.verdict(self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A figure of the paper.

    Attributes:
        name: name of its folder and files.
        title: what the figure shows, one line.
        caption: how to read the figure; nothing that depends on the results.
        claims: in the order of the paragraph.
        measure: runs the grid; returns rows with the columns of `training_cell.SCHEMA`, of any setups.
        findings: estimates the quantities; at least one finding per claim.
        draw: draws the matplotlib figure.
        summary: makes the printed table, about one row per setup.
        remarks: what is particular to these data.
    """

    name: str
    title: str
    caption: str
    claims: tuple[Claim, ...]
    measure: Callable[[RunStore], pa.Table]
    findings: Callable[[pa.Table], tuple[ClaimFinding, ...]]
    draw: Callable[[pa.Table, Sequence[ClaimFinding]], Figure]
    summary: Callable[[pa.Table], pa.Table]
    remarks: tuple[str, ...] = ()


def overall_verdict(findings: Sequence[ClaimFinding]) -> ClaimVerdict:
    """Combine the findings of one claim.

    Returns:
        The verdict that all findings share; `inconclusive` where they disagree.
    """
    verdicts = {finding.verdict for finding in findings}
    return verdicts.pop() if len(verdicts) == 1 else "inconclusive"
