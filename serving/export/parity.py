"""Parity of the exported model and the Keras model: the same rows through both, every signature and output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import CannotRun
from serving.export.keras_model import Columns, KerasModel, tensors_of
from serving.export.saved_model import (
    EXAMPLES,
    EXAMPLES_INPUT,
    EXPLAIN,
    layer_at_fault,
    served_outputs,
    takes_examples,
    write_examples,
)
from serving.models.operations.graph_check import refusals
from serving.models.runner import ANY_OPERATION, Runner
from serving.models.signatures import DEFAULT_SIGNATURE

Array = np.ndarray[Any, Any]

# Appended to the reference's rows by `serving.export.reference_table.sample`.
EDGE_ROWS = 2
TOLERANCE = 1e-5
ROWS_SHOWN = 3
COLUMNS_SHOWN = 5
TEXT_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TriedRows:
    """What the author's model answers.

    Attributes:
        rows: The rows that are kept, by input.
        answers: Its outputs for them by name, [n, …].
        remarks: On rows of the reference that were not kept.
    """

    rows: Columns
    answers: dict[str, Array]
    remarks: tuple[str, ...] = ()


def try_rows(model: KerasModel, rows: Columns) -> TriedRows:
    """Run the author's model on rows, eagerly.

    The last two rows, with everything missing and with unseen categories, are left out if the model refuses them. Rows
    with an answer of NaN are left out unless all are: whether a missing value gives NaN or a number then depends on
    the kernels (a fused Dense and ReLU gives 0, each by itself NaN).

    Raises:
        CannotRun: the model fails on the other rows, too, or mixes rows.
    """
    first, failed = "", Exception()
    for fewer in (0, EDGE_ROWS):
        fewer_rows = {name: column[: len(column) - fewer] for name, column in rows.items()}
        try:
            answers = {
                name: np.asarray(value)
                for name, value in model.call_original(tensors_of(model.inputs, fewer_rows)).items()
            }
        except Exception as error:  # noqa: BLE001 - whatever the author's model raises; named and passed on
            message = (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
            first = f"{layer_at_fault(error)} {message}".strip()
            failed = error
        else:
            return _with_numbers(model, fewer_rows, _by_row(answers, fewer_rows), EDGE_ROWS - fewer)
    raise CannotRun(
        "The Keras model itself fails on the rows it was tried on.",
        got=first,
        expected="an answer to each row",
        fix="Give rows that it takes: --reference TABLE, with values as the model was trained on.",
    ) from failed


def _with_numbers(model: KerasModel, rows: Columns, answers: dict[str, Array], edges: int) -> TriedRows:
    """The rows without an answer of NaN, with a remark on those that are not of the last `edges`."""
    missing = np.zeros(len(next(iter(rows.values()))), np.bool_)
    for answer in answers.values():
        if answer.dtype.kind == "f":
            missing |= _has_nan(answer)
    if missing.all() or not missing.any():
        return TriedRows(rows=rows, answers=answers)
    own = missing[: len(missing) - edges]
    shares = f"{int(own.sum())} of {len(own)} rows that were tried{_missing_in(model, rows, own)}"
    remark = (
        f"The Keras model answers NaN to {shares}; a server may answer NaN or any number there. "
        "Fill missing values inside the model, as for its training."
    )
    return TriedRows(
        rows={name: column[~missing] for name, column in rows.items()},
        answers={name: answer[~missing] for name, answer in answers.items()},
        remarks=(remark,) if own.any() else (),
    )


def _has_nan(values: Array) -> NDArray[np.bool_]:
    """Which rows have a value that is NaN, of shape [n, …]."""
    return np.asarray(np.isnan(values).any(axis=tuple(range(1, values.ndim))), dtype=np.bool_)


def _missing_in(model: KerasModel, rows: Columns, among: NDArray[np.bool_]) -> str:
    """The numbers that are missing in some rows, with how often: ` (missing: age in 9)`."""
    counts = {
        model.plan.columns[one.name]: int((_has_nan(rows[one.name][: len(among)]) & among).sum())
        for one in model.inputs
        if one.is_float and one.dtype != "string"
    }
    listed = [f"{name} in {count}" for name, count in counts.items() if count][:COLUMNS_SHOWN]
    return f" (missing: {', '.join(listed)})" if listed else ""


def _by_row(answers: dict[str, Array], rows: Columns) -> dict[str, Array]:
    """The answers, checked to have one for each row."""
    count = len(next(iter(rows.values())))
    wrong = [f"{name} {list(value.shape)}" for name, value in answers.items() if value.shape[:1] != (count,)]
    if wrong:
        raise CannotRun(
            "The Keras model does not give one answer per row.",
            got=f"{', '.join(wrong)} for {count} rows",
            expected=f"outputs whose first dimension is {count}",
            fix="Look for an operation along the first axis, such as keras.ops.concatenate without axis=-1, or a mean.",
        )
    return answers


def check_parity(model: KerasModel, folder: Path, rows: Columns) -> tuple[str, ...]:
    """Load the SavedModel as a server does, and compare its answers with those of the author's model, run eagerly.

    Returns:
        Remarks on the exported model: what a server must be told to load it.
    """
    tensors = tensors_of(model.inputs, rows)
    expected = {name: np.asarray(value) for name, value in model.call_original(tensors).items()}
    worst: Difference | None = None
    runner = Runner(folder, allowed_operations=(ANY_OPERATION,))
    try:
        for signature, feeds in _calls(model, rows, tensors):
            served_signature = runner.signatures[signature]
            wanted = model.outputs if signature == EXPLAIN else served_outputs(model)
            if set(served_signature.outputs) != set(wanted):
                _refuse(f"outputs {sorted(served_signature.outputs)} of {signature}", f"outputs {sorted(wanted)}")
            answers = runner.run(served_signature, feeds, wanted)
            for output in wanted:
                difference = Difference.of(output, signature, answers[output], expected[output])
                worst = difference if worst is None or difference.largest > worst.largest else worst
        refused = refusals(runner.meta_graph)
    finally:
        runner.close()
    if worst is not None and worst.largest > TOLERANCE:
        _refuse(worst.describe(rows), f"at most {TOLERANCE:g}")
    flags = " ".join(f"--allow-op {operation}" for operation, _ in refused)
    return (f"A server loads it only with {flags}, since it does more than compute.",) if refused else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the exported model's answers of one output are from the author's model's."""

    output: str
    signature: str
    largest: float
    got: Array
    expected: Array

    @classmethod
    def of(cls, output: str, signature: str, got: Array, expected: Array) -> Difference:
        """Compare two arrays of answers."""
        return cls(
            output=output, signature=signature, largest=max_difference(got, expected), got=got, expected=expected
        )

    def describe(self, rows: Columns) -> str:
        """Name the output and the first rows that differ, with inputs and both answers."""
        sentence = f"output {self.output} of {self.signature}, which differs by up to {self.largest:.3g}"
        if self.got.shape != self.expected.shape or self.got.dtype != self.expected.dtype:
            kinds = (f"{each.dtype} {list(each.shape)}" for each in (self.got, self.expected))
            return f"{sentence}: {' instead of '.join(kinds)}"
        pairs = zip(self.got, self.expected, strict=True)
        wrong = [row for row, (got, expected) in enumerate(pairs) if _differs(got, expected)]
        shown = "; ".join(
            f"row {row} {_short({name: column[row] for name, column in rows.items()})} gives {_short(self.got[row])} "
            f"instead of {_short(self.expected[row])}"
            for row in wrong[:ROWS_SHOWN]
        )
        return f"{sentence}, in {len(wrong)} of {len(self.got)} rows: {shown}"


