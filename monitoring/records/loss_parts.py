"""What findings about losses are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRange:
    """A loss of a window over its labelled rows, and between what the baseline's windows lie, in its own unit."""

    watch: str
    value: float
    rows: int
    windows: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LossProof:
    """What is beyond chance of a loss, in its own unit.

    Attributes:
        one_in: One sound window in so many is above `largest`.
        expected: What the answers let expect of the same rows; None where that is not known.
    """

    watch: str
    one_in: float
    largest: float
    value: float
    expected: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLoss:
    """Another loss that lies far outside, and the highest in a window of the baseline, in its own unit."""

    watch: str
    value: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLean:
    """To which side of the labels the answers to a window's labelled rows lie.

    Attributes:
        watch: The bias, or the share of a class among the labels.
        answers: The bias in the labels' unit; or the class's share as the answers expect it.
        labels: 0 beside a bias; or the class's share among the labels.
        is_bounded: Whether errors lie beyond the bound with which they count: then the bias is that of bounded errors.
    """

    watch: str
    answers: float
    labels: float = 0.0
    is_bounded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOutlier:
    """A window whose losses lie far outside the baseline's; `power_of_ten` as in `GrossRate`.

    Attributes:
        lean: To which side the answers lie, where that is much of the loss.
    """

    about: Literal["loss outlier"] = "loss outlier"
    loss: LossRange
    proof: LossProof
    others: tuple[OtherLoss, ...] = ()
    power_of_ten: int = 0
    lean: AnswerLean | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HighestLoss:
    """A window worse than all before; `page`: the loss above which one window of as many rows pages."""

    about: Literal["highest loss"] = "highest loss"
    loss: LossRange
    page: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BetterLoss:
    """A loss that has been better than the benchmark, in its own unit.

    Attributes:
        before, now: What the baseline expects, and its mean over the last `windows` windows, of `rows` rows.
        lowest: Of a loss of which next to none is left, its value in the best window of the baseline; else None.
    """

    about: Literal["better loss"] = "better loss"
    watch: str
    before: float
    now: float
    windows: int
    rows: int
    lowest: float | None = None


LossParts: TypeAlias = LossOutlier | HighestLoss | BetterLoss
