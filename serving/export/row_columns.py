"""Names of the columns that say which row it is and when it was, in a reference table with names of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pyarrow as pa

from monitoring.config.table_section import TableSection
from monitoring.errors import BadInput
from monitoring.traffic.cells import decoded, is_text
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.times import check_zone, parse_times
from serving.export.reference_table import ROW_COLUMNS

#: The standard names, and the flags that say what they are called in a table.
ROW_FLAGS: Final = {"prediction_id": "--prediction-id", "event_time": "--event-time", "label_time": "--label-time"}


TIMES: Final = ("event_time", "label_time")


def with_row_columns(table: pa.Table, columns: TableSection) -> pa.Table:
    """Add the columns in `ROW_FLAGS` under their standard names.

    >>> with_row_columns(pa.table({"id": ["a"]}), TableSection(prediction_id="id")).column_names
    ['id', 'prediction_id']
    """
    for standard in ROW_FLAGS:
        column = getattr(columns, standard)
        if column == standard:
            continue
        if column not in table.column_names:
            raise BadInput(
                "The reference table has no such column.",
                got=f"{ROW_FLAGS[standard]} {column}",
                expected=f"one of {', '.join(table.column_names)[:300]}",
                fix=f"Name the column with {ROW_FLAGS[standard]}.",
            )
        if standard in table.column_names:
            raise BadInput(
                f"The reference table has two columns that may be its {standard}.",
                got=f"{ROW_FLAGS[standard]} {column}, and a column {standard}",
                expected="one of them",
                fix=f"Leave {ROW_FLAGS[standard]} out, or rename the column {standard}.",
            )
        kind, wanted = table.schema.field(column).type, ROW_COLUMNS[standard]
        may_be_times = standard in TIMES and is_text(kind)  # in ISO 8601, see `with_zone`
        if not wanted.fits(kind) and not may_be_times:
            raise BadInput(
                "A column of the reference table has another type.",
                got=f"{ROW_FLAGS[standard]} {column}, which is {kind}",
                expected=wanted.wanted,
                fix=wanted.fix,
            )
        table = table.append_column(standard, table[column])
    return table


def unnamed_time(table: pa.Table, inputs: Collection[str]) -> str:
    """A remark on the one column of times that is no input, in a table without event times.

    >>> unnamed_time(pa.table({"when": pa.array([0], pa.timestamp("s"))}), ["age"])
    'Column when has times. If they say when each row was predicted: --event-time when.'

    Returns:
        The remark; empty if there is no such column, or more than one.
    """
    times = [
        field.name
        for field in table.schema
        if pa.types.is_timestamp(field.type) and field.name not in {*inputs, *ROW_FLAGS}
    ]
    if "event_time" in table.column_names or len(times) != 1:
        return ""
    return f"Column {times[0]} has times. If they say when each row was predicted: --event-time {times[0]}."


def with_zone(table: pa.Table, zone: str = "UTC") -> tuple[pa.Table, str]:
    """Read the times of a table by the rules of `pitfalls replay` and `pitfalls monitor init`.

    >>> table, remark = with_zone(pa.table({"event_time": ["2024-05-01 02:00:00"]}), "Europe/Paris")
    >>> table["event_time"][0].as_py().isoformat(), remark
    ('2024-05-01T00:00:00+00:00', 'Times of event_time have no zone, and are taken as Europe/Paris.')

    Args:
        zone: The time zone of times that have none.

    Returns:
        The table with event_time and label_time, where it has them, in UTC, null where a cell is no time; and a remark,
        empty if all times have a zone.
    """
    check_zone(zone)
    naive = []
    for name in TIMES:
        if name not in table.column_names:
            continue
        times = parse_times(decoded(table[name]), zone)
        if times.problem:  # no times at all: the check of the table's columns says so
            continue
        column = pa.array(times.us, TIMESTAMP, mask=~times.valid)
        table = table.set_column(table.column_names.index(name), name, column)
        naive += [name] if times.naive else []
    return table, f"Times of {' and '.join(naive)} have no zone, and are taken as {zone}." if naive else ""
