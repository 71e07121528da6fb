"""No loss known: where the numbers of a model's outputs lie is watched, and nothing is called right or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import Watch
from monitoring.tasks.row_operations import baseline_ranks
from monitoring.tasks.task import NO_LABEL, Floats, Task, WatchedOutput, Whole

if TYPE_CHECKING:
    import pyarrow as pa

#: Quantiles of the baseline's answers, on which ranks are measured.
KNOTS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsOnly(Task):
    """A model whose outputs are watched, while no loss is known.

    Answers are the numbers of its outputs, [n, width]. Any label is a label, but says nothing of a loss. Without an
    output, inputs are watched alone, and an answer is a 0.

    >>> task = OutputsOnly(watched=(WatchedOutput(name="tags", width=1),), knots=((0.0, 1.0, 2.0),))
    >>> {name: scores.tolist() for name, scores in task.outputs(np.array([[0.5], [9.0]])).items()}
    {'prediction:tags:location': [0.3333333333333333, 1.0], 'prediction:tags:spread': [0.33333333333333337, 1.0]}

    Attributes:
        knots: For each number, quantiles of the baseline's answers, in order.
    """

    watched: tuple[WatchedOutput, ...]
    knots: tuple[tuple[float, ...], ...] = ()
    classes: tuple[str, ...] = ()

    def fitted(self, answers: Floats, labels: Whole | None = None) -> OutputsOnly:
        """See `Task`: with the ranks of a baseline."""
        usable = answers[np.isfinite(answers).all(axis=1)]
        knots = np.quantile(usable, np.linspace(0, 1, KNOTS + 2)[1:-1], axis=0) if len(usable) else np.zeros((0, 0))
        return replace(self, knots=tuple(map(tuple, knots.T.tolist())))

    def document(self) -> dict[str, Any]:
        """The task as JSON, which `of` reads."""
        watched = [number.document() for number in self.watched]
        return {"watched": watched, "knots": [list(knot) for knot in self.knots]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> OutputsOnly:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        watched = tuple(map(WatchedOutput.of, document["watched"]))
        return cls(watched=watched, knots=tuple(map(tuple, document["knots"])))

    @property
    @override
    def number_names(self) -> tuple[str, ...]:
        return tuple(number for output in self.watched for number in output.numbers)

    @property
    @override
    def outputs_watched(self) -> tuple[WatchedOutput, ...]:
        return self.watched

    @property
    @override
    def is_made_of_outputs(self) -> bool:
        return True

    @property
    @override
    def width(self) -> int:
        return len(self.number_names) or 1

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: where each number lies among the baseline's, and how far from their middle."""
        return tuple(
            Watch(
                name=f"prediction:{number}:{place}",
                family="outputs",
                level="notice",
                needs_label=False,
                direction="both",
            )
            for number in self.number_names
            for place in ("location", "spread")
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: 0 for any text."""
        has_text = np.array([bool(word and word.strip()) for word in words.to_pylist()], dtype=np.bool_)
        return np.where(has_text, 0, NO_LABEL)

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """See `Task`: their codes, as a label says nothing here."""
        return labels

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: ranks among the baseline's answers, and their distance from the middle."""
        scores = {}
        for place, number in enumerate(self.number_names):
            ranks = baseline_ranks(answers[:, place], self.knots[place] if self.knots else ())
            scores[f"prediction:{number}:location"] = ranks
            scores[f"prediction:{number}:spread"] = np.abs(2.0 * ranks - 1.0)
        return scores

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the rank of the first number among the baseline's, in [0, 1]; 0 where there is none."""
        if not self.watched:
            return np.zeros(len(answers))
        return (self.outputs(answers) if outputs is None else outputs)[f"prediction:{self.number_names[0]}:location"]
