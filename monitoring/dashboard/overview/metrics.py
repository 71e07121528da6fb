"""Metrics of every deployment in Prometheus' text format, from the same rows as the overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias, get_args

from prometheus_client.utils import floatToGoString

from monitoring.dashboard.stores.candidates import Candidate
from monitoring.dashboard.stores.roster import Failure, failures, read_roster
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import ConfigCounts, Stores
from monitoring.evidence.budget import finite_evidence
from monitoring.records import LEVELS, IncidentState, RolloutRecord, RolloutVerdict
from monitoring.rollout.rollout_settings import setting
from monitoring.rollout.status import as_of
from monitoring.service.workers import QueueState

VERDICTS: tuple[RolloutVerdict, ...] = get_args(RolloutVerdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric with its samples: the labels of each as text, and its value."""

    name: str
    words: str
    samples: Iterable[tuple[str, float]]

    def lines(self) -> Iterator[str]:
        """The metric in Prometheus' text format."""
        yield f"# HELP {self.name} {self.words}\n# TYPE {self.name} gauge\n"
        for labels, value in self.samples:
            yield f"{self.name}{{{labels}}} {number_text(value)}\n" if labels else f"{self.name} {number_text(value)}\n"


def escaped(text: str) -> str:
    r"""The value of a label.

    >>> print(escaped('a"b'))
    a\"b
    """
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=1 << 14)
def number_text(value: float) -> str:
    """A value as Prometheus' library writes it."""
    text: str = floatToGoString(float(value))  # type: ignore[no-untyped-call]  # the library's own has no types
    return text


def rollout_gauges(rollouts: Sequence[tuple[str, RolloutRecord]]) -> Iterator[Gauge]:
    """The metrics of some rollouts."""
    if not rollouts:
        return
    records = [(_labels(store, record), record) for store, record in rollouts]
    looked = [(labels, record.result) for labels, record in records if record.result is not None]
    yield Gauge(
        name="pitfalls_rollout_verdict",
        words="1 for the verdict on the candidate of a rollout that goes on, else 0.",
        samples=[
            (f'{labels},verdict="{verdict}"', verdict == _verdict(record))
            for labels, record in records
            for verdict in VERDICTS
        ],
    )
    yield Gauge(
        name="pitfalls_rollout_difference",
        words="The candidate's mean loss less the champion's, and the bounds of its interval.",
        samples=[
            (f'{labels},bound="{name}"', getattr(result.interval, name))
            for labels, result in looked
            for name in ("low", "mean", "high")
        ],
    )
    for name, words in (("rows", "Rows that both versions answered."), ("disagreements", "Rows they disagree on.")):
        yield Gauge(
            name=f"pitfalls_rollout_{name}",
            words=words,
            samples=[(labels, getattr(result, name)) for labels, result in looked],
        )
    yield Gauge(
        name="pitfalls_rollout_days_left",
        words="Days until a verdict at the rate so far.",
        samples=[(labels, result.needed.days) for labels, result in looked if result.needed is not None],
    )
    passes = [(labels, setting(record.settings, "worked_at")) for labels, record in records]
    yield Gauge(
        name="pitfalls_rollout_last_pass_timestamp_seconds",
        words="When the rollout's worker made its last pass.",
        samples=[(labels, datetime.fromisoformat(at).timestamp()) for labels, at in passes if at is not None],
    )


def _verdict(record: RolloutRecord) -> RolloutVerdict:
    return "can't tell yet" if record.result is None else record.result.verdict


def _labels(store: str, record: RolloutRecord) -> str:
    values = {
        "deployment": record.name,
        "champion": record.champion,
        "candidate": record.candidate,
        "mode": record.mode,
        "store": store,
    }
    return ",".join(f'{name}="{escaped(str(value))}"' for name, value in values.items())


#: Who a metric is about.
LABELS = ("deployment", "version", "store")

