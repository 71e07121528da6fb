"""A table with the answers of two versions and the labels, as rows of both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.predictions import Predictions, predictions_from, with_usable_answers
from monitoring.baseline.profile import MAX_SLICE_VALUES
from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import TableDescription, baseline_spec, columns_described
from monitoring.rollout.log.versions import LEAST_OF_SLICES, slice_guards
from monitoring.rollout.pairs import PairedRows
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.task import Floats, Task, TaskName, Whole
from monitoring.timestamps import as_datetime
from monitoring.traffic.tables.columns import TableColumns, named_columns
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.reference import LoadedPiece, types_of
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

#: Labelled rows by whose errors the largest error of predicted numbers is found: the first ones.
FIT_ROWS = 1_000

#: The share of the rows that a value of a column needs to be a guard by itself.
LEAST_SLICE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTable:
    """The rows of a table with the answers of two versions."""

    rows: PairedRows
    task: Task
    slices: Mapping[str, tuple[str, ...]]
    has_label_times: bool
    notes: tuple[str, ...]


def read_pairs(
    place: Path | str, champion: TableDescription, candidate: TableDescription, *, clock: Callable[[], datetime]
) -> PairedTable:
    """Read a table. Returns the rows. Memory: the named columns of all of them.

    Args:
        champion: The table with the answers of the champion; its slices are guards.
        candidate: The same with those of the candidate.
    """
    pieces = pieces_of(place)
    guards = champion.traffic.slices
    _check_columns(pieces, champion, (*_answers_named(champion), *_answers_named(candidate)))
    read = _load(pieces, {*_shared_columns(champion), *_answers_named(champion), *guards})
    other_read = _load(pieces, {*_shared_columns(champion), *_answers_named(candidate)})
    with _of("champion"):
        columns, _ = columns_described(read, champion)
    with _of("candidate"):
        same = replace(candidate, task=_task_name(columns)).changed("traffic", slices=())
        same = same.changed("model", classes=columns.classes or candidate.classes)
        other, _ = columns_described(other_read, same)
    columns, other = _same_answers(columns, other)
    spec = baseline_spec(columns)
    rows, notes = _read(read, columns, spec, clock())
    candidate_rows, _ = _read(other_read, other, baseline_spec(other), clock())
    for version, version_rows, named in (("champion", rows, columns), ("candidate", candidate_rows, other)):
        with _of(version):
            _check_answers(version_rows, named)
    pairs = PairedRows(rows=rows, candidate=candidate_rows.probabilities)
    if not has_label(rows.labels).any():
        raise BadInput(
            "No row has a label.",
            got=f"{len(rows):,} rows, and no usable cell in {', '.join(columns.label_cells)}",
            expected="labels of rows that both versions have answered",
            fix="Name the column of labels with --label.",
        )
    slices = {name: _slice_values(rows.features[name].combine_chunks()) for name in guards}
    unsliced = [name for name, values in slices.items() if not values]
    few = (
        f"is no guard: its {MAX_SLICE_VALUES} commonest values have less than {LEAST_OF_SLICES:.0%} of the rows "
        f"together, or none has {LEAST_SLICE:.0%}."
    )
    return PairedTable(
        rows=pairs,
        task=_fitted(spec, pairs),
        slices={name: values for name, values in slices.items() if values},
        has_label_times=columns.label_time in types_of(read),
        notes=(*notes, *(f"The column {name} {few}" for name in unsliced)),
    )


def _slice_values(column: pa.Array) -> tuple[str, ...]:
    """The commonest values of a column, those of enough rows to be guards."""
    words = slice_guards(column)
    return tuple(word for word in words if pc.sum(pc.equal(column, word)).as_py() >= LEAST_SLICE * len(column))


def _shared_columns(description: TableDescription) -> frozenset[str]:
    """The columns that belong to no version: times, ids and labels."""
    columns = named_columns(description.config)
    return frozenset(columns.mapped) - frozenset(columns.answer)


def _answers_named(description: TableDescription) -> tuple[str, ...]:
    """The columns of a version's answers."""
    return (*named_columns(description.config).answer, *filter(None, [description.follows]))


def _check_columns(pieces: Sequence[TablePiece], description: TableDescription, answers: Collection[str]) -> None:
    """Raises BadInput for a named column that the table does not have."""
    there: dict[str, None] = {}
    reader = PieceReader(TableColumns())
    for piece in pieces:
        there |= dict.fromkeys(reader.header(piece).table.column_names)
    guards = description.traffic.slices
    labels = _shared_columns(description) - {description.traffic.prediction_id, description.traffic.label_time}
    optional = [name for name in map(description.traffic.named, ("prediction_id", "label_time")) if name is not None]
    clashes = {*_shared_columns(description), *answers}.intersection(guards)
    if clashes:
        raise BadInput(
            "A column cannot be a slice.",
            got=", ".join(sorted(clashes)),
            expected="columns other than times, ids, labels and answers",
            fix="Name columns of categories with --slices.",
        )
    absent = [name for name in (*sorted(labels), *optional, *answers, *guards) if name not in there]
    if absent:
        near = dict.fromkeys(near for name in absent for near in get_close_matches(name, there, n=1))
        raise BadInput(
            "There is no such column.",
            got=", ".join(dict.fromkeys(absent)),
            expected=f"some of {', '.join(there)[:300]}",
            fix=f"Did you mean {', '.join(near)}?" if near else "Check the spelling.",
        )


