"""A table of predictions adopted: its baseline and schema written beside a config that watches more of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.predictions import NO_LABEL, label_indices
from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import ConfigDraft, TableDraft, check_draft, render_config
from monitoring.errors import BadInput
from monitoring.evidence.conformal import MIN_WINDOWS
from monitoring.jobs.config_file import NAME, keep_existing
from monitoring.jobs.deployment import BASELINE, SCHEMA_FILE, deploy
from monitoring.jobs.staging import put_in_place, staging
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.reference_limits import label_horizon, reference_limits
from monitoring.judging.window.windowing import split_by_window
from monitoring.timestamps import as_datetime
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.reference import (
    LoadedPiece,
    absent_columns,
    check_label_times,
    check_labels,
    check_scores,
    classes_of,
    kinds_of,
    read_all,
    spelling,
    types_of,
)
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import RowPlan, Window, WindowPlan

#: Fewer baseline windows than this detect only large changes.
FEW_WINDOWS = 20

#: A window of fewer rows than this waits for company, unless windows are cut smaller.
MIN_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDescription:
    """What its owner says of a table of predictions. Columns that are not named go by their usual names.

    `inputs` are columns, or NAME:number and NAME:category; none means all that nothing else is made of. `scores` is
    one column (the probability of the second class, or lists), or one for each class; or `predicted`, without scores.
    """

    event_time: str
    scores: tuple[str, ...] = ()
    predicted: str | None = None
    label: str | None = None
    label_time: str | None = None
    prediction_id: str | None = None
    classes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    class_slices: tuple[str, ...] = ()
    every: str = "1d"
    rows: int | None = None
    timezone: str = "UTC"
    naive_timezone: str = "UTC"
    traffic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """What was written, and what the owner should know of it."""

    config: Path
    rows: int
    windows: int
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    notes: tuple[str, ...]


def init_monitor(
    reference: Path, own: TableDescription, *, out: Path, clock: Callable[[], datetime], force: bool = False
) -> InitResult:
    """Write ``baseline/`` (rows, description, TFDV schema) and ``monitor.toml`` into `out` from a reference table.

    The reference should hold predictions on rows that the model was not fitted on, over at least 20 windows, labelled.
    Raises BadInput if it does not fit what its owner says, CannotRun if `out` cannot be written. Cost: the reference
    in memory, TFDV's inference, and every watch fitted once.
    """
    keep_existing(out / NAME, force=force)
    _zoned(own.naive_timezone)
    pieces = read_all(pieces_of(reference))
    columns, left_out = _columns(pieces, own)
    rows = Table(pieces, columns, now=clock())
    times = rows.event_times()
    if not times.size:
        raise _no_times(pieces, columns)
    everything = Window(start=as_datetime(int(times[0])), end=as_datetime(int(times[-1]) + 1))
    repeats = rows.repeated_rows()
    if repeats > times.size:
        raise _no_ids(times.size, repeats, columns.prediction_id)
    scan = rows.window(everything)
    table, unanswered = _answered(scan.read(), columns, types_of(pieces))
    mixed = _mixed(table, scan.problems, columns)
    spec = BaselineSpec(
        classes=columns.classes,
        features=tuple(FeatureSpec(name=name, kind=kind) for name, kind in columns.inputs.items()),
        has_probabilities=columns.predicted is None,
        columns=tuple(types_of(pieces).items()),
    )
    draft = replace(_draft(own, columns), label_horizon=f"{label_horizon(_label_delays(table)).days}d")
    check_draft(draft, out)
    windows = _windows(table, own, lost={"without a usable answer": unanswered, "of an id of another": repeats})
    fit = _write(table, spec, draft, out)
    notes = (
        *dict.fromkeys(f.message for f in (*rows.times.findings, *scan.findings())),
        *([f"{repeats} rows repeat another's id, and were left out."] if repeats else []),
        *([f"{unanswered} rows without a usable answer were left out."] if unanswered else []),
        *mixed,
        *([f"No inputs: {', '.join(left_out)}."] if left_out else []),
        *(
            f"The reference has no column {name} ({option}): it is looked for in the traffic."
            for option, name in _later(types_of(pieces), own).items()
        ),
        *([f"Event times have no zone, and were taken as {own.naive_timezone}."] if rows.times.naive else []),
        *_about(table, columns, windows),
        *reference_limits(fit.means, fit.unfitted, span=_span(table)),
    )
    return InitResult(
        config=out / NAME,
        rows=table.num_rows,
        windows=windows,
        classes=spec.classes,
        inputs=tuple(columns.inputs),
        notes=tuple(notes),
    )


def _later(there: Mapping[str, str], own: TableDescription) -> dict[str, str]:
    """Named columns that the reference can do without, and has not: the traffic may have them."""
    return absent_columns(there, {"--label-time": own.label_time, "--prediction-id": own.prediction_id})


def _no_ids(rows: int, repeats: int, column: str) -> BadInput:
    return BadInput(
        "Most rows of the reference have the id of another row.",
        got=f"{rows + repeats} rows with {rows} ids in the column {column}",
        expected="ids of rows: of those that share one, one alone counts",
        fix="Name another column with --prediction-id, or none and drop this one; drop rows that are copies.",
    )


def _zoned(name: str) -> None:
    """Raises BadInput for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "Not a time zone.",
            got=name,
            expected='a name of the IANA time zone database, as "Europe/Paris"',
            fix="Check --naive-timezone.",
        ) from None


