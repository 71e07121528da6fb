"""What an incident is about, in typed parts: sentences are made of them where a person reads them, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from monitoring.records.watch import Family, Level, WatchKey
from monitoring.records.window import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSplit:
    """The change of a loss since the onset: that of the expected loss, and that of the surprise.

    The expected loss is the one that the model's own probabilities imply; surprise is the realised minus the expected
    loss, a calibration gap.
    """

    metric: str
    difficulty: float
    surprise: float

    @property
    def change(self) -> float:
        """The change of the realised loss."""
        return self.difficulty + self.surprise

    @property
    def is_expected(self) -> bool:
        """Whether most of the change was expected."""
        return self.surprise < self.difficulty


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePart:
    """One slice's contribution to the change of a metric's mean over labelled rows, in the metric's own unit.

    With shares w and mean losses l, before and after, and the overall mean L before: `mix` is (w₁ - w₀)(l₀ - L), the
    contribution of its share; `loss` is w₁(l₁ - l₀), that of its own loss. The contributions of all values of a column
    add up to the change.
    """

    metric: str
    column: str
    slice: str
    mix: float
    loss: float

    @property
    def total(self) -> float:
        """The slice's whole contribution."""
        return self.mix + self.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """When a change began: the start of a window, in the deployment's time zone; of a batch its name.

    Attributes:
        has_time: Whether the time of day says more than the day: windows are shorter than one.
    """

    start: datetime
    batch: str | None = None
    has_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """A watch since the onset of an alarm, over rows. `before`: what the baseline expects of it, in its own unit.

    Attributes:
        auc: The AUC of the windows since the onset, where it says more than the ranking loss that stands for it.
    """

    key: WatchKey
    before: float
    now: float
    rows: int
    auc: float | None = None

    @property
    def change(self) -> float:
        """How far it has moved."""
        return self.now - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedNumber:
    """A number as the bins of a baseline show it: to four digits, or beyond the outermost edge."""

    value: float
    beyond: Literal["", "below", "above"] = ""


