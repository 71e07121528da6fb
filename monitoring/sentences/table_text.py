"""Findings about tables and their files in sentences, of their parts."""

from __future__ import annotations

from monitoring.records.finding_parts import (
    AbsentAnswers,
    LostLines,
    NoAnswers,
    NoTimes,
    RepeatedIds,
    SchemaAnomaly,
    TableParts,
)


def table_text(feature: str, parts: TableParts) -> str:
    """What is wrong with a table, or its files.

    >>> table_text("p", AbsentAnswers(rows=2, of=4))
    'The column p is absent in 2 of 4 rows.'
    """
    match parts:
        case NoAnswers() as none:
            return f"The column {', '.join(none.columns)} holds {_form(none)} in none of {none.rows} rows."
        case AbsentAnswers() as absent:
            return _absent_answers(feature, absent)
        case NoTimes(file=file, problem=problem):
            state = f"of {file} holds no times ({problem})" if problem else f"is absent in {file}"
            return f"The column {feature} {state}: its rows belong to no window."
        case LostLines() as lost:
            return _lost_lines(lost)
        case RepeatedIds(rows=rows):
            return f"{rows:,} rows repeat the id of another with other inputs; the first row of each id counts."
        case SchemaAnomaly(description=description):
            return description


def _form(none: NoAnswers) -> str:
    if none.form == "outputs":
        return f"an answer of each of {', '.join(none.outputs)}"
    if none.form == "number" and none.width > 1:
        return f"{none.width} numbers"
    return {"ids": "ids", "probability": "a probability", "class": "a class", "number": "a number"}[none.form]


def _absent_answers(feature: str, absent: AbsentAnswers) -> str:
    where = "" if absent.rows == absent.of else f" in {absent.rows} of {absent.of} rows"
    advice = f" It may be {absent.like} under another name: name that in the [traffic] section, or rename the column."
    return f"The column {feature} is absent{where}.{advice if absent.like else ''}"


def _lost_lines(lost: LostLines) -> str:
    where = f", from line {lost.first_line:,} on" if lost.first_line else ""
    records = "one record" if lost.records == 1 else f"{lost.records:,} records, one of {lost.longest:,} lines"
    others = f" So are lines of {lost.other_files} other files." if lost.other_files else ""
    return f'{lost.lines:,} lines of {lost.file} are lost in {records}{where}: a quote (") there is unbalanced.{others}'
