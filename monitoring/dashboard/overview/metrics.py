"""Metrics of every deployment in Prometheus' text format, from the same rows as the overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from prometheus_client.utils import floatToGoString

from monitoring.dashboard.stores.roster import Entry, Failure, failures, numbers_by_store, read_entries, read_roster
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.words import name_of
from monitoring.records import LEVELS, IncidentState, WindowRecord
from monitoring.reports.sections.formatting import finite_evidence

#: Who a metric is about.
LABELS = ("deployment", "version", "store")

#: Of the states that an incident may have, those that are counted.
OPEN_STATES: Final[tuple[IncidentState, ...]] = ("open", "acknowledged", "worse", "recovering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One deployment and its last window; None before the first."""

    entry: Entry
    last: WindowRecord | None

    @property
    def labels(self) -> str:
        """`LABELS` with their values, as a sample has them."""
        summary = self.entry.summary
        values = (name_of(summary), str(summary.record.version), self.entry.store)
        return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(LABELS, values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gauge:
    """A metric with its samples: the labels of each as text, and its value."""

    name: str
    words: str
    samples: Iterable[tuple[str, float]]

    def lines(self) -> Iterator[str]:
        """The metric in Prometheus' text format.

        Yields:
            What it means, its type, and a line for each sample.
        """
        yield f"# HELP {self.name} {self.words}\n# TYPE {self.name} gauge\n"
        for labels, value in self.samples:
            yield f"{self.name}{{{labels}}} {_number(value)}\n" if labels else f"{self.name} {_number(value)}\n"


def read_metrics(stores: Stores) -> str:
    """Metrics of every deployment, in Prometheus' text format. Cost: some searches of an index for each."""
    now = stores.clock()
    roster = read_roster(stores.stores, now)
    entries = read_entries(stores.stores, roster.candidates, now)
    last = {
        name: stores.store(name).store().overview.last_windows(numbers)
        for name, numbers in numbers_by_store(entries).items()
    }
    measured = [Measured(entry=entry, last=last[entry.store].get(entry.summary.number)) for entry in entries]
    return metrics_text(measured, failures(stores.files, roster))


def is_ready(stores: Stores) -> bool:
    """Whether there is something to show: a deployment, or configs of which none is unreadable."""
    roster = read_roster(stores.stores, stores.clock())
    return bool(roster.candidates) or not any(failure.unreadable for failure in failures(stores.files, roster))


def metrics_text(measured: Sequence[Measured], failures: Sequence[Failure] = ()) -> str:
    """The metrics of some deployments. Cost: some 10 µs for each; Prometheus' own library takes thirty times as long.

    Args:
        measured: The deployments.
        failures: Configs and stores that cannot be read, or whose last run failed.

    Returns:
        Prometheus' text format.
    """
    labelled = [(one.labels, one) for one in measured]
    gauges = (*_problems(failures), *_incidents(labelled), *_evidence(labelled), *_last_windows(labelled))
    return "".join(line for gauge in gauges for line in gauge.lines())


#: Deployments with their labels.
_Labelled: TypeAlias = Sequence[tuple[str, Measured]]


def _problems(failures: Sequence[Failure]) -> Iterator[_Gauge]:
    unreadable = sum(one.unreadable for one in failures)
    yield _Gauge(
        name="pitfalls_unreadable_configs",
        words="Configs and stores that cannot be read.",
        samples=[("", unreadable)],
    )
    yield _Gauge(
        name="pitfalls_failing_config",
        words="1 for a config that cannot be read or run, by its name.",
        samples=[(f'config="{_escaped(name)}"', 1.0) for name in sorted({one.config for one in failures})],
    )


def _incidents(found: _Labelled) -> Iterator[_Gauge]:
    yield _Gauge(
        name="pitfalls_deployment_state",
        words="1 for the state that a deployment is in, else 0.",
        samples=(
            (f'{labels},state="{state}"', one.entry.standing.state == state)
            for labels, one in found
            for state in STATES
        ),
    )
    yield _Gauge(
        name="pitfalls_open_incidents",
        words="Incidents that are not closed, by level and state.",
        samples=(
            (f'{labels},level="{level}",state="{state}"', held.count((level, state)))
            for labels, one in found
            for held in ([(incident.level, incident.state) for incident in one.entry.summary.incidents],)
            for level in LEVELS
            for state in OPEN_STATES
        ),
    )
    yield _Gauge(
        name="pitfalls_unacknowledged_page",
        words="1 while a page is open that nobody has acknowledged or snoozed, else 0.",
        samples=(
            (labels, one.entry.standing.state == "page" and not one.entry.standing.acknowledged)
            for labels, one in found
        ),
    )


def _evidence(found: _Labelled) -> Iterator[_Gauge]:
    yield _Gauge(
        name="pitfalls_evidence",
        words="Evidence of a level after the last window.",
        samples=(
            (f'{labels},level="{level}"', finite_evidence(log))
            for labels, one in found
            if one.last is not None
            for level, log in (("page", one.last.page_log_evidence), ("notice", one.last.notice_log_evidence))
        ),
    )
    yield _Gauge(
        name="pitfalls_loss_evidence",
        words="Evidence that a loss has risen, for whatever reason, after the last window.",
        samples=(
            (labels, finite_evidence(one.last.loss_log_evidence)) for labels, one in found if one.last is not None
        ),
    )
    yield _Gauge(
        name="pitfalls_evidence_threshold",
        words="Evidence at which a level alarms.",
        samples=(
            (f'{labels},level="{level}"', threshold)
            for labels, one in found
            for record in (one.entry.summary.record,)
            for level, threshold in (("page", record.page_threshold), ("notice", record.notice_threshold))
        ),
    )


def _last_windows(found: _Labelled) -> Iterator[_Gauge]:
    yield _Gauge(
        name="pitfalls_last_run_timestamp_seconds",
        words="When the deployment was run last.",
        samples=((labels, one.entry.summary.used_at.timestamp()) for labels, one in found),
    )
    last = [(labels, one.last) for labels, one in found if one.last is not None]
    yield _Gauge(
        name="pitfalls_last_window_end_timestamp_seconds",
        words="End of the last window that was judged.",
        samples=((labels, window.end.timestamp()) for labels, window in last),
    )
    yield _Gauge(
        name="pitfalls_last_window_rows",
        words="Rows of the last window.",
        samples=((labels, window.rows) for labels, window in last),
    )
    yield _Gauge(
        name="pitfalls_last_window_labels",
        words="Labels that arrived in the last window.",
        samples=((labels, window.labels) for labels, window in last),
    )
    yield _Gauge(
        name="pitfalls_last_window_labels_due",
        words="Rows of the last window, whose labels are due.",
        samples=((labels, window.labels_due) for labels, window in last),
    )


def _escaped(text: str) -> str:
    r"""The value of a label.

    Args:
        text: Any text.

    Returns:
        The text with backslashes before what would end it.

    >>> print(_escaped('a"b'))
    a\"b
    """
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=1 << 14)
def _number(value: float) -> str:
    """A value as Prometheus' library writes it."""
    text: str = floatToGoString(float(value))  # type: ignore[no-untyped-call]  # the library's own has no types
    return text