#: Of the states that an incident may have, those that are counted.
OPEN_STATES: Final[tuple[IncidentState, ...]] = ("open", "acknowledged", "worse", "recovering")

#: Deployments with their labels.
_Labelled: TypeAlias = Sequence[tuple[str, Candidate]]


def read_metrics(stores: Stores) -> str:
    """Metrics of every deployment, in Prometheus' text format. Cost: some 40 µs for each."""
    now = stores.clock()
    roster = read_roster(stores.stores, now, stores.files)
    queue = None if stores.queue is None else stores.queue()
    rollouts = [(store, as_of(record, now)) for store, record in roster.rollouts]
    text = metrics_text(roster.candidates, now, failures(stores.files, roster), stores.configs, queue)
    return text + "".join(line for gauge in rollout_gauges(rollouts) for line in gauge.lines())


def metrics_text(
    candidates: Sequence[Candidate],
    now: datetime,
    failures: Sequence[Failure] = (),
    configs: ConfigCounts | None = None,
    queue: QueueState | None = None,
) -> str:
    """The metrics of some deployments. Cost: some 10 µs for each; Prometheus' own library takes thirty times as long.

    Args:
        configs: How many configs there are; None: that is not known.
        queue: The runs that wait and run; None where nobody runs any here.
    """
    labelled = [(labels_of(candidate), candidate) for candidate in candidates]
    gauges = (
        *_configs(failures, configs or ConfigCounts()),
        *(() if queue is None else _runs(queue)),
        *_facts(labelled),
        *_evidence(labelled),
        *_times(labelled, now),
        *_last_windows(labelled),
    )
    return "".join(line for gauge in gauges for line in gauge.lines())


def labels_of(candidate: Candidate) -> str:
    """`LABELS` of a deployment with their values, as a sample has them."""
    outline = candidate.outline
    values = (outline.name, str(outline.version), candidate.store)
    return ",".join(f'{name}="{escaped(value)}"' for name, value in zip(LABELS, values, strict=True))


def _configs(failures: Sequence[Failure], configs: ConfigCounts) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_expected_configs",
        words="Configs that are to be there: all that ever were, until they are removed on purpose.",
        samples=[("", configs.expected)],
    )
    yield Gauge(
        name="pitfalls_missing_configs",
        words="Configs that are not there any more, and were not removed on purpose.",
        samples=[("", configs.missing)],
    )
    yield Gauge(
        name="pitfalls_waiting_configs", words="Configs that were not run yet.", samples=[("", configs.waiting)]
    )
    yield Gauge(
        name="pitfalls_unreadable_configs",
        words="Configs and stores that cannot be read, missing ones among them.",
        samples=[("", sum(failure.unreadable for failure in failures))],
    )
    yield Gauge(
        name="pitfalls_failing_config",
        words="1 for a config that is missing, cannot be read, or whose last run failed, by its name.",
        samples=[(f'config="{escaped(name)}"', 1.0) for name in sorted({failure.config for failure in failures})],
    )


def _runs(queue: QueueState) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_runs",
        words="Runs that wait for their turn, that run, and that have stalled.",
        samples=[
            ('state="waiting"', queue.waiting),
            ('state="running"', queue.running - queue.stalled),
            ('state="stalled"', queue.stalled),
        ],
    )
    yield Gauge(
        name="pitfalls_longest_wait_seconds",
        words="How long the first of the runs that wait has waited.",
        samples=[("", queue.longest_wait)],
    )


