"""The rows of an incident that a person looks at: the worst, typical ones, and typical ones of the baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.rules import rule_columns, rules_of
from monitoring.inspection.live_rows import (
    LiveRows,
    image_files_of,
    images_of,
    in_slice,
    most_typical,
    readable,
    texts_of,
)
from monitoring.judging.rules.rule_check import RuleCheck
from monitoring.records import IncidentRecord
from monitoring.tasks.task import Floats
from monitoring.timestamps import as_datetime
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.windows import Window
from monitoring.watches.descriptions import printable
from monitoring.watches.joint import SAMPLE

#: Rows of each kind, at most.
MOST_ROWS = 6

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExampleRows:
    """Some rows with their labels, and what is to be said of them.

    `scores` are in the unit of the incident's watch; empty where rows have none. `files` are the images that are files,
    by column, None where a row has none; `ids` the ids of a ranking's answers and labels, by their codes; `others` the
    answers of another version to the same rows, [n, width].
    """

    rows: Predictions
    scores: tuple[float, ...] = ()
    files: Mapping[str, tuple[bytes | None, ...]] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)
    others: Floats | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadableRows:
    """Rows as a person reads them."""

    spec: BaselineSpec
    images: dict[str, tuple[int, int, int]]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IncidentRows(ReadableRows):
    """The rows of an incident."""

    worst: ExampleRows
    typical: ExampleRows
    baseline: ExampleRows


def read_incident_rows(
    config: MonitorConfig, version: int, incident: IncidentRecord, clock: Callable[[], datetime]
) -> IncidentRows:
    """Read the rows of an incident.

    Returns:
        At most `MOST_ROWS` rows of each kind. Cost: a pass over the window that opened the incident and over the rows
        of the reference in its slice, and all labels; seconds for a million rows.
    """
    baseline = baseline_in_use(config)
    baseline = replace(baseline, spec=configured(config, baseline.spec))
    window = Window(start=incident.window_start, end=incident.window_end)
    dates = _dates(baseline)
    since = min([window.start, *(row.event_time for row in incident.detail.rows), *(dates[:1])])
    live = LiveRows.open(config, baseline, version, since=since, clock=clock)
    typical = live.typical(window, incident.slice, MOST_ROWS)
    rules = RuleCheck(rules_of(config.rule), rule_columns(config, baseline.spec.task))
    return IncidentRows(
        **described_rows(baseline.spec),
        worst=_breaking(live, incident, rules) or _worst(live, incident),
        typical=ExampleRows(
            rows=typical,
            files=live.images(typical.ids, window),
            ids=live.id_names(typical.ids, window),
            note="" if len(typical) else "No row of this window is in the traffic now.",
        ),
        baseline=_of_baseline(live, baseline, incident),
    )


def described_rows(spec: BaselineSpec) -> dict[str, Any]:
    """The fields of `ReadableRows`, by what a baseline says."""
    images = {
        descriptor.source: descriptor.shape for descriptor in spec.described if isinstance(descriptor, ImageDescriptors)
    }
    return {"spec": readable(spec), "images": images, "texts": texts_of(spec)}


def _breaking(live: LiveRows, incident: IncidentRecord, rules: RuleCheck) -> ExampleRows | None:
    """Rows that break the rules that an incident is about; None where it is about no rule of the config."""
    window = Window(start=incident.window_start, end=incident.window_end)
    every = rules.broken_ids(live.judged.rows(window).batches(), incident.subjects)
    if not every:
        return None
    names = sorted({name for name, _ in every})
    ids = pa.array(list(dict.fromkeys(row_id for _, row_id in every))[:MOST_ROWS], pa.string())
    rows = live.some(ids, window)
    return ExampleRows(
        rows=rows,
        files=live.images(rows.ids, window),
        ids=live.id_names(rows.ids, window),
        note=f"They break {'the rule' if len(names) == 1 else 'the rules'} {', '.join(names)}.",
    )


def _worst(live: LiveRows, incident: IncidentRecord) -> ExampleRows:
    wanted = incident.detail.rows[:MOST_ROWS]
    if not wanted:
        return ExampleRows(
            rows=no_predictions(readable(live.spec)),
            note="It is judged over the whole window: no single row has a score.",
        )
    times = [row.event_time for row in wanted]
    ids = pa.array([row.prediction_id for row in wanted], pa.string())
    window = Window(start=min(times), end=max(times) + _INSTANT)
    rows = live.some(ids, window)
    scores = {row.prediction_id: row.score for row in wanted}
    gone = len(wanted) - len(rows)
    return ExampleRows(
        rows=rows,
        scores=tuple(scores[row_id] for row_id in rows.ids.to_pylist()),
        files=live.images(rows.ids, window),
        ids=live.id_names(rows.ids, window),
        note=f"{gone} of {len(wanted)} are not in the traffic now." if gone else "",
    )


def _of_baseline(live: LiveRows, baseline: Baseline, incident: IncidentRecord) -> ExampleRows:
    """Typical rows of the baseline; where it does not keep texts or images, live rows in their place.

    Returns:
        With texts or images: rows of the traffic of the end of the baseline's time, or of the first window of the
        traffic if that ends before the incident's.
    """
    spec, dates = baseline.spec, _dates(baseline)
    reference = _of_reference(baseline, incident.slice)
    unkept = (*texts_of(spec), *images_of(spec), *image_files_of(spec))
    if not unkept:
        return ExampleRows(rows=reference)
    lacking = f"A baseline does not keep {', '.join(map(printable, unkept))}"
    length = incident.window_end - incident.window_start
    tried = [(Window(start=dates[1] - length, end=dates[1] + _INSTANT), "the end of its time")] if dates else []
    first = live.first_window(length)
    if first is not None and first.end <= incident.window_start:
        tried.append((first, "the first window of the traffic"))
    for window, what in tried:
        rows = live.typical(window, incident.slice, MOST_ROWS)
        if len(rows):
            shown = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC, {what}"
            note = f"{lacking}: these are rows of the traffic of {shown}."
            return ExampleRows(
                rows=rows, files=live.images(rows.ids, window), ids=live.id_names(rows.ids, window), note=note
            )
    return ExampleRows(
        rows=reference, note=f"{lacking}, and the traffic has no row of its time or of before the incident."
    )


def _of_reference(baseline: Baseline, part: str) -> Predictions:
    column = part.partition("=")[0]
    sliced = {feature.name for feature in baseline.spec.features} & {column}
    inside = in_slice(baseline.rows.inputs([column]), part) if sliced else None
    places = np.arange(baseline.profile.rows) if inside is None else np.flatnonzero(inside)
    if places.size > SAMPLE:
        places = places[np.linspace(0, places.size - 1, SAMPLE).astype(np.int64)]
    rows = baseline.rows.take(places, [feature.name for feature in baseline.spec.features])
    return rows.take(most_typical(rows.features, MOST_ROWS))


def _dates(baseline: Baseline) -> tuple[datetime, ...]:
    """The first and the last event time of the baseline; nothing where it has none."""
    times = baseline.rows.answers.event_times
    if baseline.spec.rows_per_window is not None or not times.size:
        return ()
    return as_datetime(int(times.min())), as_datetime(int(times.max()))
