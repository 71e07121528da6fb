"""What no honest verdict depends on: names of columns, categories and classes, units, the week, and how many copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.forms.forms import column
from tests.forms.streams import PLAIN, TASKS, Stream, records, stream

Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A change of all rows, reference and live, and how it shows.

    Attributes:
        said: what their owner says besides.
        words: how a watch is called after it.
        later: by how much all times are later after it.
        tasks: The tasks that it is for.
        finer: Whether notices may be more or come earlier after it, as more rows have finer bins: pages are the same.
    """

    rows: Change
    said: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    later: timedelta = timedelta(0)
    tasks: tuple[str, ...] = TASKS
    finer: bool = False


def _renamed(rows: pa.Table) -> pa.Table:
    return rows.rename_columns(["sum" if name == "amount" else name for name in rows.column_names])


def _words(cells: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("by ", cells, "")


def _classes(rows: pa.Table) -> pa.Table:
    words = pa.array(CLASSES).take(rows["y"].combine_chunks())
    return rows.set_column(rows.column_names.index("y"), "y", words)


def _later(by: timedelta) -> Change:
    return column("ts", lambda times: pc.add(times, pa.scalar(by, pa.duration("us"))))


def _doubled(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, column("id", lambda ids: pc.binary_join_element_wise(ids, "b", ""))(rows)])


#: What the first, second and third class are called where classes are renamed: not in the order of the alphabet.
CLASSES = ("paid", "late", "never")

RELATIONS: dict[str, Relation] = {
    "a column renamed": Relation(
        rows=_renamed,
        said={"inputs": ("sum", "count", "code:category", "channel", "flag:category")},
        words={"amount": "sum"},
    ),
    "a column times 1,000": Relation(rows=column("amount", lambda cells: pc.multiply(cells, 1000.0))),
    "categories renamed": Relation(rows=column("channel", _words)),
    "two classes renamed": Relation(
        rows=_classes, said={"classes": CLASSES[:2]}, words=dict(zip("01", CLASSES, strict=False)), tasks=("binary",)
    ),
    "three classes renamed": Relation(
        rows=_classes, said={"classes": CLASSES}, words=dict(zip("012", CLASSES, strict=True)), tasks=("classes",)
    ),
    "times 53 weeks later": Relation(rows=_later(timedelta(weeks=53)), later=timedelta(weeks=53)),
    "rows doubled": Relation(rows=_doubled, finer=True),
}


def incidents(rows: Stream, folder: Path, later: timedelta = timedelta(0)) -> list[tuple[str, str, str, datetime]]:
    """Level, watch, slice and first window of each incident, at the times of plain rows."""
    found = records(rows, replace(PLAIN, later=later), folder)
    return [(one.level, one.watch, one.slice, one.window_start - later) for one in found.incidents]


def check(relation: Relation, task: str, folder: Path) -> None:
    """Judge a harmed stream with and without a change, and compare the incidents."""
    plain = stream(task, harm=True)
    changed = replace(
        plain,
        reference=relation.rows(plain.reference),
        live=relation.rows(plain.live),
        said={**plain.said, **relation.said},
    )
    before, after = incidents(plain, folder / "plain"), incidents(changed, folder / "changed", relation.later)
    assert before
    for word, written in relation.words.items():
        before = [
            (level, re.sub(rf"\b{word}\b", written, watch), slice_, start) for level, watch, slice_, start in before
        ]
    if relation.finer:
        before, after = ([each for each in some if each[0] == "page"] for some in (before, after))
    assert after == before


@pytest.mark.parametrize(
    ("name", "task"),
    [
        pytest.param(name, task, marks=() if task == relation.tasks[0] else pytest.mark.slow)
        for name, relation in RELATIONS.items()
        for task in relation.tasks
    ],
)
def test_incidents_are_the_same(name: str, task: str, tmp_path: Path) -> None:
    check(RELATIONS[name], task, tmp_path)