def _facts(candidates: _Labelled) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_deployment_state",
        words="1 for each state that holds, whatever else holds; else 0.",
        samples=(
            (f'{labels},state="{state}"', state in candidate.facts)
            for labels, candidate in candidates
            for state in STATES
        ),
    )
    yield Gauge(
        name="pitfalls_open_incidents",
        words="Incidents that are not closed, by level and state.",
        samples=(
            (f'{labels},level="{level}",state="{state}"', held.count((level, state)))
            for labels, candidate in candidates
            for held in ([(incident.level, incident.state) for incident in candidate.outline.incidents],)
            for level in LEVELS
            for state in OPEN_STATES
        ),
    )
    yield Gauge(
        name="pitfalls_unacknowledged_page",
        words="1 while a page is open that nobody has acknowledged or snoozed, else 0.",
        samples=(
            (labels, "page" in candidate.facts and not candidate.acknowledged) for labels, candidate in candidates
        ),
    )
    yield Gauge(
        name="pitfalls_undelivered_notifications",
        words="Notifications that did not reach all who are to get them: tried again, or given up.",
        samples=(
            (f'{labels},outcome="{outcome}"', count)
            for labels, candidate in candidates
            for lost in (candidate.outline.undelivered,)
            for outcome, count in (("waiting", lost.waiting), ("given up", lost.given_up))
        ),
    )


def _evidence(candidates: _Labelled) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_evidence",
        words="Evidence of a level after the last window.",
        samples=(
            (f'{labels},level="{level}"', finite_evidence(log))
            for labels, candidate in candidates
            for last in (candidate.outline.window,)
            if last is not None
            for level, log in (("page", last.page_log_evidence), ("notice", last.notice_log_evidence))
        ),
    )
    yield Gauge(
        name="pitfalls_loss_evidence",
        words="Evidence that a loss has risen, for whatever reason, after the last window.",
        samples=(
            (labels, finite_evidence(candidate.outline.window.loss_log_evidence))
            for labels, candidate in candidates
            if candidate.outline.window is not None
        ),
    )
    yield Gauge(
        name="pitfalls_evidence_threshold",
        words="Evidence at which a level alarms.",
        samples=(
            (f'{labels},level="{level}"', threshold)
            for labels, candidate in candidates
            for outline in (candidate.outline,)
            for level, threshold in (("page", outline.page_threshold), ("notice", outline.notice_threshold))
        ),
    )


def _times(candidates: _Labelled, now: datetime) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_created_timestamp_seconds",
        words="When the deployment was run first.",
        samples=((labels, candidate.outline.created_at.timestamp()) for labels, candidate in candidates),
    )
    yield Gauge(
        name="pitfalls_last_run_timestamp_seconds",
        words="When the deployment was run last.",
        samples=((labels, candidate.outline.used_at.timestamp()) for labels, candidate in candidates),
    )
    yield Gauge(
        name="pitfalls_last_success_timestamp_seconds",
        words="When a run last judged all that was due; 0 where none ever has.",
        samples=(
            (labels, 0.0 if candidate.outline.checked_at is None else candidate.outline.checked_at.timestamp())
            for labels, candidate in candidates
        ),
    )
    yield Gauge(
        name="pitfalls_due_since_timestamp_seconds",
        words="Since when a window has been due that is not judged; absent where none is.",
        samples=(
            (labels, due.timestamp())
            for labels, candidate in candidates
            for due in (candidate.outline.next_due_at,)
            if due is not None and due < now
        ),
    )


def _last_windows(candidates: _Labelled) -> Iterator[Gauge]:
    yield Gauge(
        name="pitfalls_last_window_end_timestamp_seconds",
        words="End of the last window that was judged.",
        samples=(
            (labels, candidate.outline.last[1].timestamp())
            for labels, candidate in candidates
            if candidate.outline.last is not None
        ),
    )
    numbers = [(labels, candidate.outline.window) for labels, candidate in candidates]
    last = [(labels, window) for labels, window in numbers if window is not None]
    yield Gauge(
        name="pitfalls_last_window_rows",
        words="Rows of the last window.",
        samples=((labels, window.rows) for labels, window in last),
    )
    yield Gauge(
        name="pitfalls_last_window_labels",
        words="Labels that arrived in the last window.",
        samples=((labels, window.labels) for labels, window in last),
    )
    yield Gauge(
        name="pitfalls_last_window_labels_due",
        words="Rows of the last window, whose labels are due.",
        samples=((labels, window.labels_due) for labels, window in last),
    )
