"""What a finding about a window is made of: `monitoring.sentences.finding_text` words it where a person reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeValues:
    """Values of one part, of so many rows, that are the same or hardly differ.

    Attributes:
        part: The class, output or number that they are of; empty where there is one part.
        same, usual: Rows with the commonest value, and the largest share of it in a window of the baseline.
        spread: The standard deviation, as a part of that of the baseline's most even window; None where values are the
            same.
    """

    part: str
    rows: int
    same: int = 0
    usual: float = 0.0
    spread: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantValues:
    """Answers or labels that are alike in some parts, the first of them and how many more."""

    about: Literal["constant values"] = "constant values"
    of: Literal["answers", "labels"]
    parts: tuple[AlikeValues, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossRate:
    """A rate of a window that no chance explains.

    Attributes:
        of: Rows whose label is not the answer; the mean error of numbers as a part of the largest that is told apart;
            unusable answers; values of an input that are missing, or that the baseline does not have.
        output: The output that the rate is about; empty where there is one.
        worst: The rate of the baseline's worst window.
        power_of_ten: How many powers of ten larger than the baseline's the answers are.
    """

    about: Literal["gross rate"] = "gross rate"
    of: Literal["labels", "errors", "answers", "missing", "unseen"]
    output: str = ""
    rate: float
    rows: int
    worst: float
    power_of_ten: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRange:
    """A number whose mean or standard deviation lies far outside the range of 97 % of the baseline's values.

    Attributes:
        source: The column that the number describes; None where it is a column itself.
    """

    about: Literal["outside range"] = "outside range"
    statistic: Literal["mean", "standard deviation"]
    value: float
    rows: int
    low: float
    high: float
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedValue:
    """A category of the baseline with its new name.

    Attributes:
        expected, rows: How many rows of the window the category would have by the baseline, and how many its new name
            has.
    """

    old_name: str
    new_name: str
    expected: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedValues:
    """What happened to the categories of an input: the first that were renamed, and how many more.

    Attributes:
        rows: Rows of the window that have a value.
        numbers: Of values that are numbers now, examples; empty where categories were renamed.
        unseen: The rate of values that the baseline does not have, where it is gross.
    """

    about: Literal["renamed values"] = "renamed values"
    rows: int
    values: tuple[RenamedValue, ...] = ()
    more: int = 0
    numbers: tuple[str, ...] = ()
    unseen: GrossRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostClass:
    """A class that none of the last labels is, its watch, and its share in the baseline."""

    watch: str
    labels: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LostClasses:
    """Classes that labels lost, the first of them and how many more."""

    about: Literal["lost classes"] = "lost classes"
    classes: tuple[LostClass, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpedShare:
    """A share of labels outside all windows of the baseline, of which the answers to the same rows say another one."""

    watch: str
    share: float
    labels: int
    answered: float
    windows: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpedShares:
    """Shares of labels that jumped."""

    about: Literal["jumped shares"] = "jumped shares"
    shares: tuple[JumpedShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusualShare:
    """Labels of no known prediction, or predictions with another's id: how many of how many, and the most before."""

    about: Literal["unusual share"] = "unusual share"
    of: Literal["labels without predictions", "repeated predictions"]
    count: int
    rows: int
    worst: float


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
class LossOutlier:
    """A window whose losses lie far outside the baseline's; `power_of_ten` as in `GrossRate`."""

    about: Literal["loss outlier"] = "loss outlier"
    loss: LossRange
    proof: LossProof
    others: tuple[OtherLoss, ...] = ()
    power_of_ten: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HighestLoss:
    """A window worse than all before; `page`: the loss above which one window of as many rows pages."""

    about: Literal["highest loss"] = "highest loss"
    loss: LossRange
    page: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVolume:
    """Rows of a window, and how many are usual.

    Attributes:
        gap, longest_gap: Windows in a row without rows, where this one has none, and the most in the reference.
        is_more: Whether rows are more than usual.
        most: So many times more or fewer the reference had at most, where it had what would be told; else None.
    """

    about: Literal["row volume"] = "row volume"
    rows: int
    usual: float
    by_reference: bool = False
    gap: int = 1
    longest_gap: int = 0
    is_more: bool = False
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingVolume:
    """Rows or labels of the last windows together, and how many are usual.

    Attributes:
        least: The fewest in as many windows before; None where that says nothing.
    """

    about: Literal["lasting volume"] = "lasting volume"
    of: Literal["rows", "labels"]
    total: int
    windows: int
    usual: float
    least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FewLabels:
    """Labels of the rows of windows that wait for none any more, and the reference's share of rows with labels."""

    about: Literal["few labels"] = "few labels"
    labels: int
    rows: int
    windows: int
    share: float


#: What findings are made of, by what they are about.
ValueParts: TypeAlias = ConstantValues | GrossRate | OutsideRange | RenamedValues
LabelParts: TypeAlias = LostClasses | JumpedShares | UnusualShare
LossParts: TypeAlias = LossOutlier | HighestLoss
VolumeParts: TypeAlias = RowVolume | LastingVolume | FewLabels
FindingParts: TypeAlias = ValueParts | LabelParts | LossParts | VolumeParts
