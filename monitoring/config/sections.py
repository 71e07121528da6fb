"""The sections of `monitor.toml`, as frozen records. Unknown keys, other types and values out of range are refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from monitoring.config.action_section import ActionSection
from monitoring.config.addresses import store_url, webhook_url
from monitoring.config.columns_section import ColumnEntries, ColumnSection
from monitoring.config.engine_section import EngineSection
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.metric_section import Metrics, MetricSection
from monitoring.config.rollout_section import DecideSection, RolloutSection
from monitoring.config.routes import Route, WebhookRoute
from monitoring.config.rule_section import Rules, RuleSection
from monitoring.config.section import (
    UNCOUNTED,
    CountedAs,
    Horizon,
    LocalPath,
    Name,
    Names,
    Section,
    Zone,
    check_one_way,
)
from monitoring.config.traffic_section import TrafficSection
from monitoring.config.values import (
    aware,
    budget,
    budget_numbers,
    cost_matrix,
    country_code,
    cron,
    distinct,
    duration,
    label_budget,
    span_of_days,
    team_budget,
    window_length,
)

Duration = Annotated[timedelta, BeforeValidator(duration)]
BudgetText = Annotated[str, AfterValidator(budget), CountedAs(budget_numbers)]
LabelBudgetText = Annotated[str, AfterValidator(label_budget)]
TeamBudgetText = Annotated[str, AfterValidator(team_budget)]
WindowLength = Annotated[str, AfterValidator(window_length)]
Cron = Annotated[str, AfterValidator(cron)]
StoreUrl = Annotated[str, AfterValidator(store_url)]
Dates = Annotated[tuple[date, ...], Field(strict=False)]
Spans = Annotated[
    tuple[Annotated[str, AfterValidator(span_of_days)], ...],
    Field(strict=False),
    AfterValidator(distinct),
    CountedAs(sorted),
]
CountryCode = Annotated[str, AfterValidator(country_code)]
Cost = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Moment = Annotated[datetime, AfterValidator(aware)]
Tolerance = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]

Costs = Annotated[
    tuple[Annotated[tuple[Cost, ...], Field(strict=False)], ...], Field(strict=False), AfterValidator(cost_matrix)
]

_EVENT_KINDS = ("dates", "first and last", "ics", "country")


#: What the name of a candidate's folder ends with, MODELS/NAME/N.candidate: servers take up numbers alone.
CANDIDATE = ".candidate"


class ModelSection(Section):
    """What is monitored: a bundle, or the baseline of a table.

    One of both: `bundle` is a model's folder (every version with rows in the log is monitored, of tables the newest) or
    one version's folder; `baseline` is the folder that `pitfalls monitor init --reference` wrote.
    """

    baseline: Annotated[LocalPath | None, UNCOUNTED] = Field(default=None, examples=["baseline"])
    bundle: Annotated[LocalPath | None, UNCOUNTED] = Field(
        default=None, validate_default=True, examples=["models/flights"]
    )
    probabilities: Name = Field(default="probabilities", examples=["probabilities"])
    classes: Names = Field(default=(), examples=[["on_time", "late"]])
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(default=0.5, examples=[0.3])
    quantile: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(default=None, examples=[0.9])

    @field_validator("bundle")
    @classmethod
    def _one_of_them(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "baseline" not in info.data:
            return value
        if value is None and info.data["baseline"] is None:
            reject_setting(
                "missing.", got=None, expected="a value", fix='Write, for example, bundle = "models/flights".'
            )
        if value is not None and info.data["baseline"] is not None:
            reject_setting(
                "bundle and baseline are both set; a bundle has its own baseline.",
                got=str(value),
                expected="either bundle or baseline",
                fix="Remove one of them.",
            )
        return value

    @property
    def version(self) -> int | None:
        """The version, if one is named; None means the newest.

        >>> ModelSection(bundle="/models/flights/3").version, ModelSection(bundle="/models/flights/4.candidate").version
        (3, 4)
        """
        name = "" if self.bundle is None else self.bundle.name.removesuffix(CANDIDATE)
        return int(name) if name.isascii() and name.isdigit() else None

    @property
    def folder(self) -> Path:
        """The model's folder, the one that holds its versions, or its baseline."""
        if self.bundle is None:
            return (self.baseline or Path()).parent
        return self.bundle if self.version is None else self.bundle.parent

    @property
    def name(self) -> str:
        """The model's name: that of its folder."""
        return self.folder.name


