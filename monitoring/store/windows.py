"""Judged windows in the store, each with its findings, its scores and its label cursor."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, bindparam, delete, exists, func, insert, select, update

from monitoring.errors import CannotRun
from monitoring.records import (
    NO_CLAIMS,
    WHOLE,
    EstimateRecord,
    IntervalChecks,
    Level,
    MeasuredMetric,
    RealisedLosses,
    ScoreHistory,
    ScoreRecord,
    ScoreSeries,
    WatchKey,
    WindowClaims,
    WindowRecord,
)
from monitoring.records.finding_nodes import finding_node, finding_of
from monitoring.store.tables import incident, score, window
from monitoring.store.transactions import Transactions


def estimates_text(record: WindowRecord) -> str | None:
    """The text of a window's estimates, which `estimates_of` reads.

    Returns:
        JSON; None for a window without estimates and realised losses.

    Raises:
        ValueError: A number is not finite.
    """
    if not record.estimates and not record.realised_losses:
        return None
    document = {
        "estimates": [asdict(estimate) for estimate in record.estimates],
        "realised_losses": [
            {**asdict(realised), "start": realised.start.isoformat()} for realised in record.realised_losses
        ],
    }
    return json.dumps(document, allow_nan=False)


def estimates_of(text: str | None) -> tuple[tuple[EstimateRecord, ...], tuple[RealisedLosses, ...]]:
    """The estimates and realised losses of a window: the inverse of `estimates_text`."""
    if text is None:
        return (), ()
    document = json.loads(text)
    realised = (
        RealisedLosses(**{**fields, "start": datetime.fromisoformat(fields["start"])})
        for fields in document["realised_losses"]
    )
    return tuple(map(_estimate, document["estimates"])), tuple(realised)


def _estimate(stored: dict[str, Any]) -> EstimateRecord:
    checks = stored["interval_checks"]
    interval_checks = IntervalChecks(**{**checks, "log_capital": tuple(checks["log_capital"])})
    confusion = tuple(map(tuple, stored["confusion"]))
    return EstimateRecord(**{**stored, "confusion": confusion, "interval_checks": interval_checks})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindow:
    """A judged window, and the rows of each label segment that had been read by then."""

    record: WindowRecord
    label_cursor: Mapping[str, int]


#: The columns of `WindowClaims`.
CLAIMS = [window.c[claim.name] for claim in fields(WindowClaims)]


#: The columns of a window without its texts, which are read window by window; the counts of them may be numpy's.
_COUNTS = ("rows", "labels", "labels_due", "labels_unknown", "repeats", "unseen", "labels_conflicting")
_LIGHT_NAMES = (*("start", "end", "status", "page_log_evidence", "notice_log_evidence", "loss_log_evidence"), *_COUNTS)
LIGHT = [window.c[name] for name in _LIGHT_NAMES]

#: The columns of a score.
SCORE = [score.c[name] for name in ("level", "watch", "slice", "rows", "value", "log_evidence")]

# What each window of each run asks and writes is made once: making a statement takes as long as running it.
_INSERT = insert(window).returning(window.c.id)
_INSERT_SCORE = insert(score)
_LAST = select(window).where(window.c.deployment == bindparam("of")).order_by(window.c.start.desc()).limit(1)
_LAST_END = _LAST.with_only_columns(window.c.end)
_SCORES = select(*SCORE).where(score.c.window == bindparam("of")).order_by(score.c.position)


def claims_of(row: Row[Any]) -> WindowClaims:
    """What stood against a deployment after a window; nothing where there is no window."""
    fact, unlabelled, burn_in = row.fact, row.unlabelled, row.burn_in
    if not (fact or unlabelled or burn_in):
        return NO_CLAIMS
    return WindowClaims(fact=fact, unlabelled=unlabelled, burn_in=burn_in)


def write(connection: Connection, deployment: int, record: WindowRecord, label_cursor: Mapping[str, int]) -> None:
    """Add a window after the last one. Raises CannotRun if it, or a later one, is there already."""
    last = last_end(connection, deployment)
    if last is not None and record.start < last:
        reject_judged(record)
    values = {
        "deployment": deployment,
        **{name: getattr(record, name) for name in _LIGHT_NAMES},
        **{name: int(getattr(record, name)) for name in _COUNTS},
        "findings": json.dumps([finding_node(finding) for finding in record.findings]),
        "label_delays": json.dumps(list(record.label_delays)),
        "measured": json.dumps([asdict(metric) for metric in record.measured]),
        "label_cursor": json.dumps({segment: int(rows) for segment, rows in label_cursor.items()}),
        "estimates": estimates_text(record),
        **asdict(record.claims),
    }
    number = int(connection.execute(_INSERT, values).scalar_one())
    rows = [
        {
            "window": number,
            "position": position,
            "level": score_record.level,
            "watch": score_record.watch,
            "slice": score_record.slice,
            "rows": int(score_record.rows),
            "value": score_record.value,
            "log_evidence": score_record.log_evidence,
        }
        for position, score_record in enumerate(record.scores)
    ]
    if rows:
        connection.execute(_INSERT_SCORE, rows)


def count(connection: Connection, deployment: int, since: datetime | None = None) -> int:
    """How many windows there are, or how many that end after a time."""
    query = select(func.count()).where(window.c.deployment == deployment)
    return int(connection.execute(query if since is None else query.where(window.c.end > since)).scalar_one())


def delete_from(connection: Connection, deployment: int, start: datetime) -> None:
    """Delete the windows that begin at a time or later, with their scores."""
    later = (window.c.deployment == deployment) & (window.c.start >= start)
    connection.execute(delete(score).where(score.c.window.in_(select(window.c.id).where(later))))
    connection.execute(delete(window).where(later))


#: Windows or watches that one statement names, and rows that are read together.
_AT_ONCE = 500


def reject_judged(record: WindowRecord) -> NoReturn:
    """Refuse a window that is in the store already."""
    raise CannotRun(
        "This window was judged already, by another run.",
        got=f"{record.start.isoformat()} to {record.end.isoformat()}",
        expected="a window after the last one in the store",
        fix="Nothing was changed: run the command again, and it continues after the last window.",
    )


def last_end(connection: Connection, deployment: int) -> datetime | None:
    """When the last window ends; None before the first."""
    end: datetime | None = connection.execute(_LAST_END, {"of": deployment}).scalar()
    return end


def _whole(connection: Connection, row: Row[Any]) -> WindowRecord:
    return _record(row, tuple(map(score_record_of, connection.execute(_SCORES, {"of": row.id}).all())))


def _record(row: Row[Any], scores: tuple[ScoreRecord, ...]) -> WindowRecord:
    estimates, settled = estimates_of(row.estimates)
    return WindowRecord(
        start=row.start,
        end=row.end,
        rows=row.rows,
        labels=row.labels,
        labels_due=row.labels_due,
        labels_unknown=row.labels_unknown,
        repeats=row.repeats,
        status=row.status,
        page_log_evidence=row.page_log_evidence,
        notice_log_evidence=row.notice_log_evidence,
        loss_log_evidence=row.loss_log_evidence,
        findings=tuple(map(finding_of, json.loads(row.findings))),
        scores=scores,
        estimates=estimates,
        realised_losses=settled,
        unseen=row.unseen,
        labels_conflicting=row.labels_conflicting,
        label_delays=tuple(json.loads(row.label_delays)),
        measured=tuple(MeasuredMetric(**fields) for fields in json.loads(row.measured)),
        claims=claims_of(row),
    )


def score_record_of(values: Sequence[Any]) -> ScoreRecord:
    """Convert the values of `SCORE` to a record."""
    level, watch, part, rows, value, log_evidence = values
    return ScoreRecord(level=level, watch=watch, slice=part, rows=rows, value=value, log_evidence=log_evidence)


def light_record(values: Sequence[Any]) -> WindowRecord:
    """Convert the values of `LIGHT` to a record without findings, scores and estimates."""
    return WindowRecord(**dict(zip(_LIGHT_NAMES, values, strict=True)))


def _some(
    query: Select[Any], deployment: int, since: datetime | None, before: datetime | None, latest: int | None
) -> Select[Any]:
    """A query of windows, with the bounds of `WindowTable.read`; the last one first."""
    query = query.where(window.c.deployment == deployment).order_by(window.c.start.desc())
    if since is not None:
        query = query.where(window.c.end > since)
    if before is not None:
        query = query.where(window.c.start < before)
    return query if latest is None else query.limit(latest)


class WindowTable:
    """The judged windows of a store, with their scores."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read(
        self,
        deployment: int,
        *,
        scores: bool = True,
        since: datetime | None = None,
        before: datetime | None = None,
        latest: int | None = None,
    ) -> tuple[WindowRecord, ...]:
        """Windows in order of time. Cost: one query, and a second one for the scores.

        Args:
            since: Only windows that end after that time; None: all.
            latest: At most so many, the last; None: all.
        """
        with self._transactions.reading() as connection:
            rows = connection.execute(_some(select(window), deployment, since, before, latest)).all()[::-1]
            by_window: dict[int, tuple[ScoreRecord, ...]] = {}
            if scores and rows:
                query = (
                    select(score.c.window, *SCORE)
                    .join(window, window.c.id == score.c.window)
                    .where((window.c.deployment == deployment) & window.c.id.between(rows[0].id, rows[-1].id))
                    .order_by(score.c.window, score.c.position)
                )
                score_rows = connection.execute(query).all()
                by_window = {
                    key: tuple(score_record_of(values) for _, *values in group)
                    for key, group in groupby(score_rows, key=itemgetter(0))
                }
            return tuple(_record(row, by_window.get(row.id, ())) for row in rows)

    def last(self, deployment: int) -> StoredWindow | None:
        """The last window, from which the next run goes on; None before the first."""
        with self._transactions.reading() as connection:
            row = connection.execute(_LAST, {"of": deployment}).first()
            if row is None:
                return None
            return StoredWindow(record=_whole(connection, row), label_cursor=json.loads(row.label_cursor))

    def save_claims(self, deployment: int, start: datetime, claims: WindowClaims) -> None:
        """Replace what stood against a deployment after the window that begins at a time."""
        with self._transactions.writing(deployment) as connection:
            judged = (window.c.deployment == deployment) & (window.c.start == start)
            connection.execute(update(window).where(judged).values(asdict(claims)))

    def at(self, deployment: int, start: datetime) -> WindowRecord | None:
        """The window that begins at a time, with its scores; None if there is none."""
        with self._transactions.reading() as connection:
            row = connection.execute(
                select(window).where((window.c.deployment == deployment) & (window.c.start == start))
            ).first()
            return None if row is None else _whole(connection, row)

    def recent(
        self,
        deployment: int,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        latest: int | None = None,
    ) -> tuple[WindowRecord, ...]:
        """Windows as `read` gives them, without their texts and scores. Cost: a tenth of that."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_some(select(*LIGHT), deployment, since, before, latest)).all()[::-1]
            return tuple(map(light_record, rows))

    def count(self, deployment: int, since: datetime | None = None) -> int:
        """The number of judged windows, or of those that end after a time."""
        with self._transactions.reading() as connection:
            return count(connection, deployment, since)

    def scores(
        self,
        deployment: int,
        level: Level,
        *,
        latest: int,
        before: datetime | None = None,
        watches: Collection[str] | None = None,
    ) -> ScoreHistory:
        """One level's scores in the latest windows, at most so many; windows that wait for rows have none."""
        with self._transactions.reading() as connection:
            recent = (
                select(window.c.id, window.c.start, window.c.end)
                .where(window.c.deployment == deployment)
                .order_by(window.c.start.desc())
                .limit(latest)
            )
            if before is not None:
                recent = recent.where(window.c.start < before)
            rows = connection.execute(recent).all()[::-1]
            place = {row.id: at for at, row in enumerate(rows)}
            first, last = (rows[0].id, rows[-1].id) if rows else (0, -1)
            query = (
                select(score.c.window, score.c.watch, score.c.slice, score.c.value)
                .join(window, window.c.id == score.c.window)
                .where(
                    (window.c.deployment == deployment) & score.c.window.between(first, last) & (score.c.level == level)
                )
                .where(score.c.value.is_not(None))
                .order_by(score.c.window)
            )
            if watches is not None:
                query = query.where(score.c.watch.in_(sorted(watches)))
            places: dict[tuple[str, str], list[int]] = {}
            values: dict[tuple[str, str], list[float]] = {}
            for number, watch, part, value in connection.execute(query):
                key = (watch, part)
                places.setdefault(key, []).append(place[number])
                values.setdefault(key, []).append(value)
            return ScoreHistory(
                starts=tuple(row.start for row in rows),
                ends=tuple(row.end for row in rows),
                scores={
                    WatchKey(watch=watch, slice=part): (np.array(at, dtype=np.int64), np.array(values[watch, part]))
                    for (watch, part), at in places.items()
                },
            )

    def series(
        self,
        deployment: int,
        watches: Collection[str],
        *,
        latest: int,
        before: datetime | None = None,
        part: str = WHOLE,
    ) -> ScoreSeries:
        """Scores of some watches in the latest windows, at most so many: on the whole traffic and on one slice.

        Returns:
            The scores; of a watch that both levels have, those of the page level. Cost: a search of an index for each
            window and watch, and some µs for each score.
        """
        with self._transactions.reading() as connection:
            recent = select(window.c.id, window.c.start).where(window.c.deployment == deployment)
            if before is not None:
                recent = recent.where(window.c.start < before)
            rows = connection.execute(recent.order_by(window.c.start.desc()).limit(latest)).all()[::-1]
            starts = [start for _, start in rows]
            if not rows or not watches:
                return ScoreSeries.of(starts, {}, {})
            place = {number: at for at, (number, _) in enumerate(rows)}
            query = (
                select(score.c.level, score.c.watch, score.c.slice, score.c.window, score.c.value, score.c.log_evidence)
                .join(window, window.c.id == score.c.window)
                .where((window.c.deployment == deployment) & score.c.window.between(rows[0].id, rows[-1].id))
                .where(score.c.slice.in_(sorted({WHOLE, part})) & score.c.value.is_not(None))
            )
            lines: dict[tuple[str, str, str], tuple[list[int], list[float], list[float]]] = {}
            wanted = sorted(watches)
            for first in range(0, len(wanted), _AT_ONCE):
                result = connection.execute(query.where(score.c.watch.in_(wanted[first : first + _AT_ONCE])))
                for level, watch, of, number, value, log_evidence in chain.from_iterable(result.partitions(_AT_ONCE)):
                    places, scores, logs = lines.setdefault((level, watch, of), ([], [], []))
                    places.append(place[number])
                    scores.append(value)
                    logs.append(log_evidence)
            values: dict[WatchKey, NDArray[np.float64]] = {}
            evidence: dict[WatchKey, NDArray[np.float64]] = {}
            for (_, watch, of), (places, *columns) in sorted(lines.items()):  # "page" replaces "notice"
                for side, column in zip((values, evidence), columns, strict=True):
                    side[WatchKey(watch=watch, slice=of)] = line = np.full(len(rows), np.nan)
                    line[places] = column
            return ScoreSeries.of(starts, values, evidence)

    def forget_details(self, deployment: int, before: datetime, *, around: int) -> int:
        """Delete the scores, estimates and findings of old windows; their counts, status and evidence stay.

        Kept are those that explain an incident: from so many windows before the one that opened it until it was closed.

        Returns:
            Of how many windows something was deleted. Cost: a search of an index for each old window.
        """
        with self._transactions.writing(deployment) as connection:
            query = select(incident.c.window_start, incident.c.window_end, incident.c.closed_at)
            spans = [
                (row.window_start - around * (row.window_end - row.window_start), row.closed_at)
                for row in connection.execute(query.where(incident.c.deployment == deployment))
            ]
            old = (
                select(window.c.id, window.c.start, window.c.end)
                .where((window.c.deployment == deployment) & (window.c.end < before))
                .where(exists().where(score.c.window == window.c.id))
            )
            numbers = [
                row.id
                for row in connection.execute(old)
                if not any(since <= row.end and (until is None or row.start <= until) for since, until in spans)
            ]
            for first in range(0, len(numbers), _AT_ONCE):
                some = numbers[first : first + _AT_ONCE]
                connection.execute(delete(score).where(score.c.window.in_(some)))
                forgotten = update(window).where(window.c.id.in_(some))
                connection.execute(forgotten.values(estimates=None, findings="[]", fact=""))
            return len(numbers)
