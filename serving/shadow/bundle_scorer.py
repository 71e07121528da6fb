"""Runs a bundle on rows of a traffic log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from monitoring.errors import BadInput, CannotRun
from monitoring.rollout.scoring import CandidateAnswers, Scorer
from monitoring.traffic.format.rows import INPUT
from serving.export.inputs.input_arrays import column_problem, groups_of_equal_size, to_array
from serving.export.inputs.model_inputs import ModelInput, input_of
from serving.models.runner import LoadError, Runner, ThreadSettings
from serving.models.signatures import Signature, TensorSpec
from serving.status import Failure

Array = np.ndarray[Any, Any]

#: Rows of a run: always as many, so that an answer does not depend on how rows are batched. The last batch of rows is
#: filled up with copies of its last row.
BATCH = 128


@final
class BundleScorer(Scorer):
    """A bundle's model. A `monitoring.rollout.scoring.Scorer` within this process; loads TensorFlow.

    Raises:
        CannotRun: the bundle cannot be loaded.
    """

    memory_bytes = 0

    def __init__(self, bundle: Path, *, threads: int = 1, allowed_operations: tuple[str, ...] = ()) -> None:
        self._bundle = bundle
        try:
            self._runner = Runner(bundle, threads=ThreadSettings(within=threads), allowed_operations=allowed_operations)
        except LoadError as failure:
            raise CannotRun(
                "The candidate cannot be loaded.",
                got=f"{bundle}: {failure}",
                expected="a bundle that `pitfalls export` wrote, or a SavedModel with its signatures",
                fix="Export the model again; or name another version with --candidate.",
            ) from failure

    @override
    def check(self, rows: pa.Table) -> None:
        for name in dict.fromkeys(rows["signature"].to_pylist()):
            signature = self._runner.signatures.get(name)
            if signature is None:
                raise BadInput(
                    "The candidate does not have the signature of the logged requests.",
                    got=f"signatures {', '.join(self._runner.signatures)}",
                    expected=name,
                    fix="Export the candidate with that signature; another signature is another model.",
                )
            for model_input in _inputs(signature):
                column = f"{INPUT}{model_input.name}"
                problem = "is not among them"
                if column in rows.column_names:
                    problem = column_problem(rows.filter(pc.equal(rows["signature"], name))[column], model_input)
                if problem:
                    logged = [each.removeprefix(INPUT) for each in rows.column_names if each.startswith(INPUT)]
                    raise BadInput(
                        "The candidate takes other inputs than the logged requests have.",
                        got=f"logged inputs {', '.join(logged)}",
                        expected=f"{model_input.name}, which {problem}",
                        fix="A rollout compares versions on the same inputs; serve the candidate as another model.",
                    )

    @override
    def score(self, rows: pa.Table, *, alone: bool = False) -> CandidateAnswers:
        signature = self._runner.signatures[rows["signature"][0].as_py()] if rows.num_rows else None
        if signature is None:
            return CandidateAnswers(outputs={}, answered=np.zeros(0, dtype=np.bool_))
        answers = _Answers(signature, rows.num_rows)
        inputs = _inputs(signature)
        columns = rows.select([f"{INPUT}{model_input.name}" for model_input in inputs]).rename_columns(
            [model_input.name for model_input in inputs]
        )
        for group in groups_of_equal_size(columns, inputs):
            step = 1 if alone else BATCH
            for first in range(0, group.size, step):
                self._run(signature, columns, group[first : first + step], answers, width=step)
        return answers.scored(alone=alone)

    def _run(
        self, signature: Signature, columns: pa.Table, places: np.ndarray[Any, Any], answers: _Answers, *, width: int
    ) -> None:
        """Run some rows in a batch of `width`; each by itself if the batch is refused."""
        filled = np.concatenate([places, np.full(width - places.size, places[-1])])
        begin = time.perf_counter()
        try:
            whole_rows = columns.take(pa.array(filled))
            arrays = {
                model_input.name: to_array(whole_rows[model_input.name], model_input)
                for model_input in _inputs(signature)
            }
            begin = time.perf_counter()
            values = self._runner.run(signature, arrays, tuple(signature.outputs))
        except (Failure, ValueError, pa.ArrowException) as error:
            if places.size == 1:
                answers.refuse(places, str(error))
                return
            for place in places:  # because of one row's values; the graph does not say which row
                self._run(signature, columns, np.array([place]), answers, width=width)
            return
        answers.put(places, values, round((time.perf_counter() - begin) * 1e6))

    def unanswered(self, rows: int) -> dict[str, dict[str, Array]]:
        """For each signature, the answers of rows that have none; a size that its signature leaves open is 1."""
        return {
            name: {output: _sized(spec, rows) for output, spec in signature.outputs.items()}
            for name, signature in self._runner.signatures.items()
        }

    @override
    def close(self) -> None:
        self._runner.close()


class _Answers:
    """Answers that come batch by batch."""

    def __init__(self, signature: Signature, rows: int) -> None:
        self._specs = signature.outputs
        self._rows = rows
        self._outputs: dict[str, Array] = {}
        self._answered = np.zeros(rows, dtype=np.bool_)
        self._run_us = np.zeros(rows, dtype=np.int64)
        self._reasons: dict[str, None] = {}

    def put(self, places: np.ndarray[Any, Any], values: dict[str, Array], run_us: int) -> None:
        """Keep the answers of some rows."""
        for name, value in values.items():
            if not value.ndim or len(value) < places.size:
                self.refuse(places, f"The output {name} has no row for each row.")
                return
        for name, value in values.items():
            rows = self._outputs.setdefault(name, unanswered(value, self._rows))
            if rows.shape[1:] != value.shape[1:]:
                self.refuse(places, f"The rows of the output {name} differ in shape.")
                return
        for name, value in values.items():
            self._outputs[name][places] = value[: places.size]
        self._answered[places] = True
        self._run_us[places] = run_us

    def refuse(self, places: np.ndarray[Any, Any], reason: str) -> None:
        """Some rows have no answer."""
        self._reasons[reason.splitlines()[0][:300] if reason else "no reason given"] = None
        self._answered[places] = False

    def scored(self, *, alone: bool) -> CandidateAnswers:
        """All of them. Outputs of a model that answered no row at all have the sizes of its signature."""
        outputs = self._outputs or {name: _sized(spec, self._rows) for name, spec in self._specs.items()}
        return CandidateAnswers(
            outputs=outputs,
            answered=self._answered,
            run_us=self._run_us if alone else None,
            reasons=tuple(self._reasons),
        )


def unanswered(like: Array, rows: int) -> Array:
    """A tensor of rows without an answer, of the type and size of another one's rows."""
    if like.dtype.kind == "O":
        return np.full((rows, *like.shape[1:]), b"", dtype=object)
    fill = np.nan if like.dtype.kind == "f" else 0
    return np.full((rows, *like.shape[1:]), fill, dtype=like.dtype)


def _sized(spec: TensorSpec, rows: int) -> Array:
    """The same by a signature; a size that is open counts as 1."""
    kind = spec.element.numpy or np.dtype(np.float32)
    return unanswered(np.empty((0, *(abs(size) for size in (spec.shape or ())[1:])), dtype=kind), rows)


def _inputs(signature: Signature) -> tuple[ModelInput, ...]:
    """The inputs as an export described them."""
    return tuple(input_of(spec) for spec in signature.inputs.values())
