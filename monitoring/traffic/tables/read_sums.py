"""What was found while rows were read, in numbers that add up, so that it is decided on all rows of a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from monitoring.records import Finding
from monitoring.records.finding_parts import AbsentAnswers
from monitoring.traffic.tables.answers import no_answer_findings
from monitoring.traffic.tables.column_findings import unreadable_cells
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.row_batches import RowBatch
from monitoring.traffic.tables.rows import label_time_findings

_Key = TypeVar("_Key")

#: What is wrong with a number all of whose cells in a text file are something else.
ALL_TEXT = "type changed to text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSums:
    """What was found about some rows that count, and about the files that they are in.

    >>> found = ReadSums(rows=1, problems={("age", "absent"): 1}) + ReadSums(rows=2)
    >>> found.rows, found.input_problems()
    (3, ())

    Attributes:
        without_answer: by column of the answer and the new column that it may be, rows in files without it.
        problems: by input and what is wrong with it in the file, rows of such files.
        invalid_label_times: labels with a time that is none.
        columns: findings about the columns and lines of files, by kind and column; of several files, the last one's.
    """

    rows: int = 0
    repeats: int = 0
    unusable: int = 0
    without_answer: Mapping[tuple[str, str], int] = field(default_factory=dict)
    problems: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    invalid_label_times: int = 0
    columns: Mapping[tuple[str, str], Finding] = field(default_factory=dict)

    @classmethod
    def of(cls, batch: RowBatch, repeats: int) -> ReadSums:
        """The sums of a batch, whose file's findings are not known before its end."""
        if not len(batch):
            return cls(repeats=repeats)
        unusable = 0
        if np.isnan(batch.probabilities.sum()):
            unusable = int(np.isnan(batch.probabilities).any(axis=1).sum())
        unreadable = {name: int(mask.sum()) for name, mask in batch.unreadable.items()}
        invalid = batch.invalid_label_times
        return cls(
            rows=len(batch),
            repeats=repeats,
            unusable=unusable,
            without_answer=dict.fromkeys(batch.absent_answers.items(), len(batch)),
            problems={(name, problem): len(batch) for name, problem in batch.input_problems().items()},
            unreadable={name: count for name, count in unreadable.items() if count},
            invalid_label_times=0 if invalid is None else int(invalid.sum()),
        )

    def __add__(self, other: ReadSums) -> ReadSums:
        return ReadSums(
            rows=self.rows + other.rows,
            repeats=self.repeats + other.repeats,
            unusable=self.unusable + other.unusable,
            without_answer=_added(self.without_answer, other.without_answer),
            problems=_added(self.problems, other.problems),
            unreadable=_added(self.unreadable, other.unreadable),
            invalid_label_times=self.invalid_label_times + other.invalid_label_times,
            columns={**self.columns, **other.columns} if other.columns else self.columns,
        )

    def found_in_files(self) -> dict[str, str]:
        """Inputs that are absent or of another type in some file, with what is wrong with each."""
        return {name: problem for name, problem in self.problems if self._counts(name, problem)}

    def input_problems(self) -> tuple[tuple[str, str], ...]:
        """Inputs that are absent or of another type in every row, with what is wrong with each."""
        by_input: dict[str, int] = {}
        for (name, problem), rows in self.problems.items():
            if self._counts(name, problem):
                by_input[name] = by_input.get(name, 0) + rows
        words = {name: [problem for other, problem in self.problems if other == name] for name in by_input}
        return tuple(
            (name, words[name][0] if len(words[name]) == 1 else "; ".join(sorted(words[name])))
            for name, rows in by_input.items()
            if rows == self.rows
        )

    def findings(self, columns: TableColumns, between: tuple[Finding, ...] = ()) -> tuple[Finding, ...]:
        """What is to be said of the rows: a fact only where it is one of all of them.

        Returns:
            Of answers, inputs of some rows, columns, `between`, cells and label times.
        """
        findings = [*self._of_answers(columns), *self._of_inputs(), *self.columns.values(), *between]
        if self.unusable:
            message = f"{self.unusable} of {self.rows} rows have no answer that is a probability or a known class."
            findings.append(Finding(kind="unusable answers", feature="", message=message))
        findings += unreadable_cells(self.unreadable, columns.described)
        return (*findings, *label_time_findings(columns.label_time, self.invalid_label_times))

    def _of_answers(self, columns: TableColumns) -> tuple[Finding, ...]:
        absent: dict[str, int] = {}
        for (name, _), rows in self.without_answer.items():
            absent[name] = absent.get(name, 0) + rows
        like = {name: max(new for other, new in self.without_answer if other == name) for name in absent}
        gone = tuple(
            Finding(
                kind="column gone",
                feature=name,
                fact=rows == self.rows,
                parts=AbsentAnswers(rows=rows, of=self.rows, like=like[name]),
            )
            for name, rows in absent.items()
        )
        if any(finding.fact for finding in gone):
            return gone
        return (*gone, *(no_answer_findings(columns, self.rows, self.unusable) if columns.answer else ()))

    def _of_inputs(self) -> tuple[Finding, ...]:
        whole = dict(self.input_problems())
        return tuple(
            Finding(
                kind="column gone" if problem == "absent" else "type changed",
                feature=name,
                message=_absent(name, rows, self.rows)
                if problem == "absent"
                else f"The input {name} is missing in {rows} of {self.rows} rows, in whose files its {problem}.",
            )
            for (name, problem), rows in self.problems.items()
            if name not in whole and problem != ALL_TEXT
        )

    def _counts(self, name: str, problem: str) -> bool:
        """Whether a problem is one: cells of a text file without a number are only missing, if none of them is text."""
        return problem != ALL_TEXT or self.unreadable.get(name, 0) > 0


def _absent(name: str, rows: int, of: int) -> str:
    return f"The column {name} is absent." if rows == of else f"The column {name} is absent in {rows} of {of} rows."


def _added(some: Mapping[_Key, int], others: Mapping[_Key, int]) -> Mapping[_Key, int]:
    if not others:
        return some
    return {key: some.get(key, 0) + others.get(key, 0) for key in (*some, *(key for key in others if key not in some))}
