"""What no honest verdict depends on: what a column or a category is called, and the unit of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    """

    rows: Change
    said: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def _renamed(rows: pa.Table) -> pa.Table:
    return rows.rename_columns(["sum" if name == "amount" else name for name in rows.column_names])


def _words(cells: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("by ", cells, "")


RELATIONS: dict[str, Relation] = {
    "a column renamed": Relation(
        rows=_renamed,
        said={"inputs": ("sum", "count", "code:category", "channel", "flag:category")},
        words={"amount": "sum"},
    ),
    "a column times 1,000": Relation(rows=column("amount", lambda cells: pc.multiply(cells, 1000.0))),
    "categories renamed": Relation(rows=column("channel", _words)),
}


def incidents(rows: Stream, folder: Path) -> list[tuple[str, ...]]:
    """Level, watch, slice and windows of each incident."""
    found = records(rows, PLAIN, folder)
    return [(one.level, one.watch, one.slice, str(one.window_start)) for one in found.incidents]


@pytest.mark.parametrize("task", ["binary", *(pytest.param(task, marks=pytest.mark.slow) for task in TASKS[1:])])
@pytest.mark.parametrize("name", RELATIONS)
def test_incidents_are_the_same(name: str, task: str, tmp_path: Path) -> None:
    relation, plain = RELATIONS[name], stream(task, harm=True)
    changed = replace(
        plain,
        reference=relation.rows(plain.reference),
        live=relation.rows(plain.live),
        said={**plain.said, **relation.said},
    )
    before, after = incidents(plain, tmp_path / "plain"), incidents(changed, tmp_path / "changed")
    assert before
    for word, written in relation.words.items():
        before = [(level, watch.replace(word, written), *rest) for level, watch, *rest in before]
    assert after == before