#: What of an input's values moved: the median or the middle half of a number, the share of a category, or of values
#: that the baseline never had.
ShiftOf: TypeAlias = Literal["median", "middle half", "category", "unseen", "constant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShift:
    """How an input's values moved from the baseline to one window, in its own unit.

    Attributes:
        before, now: A median or a share; of a middle half both ends. Of a constant the median or share before, and the
            number or the share now.
        category: Whose share moved.
        rows: The values of a constant, all of which are the same.
        rose: Whether it rose; None where that says nothing.
        mean: Of a window whose median is beyond the outermost edge, where it is finite.
    """

    input: str
    what: ShiftOf
    before: tuple[BinnedNumber, ...]
    now: tuple[BinnedNumber, ...]
    category: str = ""
    rose: bool | None = None
    mean: float | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedInput:
    """An input that moved with an alarm, the part of the rise of its loss that it explains, and how it moved.

    Attributes:
        explains: Whether that part is told from nothing.
    """

    input: str
    explained: float | None = None
    explains: bool = False
    shift: InputShift | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReason:
    """Why an alarm of the page level is a notice.

    Attributes:
        metric, rise: Of `what is known`: the loss that rose most beyond its limit, and by how much.
        expected: How much of that the model expected; None where it is not known.
        discovery_rate: The expected share of innocent inputs among `inputs`.
        inputs_moved: Whether an input moved; None where none is watched.
        outside: Of `outside the reference`: the share of rows that are unlike any of it.
        incident: Of `labels of other rows`: the number of the incident that tells it.
    """

    kind: Literal[
        "not worse",
        "better",
        "harder traffic",
        "not certain",
        "what is known",
        "labels of other rows",
        "no labels yet",
        "outside the reference",
        "within twice the tolerance",
    ]
    metric: str = ""
    rise: float = 0.0
    expected: float | None = None
    inputs_moved: bool | None = None
    outside: float = 0.0
    incident: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEvidence:
    """What made a team's evidence page a deployment; without numbers where an earlier window did.

    Attributes:
        share: The deployment's share of the evidence.
        others: How many other deployments the page names.
    """

    log_evidence: float | None = None
    threshold: float = 0.0
    budget: str = ""
    share: float = 0.0
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvidence:
    """How sure an alarm is: the log of its evidence, at most 700, its threshold, and the share of its watch."""

    level: Level
    log_evidence: float
    threshold: float
    share: float
    team: TeamEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDelay:
    """Labels that are later than a window is long: how many days half of them take at most, and whose rows they are."""

    days: int
    rows_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPart:
    """The class that a loss is of, or the predicted number."""

    kind: Literal["class", "number"]
    name: str


StepKind: TypeAlias = Literal[
    "accept the improvement",
    "check the traffic",
    "check the answers",
    "check the labels of its rows",
    "wait for labels",
    "check the label job",
    "compare its rows",
    "check how rows are labelled",
    "check the new values",
    "check the pipeline",
    "check the outputs",
    "check the model",
    "compare the inputs",
    "check the source",
    "look at its rows",
    "declare the slices",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do first.

    Attributes:
        subjects: What to look at: inputs, or what a fact names; of `declare the slices` the columns to declare, those
            that are declared already first.
        day: Of `compare the inputs`: the window, in the deployment's time zone.
        first: An input to look at before, as it explains most of a rise.
    """

    kind: StepKind
    subjects: tuple[str, ...] = ()
    day: datetime | None = None
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCause:
    """What the evidence of a level says: which watch moved, from, to, since when, and what explains it.

    Attributes:
        feature: The input that the watch is about.
        reason: Why it is a notice; None where it is a page, or of the level of notices.
        changes: The user's metric and the watch's own, the one that leads first; empty where no window has a score.
        cycle: The cycle of which the same time is compared, empty where there is none.
        shift: The input's own values, where the alarm is about where they lie.
        level, expected: The mean of the watch since the onset, and what the baseline expects; None without a score.
        deviation: The standard deviation of the watch between windows of the baseline.
        tolerance: The change of it that is tolerated.
        material: The rise that pages whatever explains it, where that is what alarms.
        is_estimate: Whether no label of these rows has arrived.
        split: Of the loss that opens the account; `proof` is the one of the metric that leads.
        part: The class or number whose loss it is, or that most of the change comes from.
        largest: The part that most of the change comes from.
        segment: The slice, as `column=value`, in which alone an input moved, or from which most of a loss comes though
            it has half of the rows at most; empty where there is none.
        discovery_rate: The expected share of innocent inputs among `inputs`.
        inputs_moved: Whether an input moved by itself or jointly with others; None where none is watched.
        pairs: Pairs of inputs whose joint distribution changed most.
    """

    kind: Literal["alarm"] = "alarm"
    key: WatchKey
    family: Family
    feature: str | None = None
    reason: NoticeReason | None = None
    since: Onset
    changes: tuple[MetricChange, ...] = ()
    cycle: str = ""
    shift: InputShift | None = None
    level: float | None = None
    expected: float
    deviation: float
    tolerance: float
    material: float | None = None
    is_estimate: bool = False
    delay: LabelDelay | None = None
    split: LossSplit | None = None
    proof: LossSplit | None = None
    part: LossPart | None = None
    largest: SlicePart | None = None
    segment: str = ""
    inputs: tuple[MovedInput, ...] = ()
    inputs_watched: bool = False
    discovery_rate: float
    inputs_moved: bool | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    renaming: Finding | None = None
    evidence: AlarmEvidence
    step: NextStep

    @property
    def change(self) -> float:
        """How far the watch has moved; 0 where no window has a score."""
        return 0.0 if self.level is None else self.level - self.expected

    @property
    def is_improvement(self) -> bool:
        """Whether every loss is better than the benchmark."""
        return self.reason is not None and self.reason.kind == "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFact:
    """A fact of the same window that explains another one: its kind, and the `slice` of its incident."""

    incident: int
    fact: str
    slice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactCause:
    """A fact of a window: the findings of one kind, one for each thing that it is true of.

    Attributes:
        evidence: What an alarm added to it.
        closes_after: So many windows without it close the incident.
        root: The fact that explains it; None where none of its window does.
    """

    kind: Literal["fact"] = "fact"
    fact: str
    findings: tuple[Finding, ...]
    evidence: AlarmCause | None = None
    root: RootFact | None = None
    closes_after: int
    step: NextStep

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is true of: inputs, or what else a fact may be about; empty text for the files of a window."""
        return tuple(finding.feature for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupCause:
    """What a search for subgroups found, in the windows from `start` to `end`, in the deployment's time zone."""

    kind: Literal["subgroup"] = "subgroup"
    start: datetime
    end: datetime
    windows: int
    step: NextStep


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyCause:
    """An incident of a store from before causes were typed, as it was worded then.

    Attributes:
        line: What it was about, in short.
        headline: The first sentence, where the line begins with it.
        text: What it said after that.
        step: What it said to do first.
        again: What it said when it was assessed again.
        fact: The kind of the fact, and `subjects` what it was about; empty where it was an alarm.
        has_evidence: Whether an alarm had added its evidence to the fact; `evidence` is what one added since.
        is_improvement: Whether it was an alarm of losses that are all better than the benchmark.
    """

    kind: Literal["legacy"] = "legacy"
    line: str = ""
    headline: str = ""
    text: str = ""
    step: str = ""
    again: str = ""
    fact: str = ""
    subjects: tuple[str, ...] = ()
    has_evidence: bool = False
    evidence: AlarmCause | None = None
    is_improvement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassessment:
    """What is known of a cause some windows later.

    Attributes:
        window: The last window that it knows.
    """

    window: Onset
    cause: AlarmCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is known of an incident's cause when it is opened, or becomes worse; and when it was assessed again."""

    at: datetime
    cause: AlarmCause | FactCause | SubgroupCause | LegacyCause
    again: Reassessment | None = None
