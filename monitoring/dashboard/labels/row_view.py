"""A row that a person labels, as the page shows it: its inputs, the fields of its label, and its answer apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from monitoring.baseline.predictions import Predictions
from monitoring.dashboard.incident.example_rows import Picture, Quote, row_pictures, value_words
from monitoring.dashboard.view.table import TableView, cell
from monitoring.inspection.incident_rows import ReadableRows
from monitoring.records import ColumnNote
from monitoring.tasks.label_form import label_form
from monitoring.watches.descriptions import printable

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
        classes: One of them is its label; empty where a label is written.
        is_number: Whether its label is a number.
        hint: How a label is written that is neither.
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
    classes: tuple[str, ...]
    is_number: bool
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """Everything that the page shows; `problem` says what went wrong, `row` is None where all rows have labels.

    Attributes:
        number: The number of the row among all that are asked for, from 1.
        skip: The number of the next row without a label; None where there is no other.
        undo: The number of the row that was labelled last; None where none was.
        left_out: Inputs that are images in files, which the page does not show.
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
    inputs = [name for name in values if name not in readable.texts and name not in readable.images]
    task = readable.spec.task
    form, hint = label_form(task)
    has_buttons = form == "class" and len(task.classes) <= MOST_BUTTONS
    (name,) = row.ids.to_pylist()
    return LabelRow(
        identity=name,
        time=times[0],
        table=TableView(
            name="row",
            title="The row",
            columns=("Input", "Value"),
            rows=tuple(
                (cell(_titled(name, notes.get(name)), style="text"), cell(value_words(values[name]), style="text"))
                for name in inputs
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
        classes=task.classes if has_buttons else (),
        is_number=form == "number",
        hint="" if has_buttons else hint,
    )


def _titled(name: str, note: ColumnNote | None) -> str:
    """An input's name with its unit and its description."""
    if note is None:
        return printable(name)
    unit = f" [{printable(note.unit)}]" if note.unit else ""
    return f"{printable(name)}{unit}" + (f": {printable(note.description, 300)}" if note.description else "")


def _lines(text: str) -> str:
    """A text with its lines."""
    return "\n".join(printable(line, LONGEST_LABELLED_TEXT) for line in text[:LONGEST_LABELLED_TEXT].splitlines())