class BaselineSection(Section):
    """Another baseline than the model's own, and from when on windows are judged: `pitfalls monitor rebaseline`.

    With a `version`, that version of the model alone; any other has the baseline of its bundle. A `burn_in` is for a
    reference without dates: so long live windows only show how much good traffic varies. The reference's rows of the
    days in `leave_out` are not read: those of an incident that is known now.
    """

    path: Annotated[LocalPath | None, UNCOUNTED] = Field(default=None, examples=["baseline-2026-04-05"])
    version: Annotated[Annotated[int, Field(ge=0)] | None, UNCOUNTED] = Field(default=None, examples=[3])
    since: Annotated[Moment | None, UNCOUNTED] = Field(default=None, examples=["2026-04-05T00:00:00Z"])
    burn_in: Horizon | None = Field(default=None, examples=["28d"])
    leave_out: Spans = Field(default=(), examples=[["2026-03-10/2026-03-19"]])


class DeploymentSection(Section):
    """What the deployment is called in its store, and whose it is.

    Two configs that share a store need names of their own. The team and the tags are for people alone: the overview is
    grouped and filtered by them, and no evidence depends on them.
    """

    name: Name | None = Field(default=None, examples=["lender-eu"])
    team: Annotated[Name | None, UNCOUNTED] = Field(default=None, examples=["credit"])
    tags: Annotated[Names, UNCOUNTED] = Field(default=(), examples=[["eu", "batch"]])


class WindowsSection(Section):
    """How traffic is divided into windows, by event time.

    `every` is aligned to the calendar of `timezone`; a window is judged once the allowed lateness, `lateness`, is over.
    With `rows`, a window holds that many rows in order of event time, and `every` is ignored. With `by_file` or
    `batch_column`, rows have no event times: each file, or each value of that column, is a window, which is judged once
    it is seen, and `every` and `lateness` are ignored.
    """

    every: WindowLength = Field(default="1d", examples=["1d"])
    rows: int | None = Field(default=None, ge=1, le=1_000_000_000, examples=[5000])
    by_file: bool = Field(default=False, examples=[True])
    batch_column: Name | None = Field(default=None, examples=["month"])
    timezone: Zone = Field(default="UTC", examples=["UTC"])
    lateness: Duration = Field(default=timedelta(hours=6), validate_default=False, examples=["6h"])
    min_rows: int = Field(default=200, ge=1, le=1_000_000_000, examples=[200])
    label_horizon: Horizon = Field(default=timedelta(days=7), validate_default=False, examples=["7d"])

    @property
    def by_batch(self) -> bool:
        """Whether batches stand in place of event times."""
        return self.by_file or self.batch_column is not None

    @model_validator(mode="after")
    def _one_cut(self) -> WindowsSection:
        cuts = {"rows": self.rows is not None, "by_file": self.by_file, "batch_column": self.batch_column is not None}
        if sum(cuts.values()) > 1:
            reject_setting(
                "windows are cut in one way.",
                got=", ".join(name for name, is_given in cuts.items() if is_given),
                expected="one of: rows, by_file, batch_column",
                fix="Remove the others.",
            )
        return self


