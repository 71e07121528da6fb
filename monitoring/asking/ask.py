"""Draws the rows that people are asked to label, and finds those that they have not labelled yet."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from monitoring.asking.sample import UniformSample, labels_due
from monitoring.baseline.batch import joined
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.config.values import label_budget_numbers
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.places import find_baseline
from monitoring.errors import BadInput
from monitoring.inspection.live_rows import LiveRows, readable
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic, traffic_path
from monitoring.tasks.label_codes import has_label
from monitoring.traffic.cells import nan_as_null
from monitoring.traffic.labels.asked_rows import AskedRows, Draw
from monitoring.traffic.remote.urls import is_url, shown_url
from monitoring.traffic.tables.files import is_table
from monitoring.traffic.windows import Window

#: The columns of a file for a person to label, in front of the inputs.
LABEL_COLUMNS = ("prediction_id", "event_time", "label", "label_time")

_DAY = timedelta(days=1)
_SEED_BITS = 63


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Rows whose labels are asked for.

    Attributes:
        draw: What was drawn now; None where the budget allowed nothing more, or no row was answered.
        rows: Every row that was drawn, has no label yet, and still may get one that counts; in order of draws, event
            time and id.
        labelled: Rows that were drawn and whose label still counts, and that have one already, in the same order.
        spec: How these rows are read: texts are categories, images are numbers.
        at: The time that a label has which is given now.
        due: Until when the labels of all these rows count; None without rows.
        without_rows: The days that the budget allowed to draw from, where they had no row; None otherwise.
    """

    draw: Draw | None
    rows: Predictions
    labelled: Predictions
    spec: BaselineSpec
    at: datetime
    due: datetime | None
    without_rows: Window | None = None

    def table(self) -> pa.Table:
        """The rows as a file for a person to label: what the model was asked, and not what it answered.

        Returns:
            Columns prediction_id, event_time, label (empty), label_time, and the inputs by their names; a label file
            once `label` is filled in. Missing numbers are null.
        """
        stamp = pa.timestamp("us", tz="UTC")
        count = len(self.rows)
        first = (
            self.rows.ids.cast(pa.string()),
            pa.array(self.rows.event_times).cast(stamp),
            pa.nulls(count, pa.string()),
            pa.array([self.at] * count, stamp),
        )
        inputs = {name: nan_as_null(self.rows.features[name]) for name in self.rows.features.column_names}
        return pa.table({**dict(zip(LABEL_COLUMNS, first, strict=True)), **inputs})


def ask(
    config: MonitorConfig, *, clock: Callable[[], datetime], until: date | None = None, seed: int | None = None
) -> Asked:
    """Draw the rows that the budget allows now, and read every row that is asked for and has no label yet.

    The days since the last draw are drawn from, a budget's period at most, and only rows half of whose label horizon is
    still to come. Each row has the same probability. The draw is kept beside the label log before anything is read.

    Args:
        until: The first day, in the windows' time zone, that is not drawn from; None: the present one. With one of the
            past, time stands at its beginning: labels of then are asked for.
        seed: Of the first draw, from 0 to 2^63 - 1, None for any; later ones keep that of the last where it is None.

    Cost: the ids of the rows of these days, all labels, and a pass over the days of the rows that wait for a label.

    Raises:
        BadInput: The config has no budget of labels, or its rows have no times or no labels.
        CannotRun: What was drawn cannot be kept or read.
    """
    baseline = _labelled_baseline(config)
    now = clock()
    zone = ZoneInfo(config.windows.timezone)
    today = (now - config.windows.lateness).astimezone(zone).date()
    if until is not None and until > today:
        raise BadInput(
            "These days are not over.",
            got=f"{until} as the first day that is not asked for",
            expected=f"{today} at the latest, as rows come until {config.windows.lateness} after a day",
            fix="Wait, or leave it out.",
        )
    at = now if until is None else _midnight(until, zone) + config.windows.lateness
    asked = AskedRows(labels_root(config), config.name)
    with asked.exclusive():
        draws = asked.draws()
        draw = _drawn(config, baseline, draws, until or today, at, seed)
        if isinstance(draw, Draw):
            asked.keep(draw)
            return _open(config, baseline, (*draws, draw), draw, at, clock)
    return replace(_open(config, baseline, draws, None, at, clock), without_rows=draw)


def labels_root(config: MonitorConfig) -> Path:
    """The folder in which the label log of a config's traffic lies: of a traffic log its own.

    Raises:
        BadInput: It is one at a URL, whose labels are written where its server is.
    """
    traffic = config.traffic
    if traffic.query or traffic.log or config.engine.kind == "sql" or config.engine.table is not None:
        return traffic.label_log
    path = traffic_path(config)
    if is_table(path):
        return traffic.label_log
    if is_url(str(path)):
        raise BadInput(
            "Labels of a traffic log at a URL are not written from here.",
            got=shown_url(str(path)),
            expected="a traffic log in a folder of this machine",
            fix="Ask for labels and add them where its server writes the log: give that folder with --traffic.",
        )
    return Path(path)