def _load(pieces: Sequence[TablePiece], names: Collection[str]) -> tuple[LoadedPiece, ...]:
    """The pieces with some of their columns in memory. Raises BadInput if they hold no rows."""
    loaded_pieces = tuple(
        LoadedPiece(name=each.name, first_row=each.first_row, raw=each.read(names)) for each in pieces
    )
    if not sum(piece.raw.table.num_rows for piece in loaded_pieces):
        raise BadInput(
            "The table is empty.",
            got="no rows",
            expected="one row per prediction, with the answers of both versions",
            fix="Give the rows that both versions have answered.",
        )
    return loaded_pieces


@contextmanager
def _of(version: str) -> Iterator[None]:
    """Name the version in what is wrong with its columns, and the options as they are called here."""
    try:
        yield
    except BadInput as error:
        what = f"The {version}'s answers: {error.what[:1].lower()}{error.what[1:]}"
        texts = [
            text.replace("--score", f"--{version}-score").replace("--predicted", f"--{version}-predicted")
            for text in (error.expected, error.fix)
        ]
        raise BadInput(what, got=error.got, expected=texts[0], fix=texts[1]) from error


def _same_answers(champion: TableColumns, candidate: TableColumns) -> tuple[TableColumns, TableColumns]:
    """The columns of both versions, rankings with as many places. Raises BadInput if they answer different things."""
    kinds = [
        (version.classes, version.exclusive, bool(version.ranking), len(version.numbers), tuple(version.outputs))
        for version in (champion, candidate)
    ]
    if kinds[0] != kinds[1]:
        raise BadInput(
            "The two versions do not answer the same.",
            got=f"the champion {_answers(champion)}, the candidate {_answers(candidate)}",
            expected="answers of the same kind, with the same classes in the same order",
            fix="Name the same kind of columns for both, and the classes with --classes.",
        )
    if champion.ranking is None or candidate.ranking is None:
        return champion, candidate.replaced(numbers=champion.numbers)
    places = max(champion.ranking.places, candidate.ranking.places)
    if champion.ranking.scored == candidate.ranking.scored:
        ranking = replace(champion.ranking, places=places)
        return champion.replaced(ranking=ranking), candidate.replaced(ranking=ranking)
    ranking = Ranking(places=places)
    return (champion.replaced(ranking=ranking, id_scores=None), candidate.replaced(ranking=ranking, id_scores=None))


def _task_name(columns: TableColumns) -> TaskName | None:
    """What the answers are of, as a description names it; None for several outputs."""
    if columns.outputs:
        return None
    if columns.ranking is not None:
        return "ranking"
    if not columns.classes:
        return "regression"
    return "classification" if columns.exclusive else "multilabel"


def _answers(columns: TableColumns) -> str:
    if columns.outputs:
        return f"outputs {', '.join(columns.outputs)}"
    if columns.ranking is not None:
        return "rankings"
    if columns.classes:
        return f"{'one' if columns.exclusive else 'any'} of the classes {', '.join(columns.classes)}"
    return f"{len(columns.numbers) or 1} number{'s' if columns.numbers else ''}"


def _read(
    pieces: tuple[LoadedPiece, ...], columns: TableColumns, spec: BaselineSpec, now: datetime
) -> tuple[Predictions, tuple[str, ...]]:
    """All rows by event time, each once, and what was found about them."""
    table = Table.of(pieces, columns, inside=EventTimeRange.of(now=now))
    times = table.event_times()
    if not times.size:
        raise BadInput(
            "The column of event times holds no times that have come.",
            got=" ".join((f"{columns.event_time}:", *(finding_text(finding) for finding in table.times.findings))),
            expected="when each prediction was made: timestamps, dates, or text in ISO 8601",
            fix="Name the right column with --event-time, or convert it.",
        )
    scan = table.window(Window(start=as_datetime(int(times[0])), end=as_datetime(int(times[-1]) + 1)))
    rows = with_usable_answers(predictions_from(scan.read(), spec), spec.task)
    repeats = table.repeated_rows()
    remarks = [finding_text(finding) for finding in (*table.times.findings, *scan.findings())]
    if repeats:
        remarks.append(f"{repeats:,} rows repeat another's id, and were left out.")
    if table.times.naive:
        remarks.append(f"Event times have no zone, and were taken as {columns.naive_timezone}.")
    return rows, tuple(dict.fromkeys(remarks))


def _check_answers(rows: Predictions, columns: TableColumns) -> None:
    """Raises BadInput where no row has a usable answer."""
    if not np.isfinite(rows.probabilities).all(axis=1).any():
        raise BadInput(
            "No row has a usable answer.",
            got=f"{len(rows):,} rows of {', '.join(columns.answer)}",
            expected=f"answers of a model with {_answers(columns)}",
            fix="Name the right columns with --score or --predicted; probabilities lie in 0..1.",
        )


def _fitted(spec: BaselineSpec, pairs: PairedRows) -> Task:
    """The task, with errors of predicted numbers bounded by those of both versions on the first labelled rows."""
    first = np.flatnonzero(has_label(pairs.labels))[:FIT_ROWS]
    answers: Floats = np.concatenate([pairs.champion[first], pairs.candidate[first]])
    labels: Whole = np.concatenate([pairs.labels[first], pairs.labels[first]])
    return spec.task.fitted(answers, labels)