class ExpectedSection(Section):
    """Events in which traffic is known beforehand to differ: days, a calendar file, or a country's public holidays.

    Occurrences of one event share its name; a calendar's and a country's events have their own names without one.
    Days are those of the windows' time zone.
    """

    name: Name | None = Field(default=None, examples=["Black Friday"])
    dates: Dates = Field(default=(), examples=[[date(2026, 11, 27)]])
    first: date | None = Field(default=None, examples=[date(2026, 11, 23)])
    last: date | None = Field(default=None, examples=[date(2026, 11, 30)])
    ics: LocalPath | None = Field(default=None, examples=["events.ics"])
    country: CountryCode | None = Field(default=None, examples=["US"])

    @model_validator(mode="after")
    def _one_kind(self) -> ExpectedSection:
        days = self.first is not None or self.last is not None
        kinds = [bool(self.dates), days, self.ics is not None, self.country is not None]
        if sum(kinds) != 1:
            reject_setting(
                "an event needs its days, in one way.",
                got=", ".join(k for k, is_set in zip(_EVENT_KINDS, kinds, strict=True) if is_set) or None,
                expected="one of: dates, first and last, ics, country",
                fix="Keep one of them, and write a section for each.",
            )
        if days and (self.first is None or self.last is None or self.first > self.last):
            reject_setting(
                "first and last are no span of days.",
                got=f"{self.first or 'nothing'} to {self.last or 'nothing'}",
                expected="both, in order of time; the last day is part of the event",
                fix="Write, for example, first = 2026-11-23 and last = 2026-11-30.",
            )
        if self.name is None and (self.dates or days):
            reject_setting(
                "an event of given days needs a name.",
                got=None,
                expected="the same name for each occurrence of the event",
                fix='Write, for example, name = "Black Friday".',
            )
        return self


class BudgetSection(Section):
    """The budget of false alarms of the whole deployment, by level, as text; and whether subgroups are searched for."""

    page: BudgetText = Field(default="1 per 365 windows", examples=["1 per 365 windows"])
    notice: BudgetText = Field(default="1 per 30 windows", examples=["1 per 30 windows"])
    subgroups: Annotated[bool, UNCOUNTED] = Field(default=True, examples=[False])


class LabelsSection(Section):
    """How many labels people can give: `pitfalls labels ask` draws so many rows of the traffic for them.

    Labels that come are counted as any others. With a budget, whatever it is, losses are tested from fewer of them on.
    """

    budget: Annotated[LabelBudgetText | None, CountedAs(lambda value: value is not None)] = Field(
        default=None, examples=["50 per week"]
    )


class FleetSection(Section):
    """One budget of pages for all deployments of a team, which are those of the store that name the same one."""

    page: TeamBudgetText | None = Field(default=None, examples=["1 per 90 days"])
    team: Name = Field(default="all", examples=["payments"])


class ToleranceSection(Section):
    """The rise that is tolerated, in each metric's own unit; without `brier`, only the baseline's own uncertainty.

    A rise of the error rate by more than `any_cause` is a page whatever explains it; of other losses, and of the error
    rate where it is not given, a rise by `any_cause_share` of the benchmark.
    """

    error: Tolerance = Field(default=0.02, examples=[0.02])
    brier: Tolerance | None = Field(default=None, examples=[0.01])
    integrity: Tolerance = Field(default=0.01, examples=[0.01])
    any_cause: Tolerance | None = Field(default=None, examples=[0.1])
    any_cause_share: Annotated[float, Field(gt=0.0, le=10.0, allow_inf_nan=False)] = Field(default=0.5, examples=[0.5])


class CostSection(Section):
    """What a row costs in the user's own unit: a row for each true class, a column for each answer.

    Both are in the order of the classes. Without costs only errors and probabilities are judged.
    """

    matrix: Costs = Field(default=(), examples=[[[0.0, 1.0], [10.0, 0.0]]])


class HeartbeatSection(Section):
    """Who is told that what was due has been judged, as healthchecks.io has it: a service that alarms when it is not.

    The URL is that of a check; without one nobody is told.
    """

    url: Annotated[str, AfterValidator(webhook_url)] | None = Field(
        default=None, repr=False, examples=["https://hc-ping.com/CHECK"]
    )
    url_file: LocalPath | None = Field(default=None, examples=["secrets/heartbeat"])
    url_env: Name | None = Field(default=None, examples=["HEARTBEAT_URL"])

    @model_validator(mode="after")
    def _one_url(self) -> HeartbeatSection:
        check_one_way(self, "url", whose="the heartbeat", inline=True, needed=False)
        return self