def open_asked(config: MonitorConfig, *, clock: Callable[[], datetime]) -> Asked:
    """Read every row that is asked for and has no label yet; nothing is drawn. Cost and errors as of `ask`."""
    draws = AskedRows(labels_root(config), config.name).draws()
    return _open(config, _labelled_baseline(config), draws, None, clock(), clock)


def _labelled_baseline(config: MonitorConfig) -> Baseline:
    """The baseline of a config whose rows can be asked for. Raises BadInput."""
    if config.labels.budget is None:
        raise BadInput(
            "The config has no budget of labels.",
            got="no `budget` in its [labels] section",
            expected="how many labels people can give",
            fix='Write, for example, budget = "50 per week".',
        )
    if config.windows.by_batch:
        raise BadInput(
            "A budget of labels is one of days, and these rows have no times.",
            got="windows that are files or batches",
            expected="rows with event times",
            fix="Label rows of your choice, each as likely as any other, and add them: `pitfalls labels add`.",
        )
    baseline = baseline_in_use(config)
    spec = configured(config, baseline.spec)
    if not spec.task.metrics:
        raise BadInput(
            "The losses of this model are not watched, so nothing is done with labels.",
            got="a baseline without labels",
            expected="one whose rows have labels",
            fix="Make the baseline of rows with labels: `pitfalls monitor init`.",
        )
    return replace(baseline, spec=spec)


def _drawn(
    config: MonitorConfig, baseline: Baseline, draws: tuple[Draw, ...], until: date, at: datetime, seed: int | None
) -> Draw | Window | None:
    """What the budget allows until a day: rows, or the days that have none; None where it allows nothing more."""
    zone = ZoneInfo(config.windows.timezone)
    labels, days = label_budget_numbers(config.labels.budget or "")
    first = until - days * _DAY
    if draws:
        first = max(first, draws[-1].end.astimezone(zone).date())
        seed = draws[-1].seed if seed is None else seed
    due = labels_due(first, until, labels, days) if first < until else 0
    if not due:
        return None
    oldest = (at - config.windows.label_horizon / 2).astimezone(zone).date() + _DAY
    first = max(first, min(oldest, until - _DAY))
    window = Window(start=_midnight(first, zone), end=_midnight(until, zone))
    seed = secrets.randbits(_SEED_BITS) if seed is None else seed
    sample = UniformSample(due, seed=seed)
    version = find_baseline(config).version
    narrow = replace(baseline, spec=replace(baseline.spec, features=(), described=(), embedding=None))
    scope = ReadScope(since=window.start, lean=True)
    traffic = open_traffic(config, narrow, version, clock=lambda: at, scope=scope)
    for batch in traffic.rows(window).batches():
        sample.add(batch.ids(np.arange(len(batch))), batch.event_times)
    if not sample.rows:
        return window
    ids = sample.ids
    return Draw(
        start=window.start,
        end=window.end,
        asked_at=at,
        rows=sample.rows,
        seed=seed,
        ids=ids,
        event_times=sample.event_times,
        probabilities=np.full(len(ids), sample.probability),
    )


def _open(
    config: MonitorConfig,
    baseline: Baseline,
    draws: tuple[Draw, ...],
    drawn: Draw | None,
    at: datetime,
    clock: Callable[[], datetime],
) -> Asked:
    horizon, spec = config.windows.label_horizon, readable(baseline.spec)
    waiting = [draw for draw in draws if draw.end > at - horizon and len(draw)]
    if not waiting:
        none = no_predictions(spec)
        return Asked(draw=drawn, rows=none, labelled=none, spec=spec, at=at, due=None)
    version = find_baseline(config).version
    live = LiveRows.open(config, baseline, version, since=min(draw.start for draw in waiting), clock=clock)
    first = int((at - horizon).timestamp() * 1e6)
    parts, labelled = [], []
    for draw in waiting:
        rows = live.some(draw.ids, Window(start=draw.start, end=draw.end))
        rows = rows.take(rows.event_times > first)
        has = has_label(rows.labels)
        parts.append(rows.take(~has))
        labelled.append(rows.take(has))
    due = min((draw.start for draw, part in zip(waiting, parts, strict=True) if len(part)), default=None)
    return Asked(
        draw=drawn,
        rows=joined(parts),
        labelled=joined(labelled),
        spec=spec,
        at=at,
        due=None if due is None else due + horizon,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
