"""Tables of models with several outputs: the columns of each, with a label of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_objects import texts_of_outputs
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import OutputTask
from monitoring.traffic.tables.answers import as_list_column
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import LoadedPiece, check_labels, check_scores, classes_of
from monitoring.traffic.tables.tasks.numbers import check_numbers, inferred_task

EXAMPLE = "--label kind=was_kind,price=paid --score kind=p_a,p_b --predicted price=price"


def outputs_named(arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The columns of each output as settings, and its `classes`, from names by output.

    >>> outputs_named({"label": {"price": "paid"}, "predicted": {"price": "price"}})
    {'price': {'predicted': 'price', 'label': 'paid', 'classes': ()}}

    Args:
        arguments: The four, each a name or names by output; those not needed may be absent or empty. No `task`.
    """
    if arguments.get("task") is not None:
        raise BadInput(
            "Several outputs are no one task.",
            got=f"--task {arguments['task']}",
            expected="probabilities (--score) or a predicted class or number (--predicted) for each output",
            fix="Leave --task out.",
        )
    mappings = {key: arguments[key] for key in ("scores", "predicted", "classes") if arguments.get(key)}
    plain = [key for key, value in mappings.items() if not isinstance(value, Mapping)]
    names = {
        key: {name: _names(value) for name, value in by_output.items()}
        for key, by_output in mappings.items()
        if isinstance(by_output, Mapping)
    }
    labels = {name: _names(value) for name, value in arguments["label"].items()}
    strange = [name for by_output in names.values() for name in by_output if name not in labels]
    if plain or strange or any(len(label) != 1 for label in labels.values()) or not all(labels):
        raise BadInput(
            "Labels, answers and classes of several outputs are named by output.",
            got=f"{', '.join(plain)} of no output" if plain else f"outputs {', '.join((*labels, *strange))}",
            expected="OUTPUT=COLUMN, one label for each output, and no answer of another output",
            fix=f"For example {EXAMPLE}.",
        )
    outputs: dict[str, dict[str, Any]] = {}
    for name, (label,) in labels.items():
        scores, predicted = (names.get(key, {}).get(name, ()) for key in ("scores", "predicted"))
        if bool(scores) == bool(predicted) or len(predicted) > 1:
            raise BadInput(
                f"The answer of output {name} is not one.",
                got=", ".join((*scores, *predicted)) or "no column",
                expected="either its probabilities (--score), or its predicted class or number (--predicted)",
                fix=f"For example {EXAMPLE}.",
            )
        answer = {"predicted": predicted[0]} if predicted else {"scores": scores}
        outputs[name] = {**answer, "label": label, "classes": names.get("classes", {}).get(name, ())}
    return outputs


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def with_outputs(pieces: Sequence[LoadedPiece], columns: TableColumns, class_slices: Sequence[str]) -> TableColumns:
    """The columns with what each output is judged by: classes, or a number."""
    if class_slices:
        raise BadInput(
            "Losses of several outputs are not watched by class.",
            got=f"--class-slices {','.join(class_slices)}",
            expected="no --class-slices",
            fix="Leave it out.",
        )
    outputs = {}
    for name, output in columns.outputs.items():
        if not name.strip() or ":" in name or not name.isprintable():
            raise BadInput(
                "An output's name is text without a colon.",
                got=repr(name),
                expected="a name such as price",
                fix=f"For example {EXAMPLE}.",
            )
        with naming(name):
            outputs[name] = _judged(pieces, output)
    return columns.replaced(outputs=outputs)


def _judged(pieces: Sequence[LoadedPiece], output: TableColumns) -> TableColumns:
    """The columns of one output with its classes, or without where it is a number."""
    check_labels(pieces, output.label)
    plain = output.replaced(classes=())
    if output.predicted is not None and inferred_task(pieces, plain, output.classes) == "regression":
        check_numbers(pieces, plain, (), ())
        return plain
    output_columns = output.replaced(classes=classes_of(pieces, plain, output.classes))
    check_scores(pieces, output_columns)
    return output_columns


@contextmanager
def naming(output: str) -> Iterator[None]:
    """Name an output in what is wrong with its columns; without a name, nothing."""
    try:
        yield
    except BadInput as error:
        if not output:
            raise
        what = f"Output {output}: {error.what[:1].lower()}{error.what[1:]}"
        fix = error.fix.replace("--classes ", f"--classes {output}=")
        raise BadInput(what, got=error.got, expected=error.expected, fix=fix) from error


def output_tasks(columns: TableColumns) -> SeveralTasks | None:
    """What each output is judged by; None of a table without several."""
    if not columns.outputs:
        return None
    return SeveralTasks(outputs_judged=tuple(_task(name, output) for name, output in columns.outputs.items()))


def _task(name: str, output: TableColumns) -> OutputTask:
    if not output.classes:
        return OutputTask(output=name, task=Regression(), numbers=1)
    task = Classification(classes=output.classes, has_probabilities=output.predicted is None)
    return OutputTask(output=name, task=task, numbers=output.width)


def by_output(table: pa.Table, columns: TableColumns) -> Iterator[tuple[str, pa.Table, TableColumns]]:
    """Rows of a table as they are to each output; as they are, without a name, where there are not several."""
    if not columns.outputs:
        yield "", table, columns
        return
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    labels = texts_of_outputs(table["label"], tuple(columns.outputs))
    first = 0
    for (name, output), label in zip(columns.outputs.items(), labels, strict=True):
        list_column = as_list_column(answers[:, first : first + output.width])
        first += output.width
        yield name, pa.table({"probabilities": list_column, "label": label}), output
