"""Findings about columns: new ones, duplicates, those whose type no longer fits their role, and unreadable cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import pyarrow as pa

from monitoring.records import Finding
from monitoring.traffic.cells import is_list, value_type
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.tables.columns import ROW_NAMES, TableColumns, index_columns
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import can_hold_names, can_hold_times


def column_findings(raw: RawRows, columns: TableColumns) -> tuple[Finding, ...]:
    """Findings about the columns of a file, from its header, and about lines that do not fit it."""
    present = raw.columns()
    findings: list[Finding] = []
    if columns.reference_types:
        findings += _role_findings(present, columns)
        findings += _new_columns(raw, present, columns)
    findings += [
        Finding(kind="duplicate column", feature=name, message=f"The column {name} is there twice; the first counts.")
        for name in raw.duplicates
    ]
    if raw.malformed:
        message = f"{raw.malformed} lines have more or fewer fields than the header, and were left out."
        findings.append(Finding(kind="broken lines", feature="", message=message))
    return tuple(findings)


def unreadable_cells(counts: Mapping[str, int], described: Sequence[Descriptors]) -> tuple[Finding, ...]:
    """Findings about cells that hold something which is not of their column's kind.

    >>> unreadable_cells({"age": 2}, ())[0].message
    "2 cells of age in the window's files hold something that is no number: missing."
    """
    kinds = {each.source: each.kind for each in described}
    findings = []
    for name, count in counts.items():
        kind = kinds.get(name, "number")
        what = "that is no image, or a damaged or too large one" if kind == "image" else f"that is no {kind}"
        message = f"{count} cells of {name} in the window's files hold something {what}: missing."
        article = "an" if kind == "image" else "a"
        findings.append(Finding(kind=f"not {article} {kind}", feature=name, message=message))
    return tuple(findings)


def new_name(answer: str, raw: RawRows, columns: TableColumns) -> str:
    """The column that a column of answers that is gone may be now: the only new one of its type; else empty."""
    present, kind = raw.columns(), columns.reference_types.get(answer)
    if answer in present or not columns.reference_types:
        return ""
    expected = {*columns.reference_types, *columns.mapped, *index_columns(raw.table.schema)}
    new = [name for name in present if name not in expected]
    like = [name for name in new if raw.text or str(present[name].type) == kind]
    near = get_close_matches(answer, like, n=1) or (like if len(like) == 1 else [])
    return near[0] if near else ""


def _new_columns(raw: RawRows, present: Mapping[str, pa.Array], columns: TableColumns) -> list[Finding]:
    findings = []
    gone = [
        name for name in columns.reference_types if name not in present and name in columns.read - {*columns.mapped}
    ]
    expected = {*columns.reference_types, *columns.mapped, *index_columns(raw.table.schema)}
    for name in present:
        if name in expected:
            continue
        kind = str(present[name].type)
        like = [other for other in gone if raw.text or columns.reference_types[other] == kind]
        hint = f" It may be {like[0]} under another name." if len(gone) == 1 and like else ""
        message = f"The column {name} is not in the reference.{hint}"
        findings.append(Finding(kind="new column", feature=name, message=message))
    return findings


def _role_findings(present: Mapping[str, pa.Array], columns: TableColumns) -> list[Finding]:
    """Columns of ids, labels or their times that are gone, or whose type cannot hold them."""
    name, labels, when = columns.prediction_id, columns.label_cells, columns.label_time
    kinds = {
        column: value_type(present[column].type) if column in present else pa.null() for column in (name, *labels, when)
    }
    no_ids = "rows are identified by file and row number, and repeats cannot be detected."
    no_times = "each label counts from the event time of its row."
    findings = []

    def holds_labels(kind: pa.DataType) -> bool:
        return can_hold_names(kind) or (columns.lists_labels and is_list(kind))

    if (name in columns.reference_types or name not in ROW_NAMES) and name not in present:
        findings.append(Finding(kind="column gone", feature=name, message=f"The column {name} is absent: {no_ids}"))
    if (when in columns.reference_types or when not in ROW_NAMES) and when not in present and labels[0] in present:
        findings.append(Finding(kind="column gone", feature=when, message=f"The column {when} is absent: {no_times}"))
    for column, holds, consequence in (
        (name, can_hold_names, f"names no row: {no_ids}"),
        *((label, holds_labels, "names no class: no label of it counts.") for label in labels),
        (when, can_hold_times, f"holds no times: {no_times}"),
    ):
        if not holds(kinds[column]):
            message = f"The column {column} is of type {kinds[column]}, which {consequence}"
            findings.append(Finding(kind="type changed", feature=column, message=message))
    return findings