class ScheduleSection(Section):
    """When `pitfalls monitor schedule` judges the windows that are due."""

    cron: Cron = Field(default="15 * * * *", validate_default=False, examples=["15 * * * *"])


class StoreSection(Section):
    """The store of windows, evidence and incidents."""

    url: StoreUrl = Field(default="sqlite:///pitfalls.db", repr=False, examples=["sqlite:///pitfalls.db"])


class RetentionSection(Section):
    """How long things are kept that grow: details of windows, finished notifications, labels; and checkpoints.

    What explains an incident, and what judging may still need, stays. The labels are those of a traffic log. A
    checkpoint is what judging a window again takes; partials are the sums of windows that `keep` in `[engine]` keeps.
    """

    details: Horizon | None = Field(default=None, examples=["730d"])
    notifications: Horizon | None = Field(default=None, examples=["730d"])
    labels: Horizon | None = Field(default=None, examples=["365d"])
    checkpoints: Horizon | None = Field(default=None, examples=["90d"])
    partials: Horizon | None = Field(default=None, examples=["730d"])


def _distinct_actions(actions: tuple[ActionSection, ...]) -> tuple[ActionSection, ...]:
    distinct([action.name for action in actions])
    return actions


class MonitorConfig(Section):
    """All of `monitor.toml`. Read it with `load_config`, which gives every problem its line and its fix."""

    model: ModelSection
    baseline: BaselineSection = BaselineSection()
    deployment: DeploymentSection = DeploymentSection()
    traffic: TrafficSection
    columns: Annotated[ColumnEntries, UNCOUNTED] = Field(default_factory=dict)
    windows: WindowsSection = WindowsSection()
    budget: BudgetSection = BudgetSection()
    labels: LabelsSection = LabelsSection()
    fleet: Annotated[FleetSection, UNCOUNTED] = FleetSection()
    tolerance: ToleranceSection = ToleranceSection()
    cost: CostSection = CostSection()
    metric: Metrics = ()
    rule: Annotated[Rules, UNCOUNTED] = ()
    expected: Annotated[tuple[ExpectedSection, ...], Field(strict=False), UNCOUNTED] = ()
    notify: Annotated[tuple[Route, ...], Field(strict=False), UNCOUNTED] = ()
    action: Annotated[tuple[ActionSection, ...], Field(strict=False), AfterValidator(_distinct_actions), UNCOUNTED] = ()
    rollout: Annotated[RolloutSection, UNCOUNTED] = RolloutSection()
    heartbeat: Annotated[HeartbeatSection, UNCOUNTED] = HeartbeatSection()
    schedule: Annotated[ScheduleSection, UNCOUNTED] = Field(default_factory=ScheduleSection)
    engine: Annotated[EngineSection, UNCOUNTED] = Field(default_factory=EngineSection)
    store: Annotated[StoreSection, UNCOUNTED] = Field(default_factory=StoreSection)
    retention: Annotated[RetentionSection, UNCOUNTED] = RetentionSection()

    @property
    def name(self) -> str:
        """The deployment's name; by default that of the model."""
        return self.deployment.name or self.model.name

    @property
    def rollouts_folder(self) -> Path:
        """Where the answers of the model's candidates are kept: a traffic log for each, by its number and digest."""
        return (self.rollout.folder or self.traffic.label_log.parent / "rollouts") / self.model.name


SECTIONS: dict[str, type[Section]] = {
    "model": ModelSection,
    "baseline": BaselineSection,
    "deployment": DeploymentSection,
    "traffic": TrafficSection,
    "columns": ColumnSection,
    "windows": WindowsSection,
    "budget": BudgetSection,
    "labels": LabelsSection,
    "fleet": FleetSection,
    "tolerance": ToleranceSection,
    "cost": CostSection,
    "metric": MetricSection,
    "rule": RuleSection,
    "expected": ExpectedSection,
    "notify": WebhookRoute,
    "action": ActionSection,
    "rollout": RolloutSection,
    "rollout.decide": DecideSection,
    "heartbeat": HeartbeatSection,
    "schedule": ScheduleSection,
    "engine": EngineSection,
    "store": StoreSection,
    "retention": RetentionSection,
}
