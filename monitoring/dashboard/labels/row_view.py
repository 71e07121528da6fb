"""A row that a person labels, as the page shows it: its inputs, the fields of its label, and its answer apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from monitoring.baseline.predictions import Predictions
from monitoring.dashboard.incident.example_rows import Picture, Quote, row_pictures, value_words
from monitoring.dashboard.view.table import TableView, cell
from monitoring.inspection.incident_rows import ReadableRows
from monitoring.records import ColumnNote
from monitoring.reports.sections.formatting import format_moment
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.label_form import LabelForm, label_form, set_words
from monitoring.tasks.task import Task
from monitoring.timestamps import as_datetime
from monitoring.traffic.descriptors.moment import MomentDescriptors
from monitoring.watches.descriptions import NOTHING, printable

#: Classes that have a button each; of more, a name is written.
MOST_BUTTONS: Final = 30

#: Characters of a text that a person reads before labelling it.
LONGEST_LABELLED_TEXT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A row, and what a label of it may be.

    Attributes:
        identity: The prediction's id, as a form sends it back.
        answer: What the model answered, in words.
        before: The label that it has, as text; empty for none.
        counted: Whether a run has counted that label.
        form: How its label is given.
        classes: One of them is its label, or a set of them; empty where a label is written.
        chosen: Those of a set that the label has which it has.
        hint: How a label is written that is no number.
    """

    identity: str
    time: str
    table: TableView
    quotes: tuple[Quote, ...]
    pictures: tuple[Picture, ...]
    answer: str
    before: str
    counted: bool
    due: str
    form: LabelForm
    classes: tuple[str, ...]
    chosen: tuple[str, ...]
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """Everything that the page shows; `problem` says what went wrong, `row` is None where all rows have labels.

    Attributes:
        number: The number of the row among all that are asked for, from 1.
        skip: The number of the next row without a label; None where there is no other.
        undo: The number of the row that was labelled last; None where none was.
        left_out: Inputs that are images in files, which the page does not show.
        written: The label that was written and not taken.
    """

    address: str
    parent: str
    name: str
    problem: tuple[str, ...]
    timezone: str
    total: int = 0
    labelled: int = 0
    number: int = 0
    skip: int | None = None
    undo: int | None = None
    row: LabelRow | None = None
    left_out: tuple[str, ...] = ()
    written: str = ""

    @property
    def tables(self) -> tuple[TableView, ...]:
        """No table of the page is a file: `pitfalls labels ask` writes one."""
        return ()


def row_view(
    row: Predictions,
    readable: ReadableRows,
    notes: Mapping[str, ColumnNote],
    *,
    answer: str,
    given: tuple[str, bool],
    times: tuple[str, str],
) -> LabelRow:
    """One row. Its answer is in no part of it but `answer`.

    Args:
        given: The label that it has, empty for none, and whether a run has counted it.
        times: When it was answered, and until when its label counts.
    """
    values = {name: row.features[name].to_pylist()[0] for name in row.features.column_names}
    task = readable.spec.task
    form, hint = _form(task)
    has_buttons = form in ("class", "set")
    (name,) = row.ids.to_pylist()
    return LabelRow(
        identity=name,
        time=times[0],
        table=TableView(
            name="row",
            title="The row",
            columns=("Input", "Value"),
            rows=tuple(
                (cell(_titled(name, notes.get(name)), style="text"), cell(words, style="text"))
                for name, words in _inputs(row, readable)
            ),
        ),
        quotes=tuple(
            Quote(text=_lines(values[name]), words=_titled(name, notes.get(name)))
            for name in readable.texts
            if values.get(name) is not None
        ),
        pictures=tuple(replace(one, words=printable(name)) for name, one in row_pictures(row, readable)),
        answer=answer,
        before=given[0],
        counted=given[1],
        due=times[1],
        form=form,
        classes=task.classes if has_buttons else (),
        chosen=_chosen(task, given[0]) if form == "set" else (),
        hint="" if has_buttons else hint,
    )


def given_label(task: Task, fields: Mapping[str, str]) -> str:
    """The label that the fields of a form give, as text; empty for none."""
    if _form(task)[0] != "set":
        return fields.get("label", "").strip()
    chosen = [name for place, name in enumerate(task.classes, 1) if f"has-{place}" in fields]
    return set_words(chosen) if "give" in fields else ""


def _form(task: Task) -> tuple[LabelForm, str]:
    """As `label_form`; of more classes than have a button, the label is written."""
    form, hint = label_form(task)
    return ("text", hint) if form in ("class", "set") and len(task.classes) > MOST_BUTTONS else (form, hint)


def _chosen(task: Task, label: str) -> tuple[str, ...]:
    """The classes of a set that a label has."""
    codes = task.label_codes(pa.chunked_array([[label]], pa.string()))
    if not has_label(codes).all() or task.unknown(codes).any():
        return ()
    return tuple(compress(task.classes, task.read_labels(codes)[0].tolist()))


def _inputs(row: Predictions, readable: ReadableRows) -> Iterator[tuple[str, str]]:
    """The inputs that are neither texts nor images, in words; of how long before its row a date lies, the date."""
    described = [one for one in readable.spec.described if isinstance(one, MomentDescriptors)]
    dated = {f"{one.source}.{one.unit}": one.source for one in described if one.unit == "days_before"}
    for name in row.features.column_names:
        (value,) = row.features[name].to_pylist()
        if name in dated:
            yield dated[name], date_words(value, int(row.event_times[0]))
        elif name not in readable.texts and name not in readable.images:
            yield name, value_words(value)


def date_words(days: float | None, answered_us: int) -> str:
    """The moment that lies so many days before a row, to the second; a dash for none.

    >>> date_words(1.5, 172_800_000_000), date_words(2.0, 172_800_000_000)
    ('1 Jan 1970 12:00 UTC', '1 Jan 1970')
    """
    if days is None or math.isnan(days):
        return NOTHING
    try:
        moment = as_datetime(round(answered_us / 1e6 - days * 86_400) * 1_000_000)
    except OverflowError:
        return f"{value_words(days)} days before"
    words = format_moment(moment, ZoneInfo("UTC"))
    return f"{words} UTC" if ":" in words else words


def _titled(name: str, note: ColumnNote | None) -> str:
    """An input's name with its unit and its description."""
    if note is None:
        return printable(name)
    unit = f" [{printable(note.unit)}]" if note.unit else ""
    return f"{printable(name)}{unit}" + (f": {printable(note.description, 300)}" if note.description else "")


def _lines(text: str) -> str:
    """A text with its lines."""
    return "\n".join(printable(line, LONGEST_LABELLED_TEXT) for line in text[:LONGEST_LABELLED_TEXT].splitlines())