def _differs(got: Any, expected: Any) -> bool:
    return max_difference(np.asarray(got), np.asarray(expected)) > TOLERANCE


def _short(value: Any) -> str:
    text = ", ".join(f"{name}: {_short(part)}" for name, part in value.items()) if isinstance(value, dict) else ""
    if not text:
        text = np.array2string(np.asarray(value), threshold=6, precision=6, separator=", ").replace("\n", "")
    return text if len(text) <= TEXT_SHOWN else text[:TEXT_SHOWN] + "…"


def max_difference(got: Array, expected: Array) -> float:
    """The largest difference, relative to the expected value where that is beyond 1.

    NaN equals NaN; values other than numbers are equal or infinitely different.

    >>> max_difference(np.array([1.0, 200.0, np.nan]), np.array([1.0, 100.0, np.nan]))
    1.0

    Returns:
        The difference; inf if shapes or types differ.
    """
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if got.dtype.kind != "f":
        return 0.0 if np.array_equal(got, expected) else float("inf")
    with np.errstate(invalid="ignore"):  # infinity minus infinity, which the next lines replace
        gap = np.abs(got.astype(np.float64) - expected) / np.maximum(1.0, np.abs(expected))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    gap = np.where(same, 0.0, np.where(np.isfinite(gap), gap, np.inf))
    return float(gap.max(initial=0.0))


def _calls(model: KerasModel, rows: Columns, tensors: dict[str, Any]) -> Iterator[tuple[str, dict[str, Array]]]:
    feeds = {name: tensor.numpy() for name, tensor in tensors.items()}
    yield DEFAULT_SIGNATURE, feeds
    yield EXPLAIN, feeds
    if takes_examples(model):
        yield EXAMPLES, {EXAMPLES_INPUT: np.array(write_examples(model.inputs, rows), object)}


def _refuse(got: str, expected: str) -> NoReturn:
    raise CannotRun(
        "The exported model answers differently from the Keras model, so it was not published.",
        got=got,
        expected=expected,
        fix="Look for a layer that draws random numbers at inference, or has Python code that runs only when traced.",
    )
