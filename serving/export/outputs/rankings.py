"""Models that answer lists of ids: the outputs of ids and of their scores, and the labels of a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.ranking import Ranking
from monitoring.traffic.cells import class_names, decoded, is_list
from monitoring.traffic.tables.rows import listed
from serving.export.outputs.probabilities import EMBEDDING
from serving.export.reference_labels import is_string_type

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedOutput:
    """The output of ids, best first, that of their scores, if there is one, and how many a row has at most."""

    ids: str
    scores: str | None
    places: int

    @property
    def task(self) -> Ranking:
        """The task, which knows nothing of the answers yet."""
        return Ranking(places=self.places, scored=self.scores is not None)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that make the answer."""
        return (self.ids,) if self.scores is None else (self.ids, self.scores)


def find_ranked_output(
    answers: Mapping[str, Array], output: str | None = None, score: str | None = None
) -> RankedOutput:
    """Find the outputs of a model that answers ids.

    >>> find_ranked_output({"ids": np.zeros((5, 3), np.int64), "scores": np.zeros((5, 3), np.float32)})
    RankedOutput(ids='ids', scores='scores', places=3)

    Args:
        answers: Outputs by name, [n, …].

    Raises:
        BadInput: no output, or more than one, holds [n, k] whole numbers or texts; more than one holds as many numbers;
            or a named one holds something else.
    """
    lists = [name for name, value in answers.items() if _are_ids(value) and output in {None, name}]
    if len(lists) != 1:
        _refuse(answers, lists)
    ids = answers[lists[0]]
    width = ids.shape[1:]
    fitting = [
        name
        for name, value in answers.items()
        if value.dtype.kind == "f" and value.shape[1:] == width and name != EMBEDDING and score in {None, name}
    ]
    if len(fitting) > 1 or (score is not None and not fitting):
        raise BadInput(
            "Several outputs can be the scores of the ids." if fitting else "This output cannot be the scores of ids.",
            got=f"outputs {', '.join(fitting)}" if fitting else f"--score {score}, and outputs {_shapes(answers)}",
            expected=f"a number for each id of {lists[0]}: {list(width)}",
            fix=f"Name it: --score {fitting[0]}." if fitting else "Name the right output, or leave --score out.",
        )
    ranked = RankedOutput(ids=lists[0], scores=fitting[0] if fitting else None, places=width[0] if width else 1)
    ranked.task.check()
    return ranked


def lists_of_ids(answers: Mapping[str, Array]) -> tuple[str, ...]:
    """The outputs that may list several ids a row.

    >>> lists_of_ids({"ids": np.zeros((5, 3), np.int64), "label": np.zeros((5, 1), np.int64)})
    ('ids',)

    Args:
        answers: Outputs by name, [n, …].
    """
    return tuple(name for name, value in answers.items() if _are_ids(value) and value.shape[1] > 1)


def labels_of_ids(table: pa.Table, label: str) -> pa.ChunkedArray[Any] | None:
    """Labels that are ids as text, from which the task reads them.

    >>> labels_of_ids(pa.table({"clicked": [["a", "b"], ["c"], None]}), "clicked").to_pylist()
    ['a|b', 'c', None]

    Returns:
        Text [n], null where nothing is known; None without such a column.
    """
    if label not in table.column_names:
        return None
    cells = decoded(table[label])
    kind = cells.type.value_type if is_list(cells.type) else cells.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    values = pc.list_flatten(cells) if is_list(cells.type) else cells
    if not (is_string_type(kind) or pa.types.is_null(kind) or _are_whole(values)):
        raise BadInput(
            "The label of a ranking is not an id.",
            got=f"column {label} is {cells.type}",
            expected="the relevant id, or a list of them: text or whole numbers",
            fix="Name the right column with --label, or convert it to text.",
        )
    return pa.chunked_array([listed(cells) if is_list(cells.type) else class_names(cells)], pa.string())


def _are_ids(value: Array) -> bool:
    """Whether an output, [n, …], is a list of whole numbers or of texts."""
    return value.dtype.kind in "iuOSU" and value.ndim == 2


def _are_whole(values: pa.Array) -> bool:
    """Whether cells are whole numbers, though perhaps as floats, as a column with gaps is read."""
    if pa.types.is_floating(values.type):
        numbers = pc.drop_null(values).filter(pc.is_finite(pc.drop_null(values)))
        return bool(pc.all(pc.equal(numbers, pc.floor(numbers))).as_py() is not False)
    return bool(pa.types.is_integer(values.type))


def _shapes(answers: Mapping[str, Array]) -> str:
    kinds = {"O": "text", "S": "text", "U": "text"}
    return ", ".join(
        f"{name} {kinds.get(value.dtype.kind, value.dtype.name)} {list(value.shape[1:])}"
        for name, value in answers.items()
    )


def _refuse(answers: Mapping[str, Array], lists: Sequence[str]) -> NoReturn:
    raise BadInput(
        "Several outputs can be the answered ids." if lists else "No output is a list of ids.",
        got=f"outputs {_shapes(answers)}",
        expected="one output of k ids a row, whole numbers or text of the shape [k], best first",
        fix=f"Name it: --output {lists[0]}."
        if lists
        else "Of a model of scores keras.ops.top_k gives the places of the best, and StringLookup(invert=True) or "
        "IntegerLookup(invert=True) their ids.",
    )