def _columns(pieces: tuple[LoadedPiece, ...], own: TableDescription) -> tuple[TableColumns, tuple[str, ...]]:
    """Every column by what it means, and the columns left out."""
    there = types_of(pieces)
    if not own.scores and own.predicted is None:
        raise BadInput(
            "What the model answered has to be named.",
            got="neither a score nor a predicted class",
            expected="one of them",
            fix="Use --score p, or --score a,b,c with one column per class, or --predicted answer.",
        )
    options = {
        "--event-time": own.event_time,
        "--predicted": own.predicted,
        "--label": own.label,
        **{f"--score {name}": name for name in own.scores},
    }
    absent = absent_columns(there, options)
    absent |= {option: name for option, name in _later(there, own).items() if get_close_matches(name, there, n=1)}
    if absent:
        raise BadInput(
            "There is no such column.",
            got=", ".join(f"{name} ({option.partition(' ')[0]})" for option, name in absent.items()),
            expected=f"some of {', '.join(there)[:300]}",
            fix=spelling(there),
        )
    check_labels(pieces, own.label or "label")
    columns = TableColumns(
        event_time=own.event_time,
        prediction_id=own.prediction_id or "prediction_id",
        label=own.label or "label",
        label_time=own.label_time or "label_time",
        naive_timezone=own.naive_timezone,
        scores=own.scores,
        predicted=own.predicted,
    )
    check_label_times(pieces, columns)
    inputs, left_out = kinds_of(pieces, columns, own.inputs, own.slices)
    found = replace(columns, inputs=inputs, classes=classes_of(pieces, columns, own.classes))
    check_scores(pieces, found)
    return found, left_out


def _answered(table: pa.Table, columns: TableColumns, types: Mapping[str, str]) -> tuple[pa.Table, int]:
    """The rows with a usable answer, and how many have none."""
    values = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    usable = np.isfinite(values).all(axis=1)
    if not usable.any():
        what = "a known class" if columns.predicted else "probabilities: from 0 to 1, and 1 in sum over the classes"
        raise BadInput(
            "No row of the reference has a usable answer.",
            got=f"{table.num_rows} rows of {', '.join(f'{name} ({types[name]})' for name in columns.answer)}",
            expected=what,
            fix="Name the column of probabilities; scores of another scale have to be calibrated first.",
        )
    return table.filter(pa.array(usable)), int((~usable).sum())


def _mixed(table: pa.Table, problems: Mapping[str, str], columns: TableColumns) -> list[str]:
    """What to say of inputs that differ from file to file. Raises BadInput for one without a usable cell."""
    wrong = {name: problem for name, problem in problems.items() if problem != "absent"}
    lost = [name for name in wrong if not np.isfinite(_present(table[name])).any()]
    if lost:
        raise BadInput(
            "An input cannot be read as what it was said to be.",
            got=f"{lost[0]}, a {columns.inputs[lost[0]]}: {wrong[lost[0]].removeprefix('type changed to ')}",
            expected="numbers for a number; text, whole numbers or booleans for a category",
            fix="Say the other kind, --features NAME:number or NAME:category, or convert the column.",
        )
    return [f"{name} is {problem} in a part of the reference: missing there." for name, problem in problems.items()]


