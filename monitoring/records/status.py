"""The state of one deployment, which reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.records.drill import DrillRecord
from monitoring.records.incident import IncidentRecord
from monitoring.records.watch import Level
from monitoring.records.window import MeasuredMetric, WindowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebaseline:
    """A change of a deployment's baseline to windows of its own traffic. All times are aware.

    Attributes:
        since: Windows that begin before that time are not judged against the new baseline.
        former_section: The config's [baseline] section before, as text; empty where there was none.
        undone_at: When it was undone; None while it stands.
    """

    at: datetime
    by: str
    reason: str
    start: datetime
    end: datetime
    since: datetime
    former_basis: str
    former_section: str = ""
    closed: tuple[int, ...] = ()
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNote:
    """The unit and the description of a column; empty where the dictionary has none. No evidence depends on them."""

    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The smallest rise of a metric detected within `windows` in 9 of 10 simulated streams; None where none is."""

    metric: str
    slice: str
    windows: int
    rise: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the answered rows and of the labels due the monitor has read."""

    rows: int
    repeats: int
    labels: int
    labels_due: int
    labels_unknown: int
    windows: int
    thin_windows: int
    labels_conflicting: int
    answered: int
    """`rows`, those lost by the log, and an estimate of those left out of its sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineScore:
    """A watch in the baseline: mean and standard deviation over its windows, and its tolerance, in its own unit.

    `cycle` is the period of the seasonality that was removed ("day", "week" or ""); `deviation` is what is left, and
    `gain` the factor by which the removal raised the signal-to-noise ratio of a lasting rise.
    """

    level: Level
    watch: str
    slice: str
    mean: float
    deviation: float
    tolerance: float
    windows: int
    cycle: str = ""
    gain: float = 1.0

    @property
    def seasonal_deviation(self) -> float:
        """The standard deviation of windows with their seasonality: about `gain` times that without."""
        return self.deviation * max(self.gain, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInUse:
    """Another version of a model that answers traffic too: its deployment's number, and how many pages it has open."""

    number: int
    version: int
    open_pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStatus:
    """All that the store has of one deployment: what reports and `--json` show.

    `asked_at` is the time at which it is shown, `checked_at` that of the last run that judged all that was due, and
    `next_due_at` that from which the next window is due; None where they are not known. `rebaselines` are the changes
    of the baseline that stand, in order. `measured` are the metrics that are shown, over the baseline's windows.
    `drill` is the last drill of its name; None where there was none.
    `number` is the deployment's number in the store, `name` its name and `created_at` when it was first used.
    `columns` are the words of the data dictionary by column, where it is known. `failure` is the error of the last run;
    empty where it judged what was due. `undelivered` notifications did not reach all who are to get them. `versions`
    are the other versions of the model that answer traffic too.
    """

    model: str
    version: int
    page_budget: str
    page_threshold: float
    notice_budget: str
    notice_threshold: float
    timezone: str
    windows: tuple[WindowRecord, ...] = field(repr=False)
    incidents: tuple[IncidentRecord, ...]
    sensitivity: tuple[Sensitivity, ...]
    coverage: Coverage
    baseline: tuple[BaselineScore, ...] = field(repr=False)
    asked_at: datetime | None = None
    checked_at: datetime | None = None
    next_due_at: datetime | None = None
    rebaselines: tuple[Rebaseline, ...] = ()
    measured: tuple[MeasuredMetric, ...] = ()
    drill: DrillRecord | None = None
    number: int = 0
    name: str = ""
    created_at: datetime | None = None
    columns: Mapping[str, ColumnNote] = field(default_factory=dict)
    failure: str = ""
    undelivered: int = 0
    versions: tuple[VersionInUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCode:
    """The identity of a metric's function.

    Attributes:
        function: Where it is, ``module:function``.
        digest: SHA-256 of the module's file, in hexadecimal; empty where there is no such file.
    """

    name: str
    function: str
    digest: str
