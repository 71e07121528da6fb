"""What a finding about a window is made of: `monitoring.sentences.finding_text` words it where a person reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from monitoring.records.loss_parts import LossParts
from monitoring.records.rule_parts import BrokenRule


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeValues:
    """Values of one part, of so many rows, that are the same or hardly differ.

    Attributes:
        part: The class, output or number that they are of; empty where there is one part.
        same, usual: Rows with the commonest value, and the largest share of it in a window of the baseline.
        value: The value that all rows have, and of which class it is the probability; None where that is not known.
        spread: The standard deviation, as a part of that of the baseline's most even window; None where values are the
            same.
        segment: The value of an input, as `column=value`, whose rows alone these are; empty for all rows.
    """

    part: str
    rows: int
    same: int = 0
    usual: float = 0.0
    value: tuple[str, float] | None = None
    spread: float | None = None
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantValues:
    """Answers or labels that are alike in some parts, the first of them and how many more."""

    about: Literal["constant values"] = "constant values"
    of: Literal["answers", "labels"]
    parts: tuple[AlikeValues, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValue:
    """A value that the baseline does not have, and the rows of the window that have it."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossRate:
    """A rate of a window that no chance explains.

    Attributes:
        of: Rows whose label is not the answer; the mean error of numbers as a part of the largest that is told apart;
            unusable answers; values of an input that are missing, or that the baseline does not have.
        output: The output that the rate is about; empty where there is one.
        worst: The rate of the baseline's worst window.
        power_of_ten: How many powers of ten larger than the baseline's the answers are.
        values: The commonest values that the baseline does not have, where they are told.
        segment: The value of another input, as `column=value`, whose rows alone have them; empty without one.
    """

    about: Literal["gross rate"] = "gross rate"
    of: Literal["labels", "errors", "answers", "missing", "unseen"]
    output: str = ""
    rate: float
    rows: int
    worst: float
    power_of_ten: int = 0
    values: tuple[NewValue, ...] = ()
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedInputs:
    """An input that has another one's values, as that one has its own."""

    about: Literal["swapped inputs"] = "swapped inputs"
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRange:
    """A number whose mean or standard deviation lies far outside the range of 97 % of the baseline's values.

    Attributes:
        source: The column that the number describes; None where it is a column itself.
        segment: The value of another input, as `column=value`, whose rows alone lie outside; empty without one.
        in_segment: Whether the value and the rows are of the segment alone; else of all rows.
        sampled: Whether these rows are a sample of the segment's.
    """

    about: Literal["outside range"] = "outside range"
    statistic: Literal["mean", "standard deviation"]
    value: float
    rows: int
    low: float
    high: float
    source: str | None = None
    segment: str = ""
    in_segment: bool = False
    sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantInput:
    """An input that has one value in all rows of a window that have one.

    Attributes:
        usual: The largest share of its values in one bin in a window of the baseline.
        number, category: The value: a number, or a category. Neither of a text, whose descriptions are all constant.
        segment: The segment in whose rows alone it has, as `column=value`; empty: in all.
    """

    about: Literal["constant input"] = "constant input"
    rows: int
    usual: float
    number: float | None = None
    category: str | None = None
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameValues:
    """An input whose values are those of the window before, though in other rows."""

    about: Literal["same values"] = "same values"
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRows:
    """Rows of a window, each of which is there so many times under ids of its own."""

    about: Literal["copied rows"] = "copied rows"
    rows: int
    times: int


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
class IndependentAnswers:
    """A score of the answers that does not go with an input any more.

    Attributes:
        input, watch: The input, and the watch on the score.
        rows: Rows of the window, or of the sample of it.
        low, high: The score's means in the window, over the input's values where the baseline's are low, and high.
        usual_low, usual_high: Those of the baseline.
        is_reversed: Whether it falls where it rose.
        exchanged: The scores of two classes, each of which goes with the input as the other did; empty without.
    """

    about: Literal["independent answers"] = "independent answers"
    input: str
    watch: str
    rows: int
    low: float
    high: float
    usual_low: float
    usual_high: float
    is_reversed: bool = False
    exchanged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorderedClasses:
    """Answers that fit their labels if some classes are read as others.

    Attributes:
        classes: Each class that is exchanged, and the one that labels have for it.
        rows: Labelled rows of the window, or of the sample of it, that are answered by one of these classes.
        fitting, answered: How many of them have the other class as label, and the answered one.
        usual: The share of such rows of the baseline that have the answered one.
    """

    about: Literal["reordered classes"] = "reordered classes"
    classes: tuple[tuple[str, str], ...]
    rows: int
    fitting: int
    answered: int
    usual: float


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
    """A share of labels outside all windows of the baseline, of which the answers to the same rows say another one.

    Attributes:
        of_numbers: Whether labels are numbers: the share is that of the baseline's which one exceeds on average.
    """

    watch: str
    share: float
    labels: int
    answered: float
    windows: int
    low: float
    high: float
    of_numbers: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AllMissing:
    """An input that is missing in all rows of a window."""

    about: Literal["all missing"] = "all missing"
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadInput:
    """An input that is absent from the traffic, where `problem` is empty, or whose values are not what they were."""

    about: Literal["unread input"] = "unread input"
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputClasses:
    """An output with its first class names, and whether there are more; none where it is a number."""

    name: str
    classes: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClasses:
    """Labels that are no class, no number, or of none of the outputs.

    Attributes:
        example: One of them.
        classes, more: The first class names, and whether there are more; none where a number is predicted.
        outputs: The outputs, where an object with a label of each is expected.
        of_output: Whether the example names no class of an output; else it is of none.
    """

    about: Literal["unknown classes"] = "unknown classes"
    labels: int
    example: str
    classes: tuple[str, ...] = ()
    more: bool = False
    outputs: tuple[OutputClasses, ...] = ()
    of_output: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLabels:
    """Labels that arrived after the label horizon, in microseconds.

    Attributes:
        counted: Labels that arrived in time, where they are the fewer; else None.
    """

    about: Literal["late labels"] = "late labels"
    labels: int
    horizon_us: int
    counted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedLabels:
    """For how long no label of a known prediction has arrived, and the longest such time before; in microseconds."""

    about: Literal["stopped labels"] = "stopped labels"
    silence_us: int
    longest_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswers:
    """Columns of answers that hold an answer in none of some rows.

    Attributes:
        form: What an answer is; of several outputs, one of each of `outputs`; of numbers, `width` of them.
    """

    about: Literal["no answers"] = "no answers"
    columns: tuple[str, ...]
    form: Literal["outputs", "ids", "probability", "class", "number"]
    rows: int
    outputs: tuple[str, ...] = ()
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentAnswers:
    """A column of the answer that some rows' files lack; `like`: the new column that it may be, or empty."""

    about: Literal["absent answers"] = "absent answers"
    rows: int
    of: int
    like: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTimes:
    """A file whose column of event times is absent, where `problem` is empty, or holds no times."""

    about: Literal["no times"] = "no times"
    file: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLines:
    """Lines of a file that an unbalanced quote makes part of records.

    Attributes:
        longest: Lines of the longest record, which begins on `first_line`, counted from 1; 0 where that is not known.
        other_files: Files besides of which lines are lost.
    """

    about: Literal["lost lines"] = "lost lines"
    file: str
    lines: int
    records: int
    longest: int
    first_line: int
    other_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedIds:
    """Rows with the id of another and other inputs."""

    about: Literal["repeated ids"] = "repeated ids"
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaAnomaly:
    """What TensorFlow Data Validation says of a column, in its own words."""

    about: Literal["schema anomaly"] = "schema anomaly"
    description: str


#: What findings are made of, by what they are about.
ValueParts: TypeAlias = (
    ConstantValues
    | GrossRate
    | OutsideRange
    | RenamedValues
    | SwappedInputs
    | AllMissing
    | UnreadInput
    | ConstantInput
    | SameValues
    | CopiedRows
    | IndependentAnswers
    | ReorderedClasses
)
LabelParts: TypeAlias = LostClasses | JumpedShares | UnusualShare | UnknownClasses | LateLabels | StoppedLabels
TableParts: TypeAlias = NoAnswers | AbsentAnswers | NoTimes | LostLines | RepeatedIds | SchemaAnomaly
VolumeParts: TypeAlias = RowVolume | LastingVolume | FewLabels
FindingParts: TypeAlias = ValueParts | LabelParts | LossParts | VolumeParts | TableParts | BrokenRule