def _present(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A number for each cell that there is, NaN for the others."""
    if pa.types.is_floating(column.type):
        return np.asarray(column, dtype=np.float64)
    return np.where(np.asarray(column.is_valid()), 0.0, np.nan)


def _windows(table: pa.Table, own: TableDescription, lost: Mapping[str, int]) -> int:
    """How many windows the reference makes, small ones joined. Raises BadInput for fewer than five.

    `lost` are the rows that were left out before, each number with its reason.
    """
    times = np.asarray(table["event_time"].cast(pa.int64()), dtype=np.int64)
    plan = RowPlan(rows=own.rows) if own.rows is not None else WindowPlan(every=own.every, timezone=own.timezone)
    found = waiting = 0
    for _, places in split_by_window(times, plan):
        waiting += places.size
        if waiting >= _min_rows(own):
            found, waiting = found + 1, 0
    if found < MIN_WINDOWS:
        length = f"{own.rows} rows" if own.rows is not None else own.every
        raise BadInput(
            "The reference is too short to be held against.",
            got=f"{table.num_rows:,} rows that count{_in_words(lost)} in {found} windows of {length}, small ones "
            f"joined to {_min_rows(own)} rows",
            expected=f"at least {MIN_WINDOWS}, better {FEW_WINDOWS} or more",
            fix="Give a longer reference, or cut shorter windows: --every 6h, or --rows 500.",
        )
    return found


def _in_words(lost: Mapping[str, int]) -> str:
    told = ", ".join(f"{rows:,} {why}" for why, rows in lost.items() if rows)
    return f" ({told} left out)" if told else ""


def _min_rows(own: TableDescription) -> int:
    return MIN_ROWS if own.rows is None else min(MIN_ROWS, own.rows)


def _write(table: pa.Table, spec: BaselineSpec, draft: ConfigDraft, out: Path) -> ReferenceFit:
    """Put the baseline and the config in their places, whole, once a run could use them; gives the fit."""
    with staging(out) as aside:
        write_baseline(table, folder=aside / BASELINE, spec=spec)
        known = table.select([*(feature.name for feature in spec.features), "label"])
        write_schema(infer_schema(known, label="label"), aside / BASELINE / SCHEMA_FILE)
        (aside / NAME).write_text(render_config(draft), encoding="utf-8")
        deployment = deploy(check_draft(draft, aside))
        put_in_place(aside, (BASELINE, NAME), out)
    return deployment.reference_fit


def _label_delays(table: pa.Table) -> NDArray[np.int64]:
    """How long each labelled row's label took, int64 [n], in microseconds."""
    known = table.filter(table["label"].is_valid())
    times = known["label_time"].cast(pa.int64()), known["event_time"].cast(pa.int64())
    return np.asarray(pc.subtract(*times).drop_null(), dtype=np.int64)


def _span(table: pa.Table) -> timedelta:
    """From the first row to the last."""
    ends = pc.min_max(table["event_time"])
    return ends["max"].as_py() - ends["min"].as_py() if table.num_rows else timedelta(0)


def _draft(own: TableDescription, columns: TableColumns) -> ConfigDraft:
    return ConfigDraft(
        bundle=BASELINE,
        traffic=own.traffic,
        table=TableDraft(
            event_time=columns.event_time,
            prediction_id=columns.prediction_id,
            label=columns.label,
            label_time=columns.label_time,
            naive_timezone=columns.naive_timezone,
            scores=columns.scores,
            predicted=columns.predicted,
            classes=columns.classes,
        ),
        slices=own.slices,
        class_slices=own.class_slices,
        every=own.every,
        rows=own.rows,
        timezone=own.timezone,
        min_rows=_min_rows(own),
    )


def _about(table: pa.Table, columns: TableColumns, windows: int) -> list[str]:
    notes = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if columns.inputs.get(name) == "category" and (values := len(column.unique())) > MAX_CATEGORIES:
            notes.append(
                f"{name} has {values:,} values: the {MAX_CATEGORIES} commonest are counted one by one, and all "
                "others together."
            )
    words = table["label"].drop_null().unique().to_pylist()
    if len(words) == 1:
        notes.append(f"All labels of the reference are {words[0]}: how wrong the model is can hardly be seen in them.")
    if not words:
        notes.append(
            "The reference has no labels: what the model gets wrong is not watched, only what it is given and answers."
        )
    notes += [] if columns.predicted is not None else _worse_than_a_guess(table, columns.classes)
    if windows < FEW_WINDOWS:
        notes.append(
            f"{windows} windows are few: harm has to be large to be noticed; {FEW_WINDOWS} or more are better."
        )
    return notes


def _worse_than_a_guess(table: pa.Table, classes: tuple[str, ...]) -> list[str]:
    """What is said of answers that are wrong more often than always naming the commonest class would be."""
    labels = label_indices(table["label"], classes)
    known = labels != NO_LABEL
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)[known]
    if not known.any():
        return []
    error = float(np.mean(answers.argmax(axis=1) != labels[known]))
    if error <= max(0.5, 1.0 - float(np.bincount(labels[known]).max() / known.sum())):
        return []
    order = ", ".join(classes)
    return [
        f"{error:.0%} of the labelled rows are answered wrongly: are the classes in the order of the scores ({order})?"
    ]


def _no_times(pieces: tuple[LoadedPiece, ...], columns: TableColumns) -> BadInput:
    kind = types_of(pieces)[columns.event_time]
    return BadInput(
        "No row of the reference has an event time.",
        got=f"{columns.event_time}, of type {kind}",
        expected="timestamps, dates, or text in ISO 8601, at most a day ahead of the clock",
        fix="Convert the column first, for example with pandas.to_datetime(..., unit='s', utc=True).",
    )
