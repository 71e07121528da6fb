"""The columns that rules read: inputs, and by the table's own names its ids, event times and scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from monitoring.baseline.batch import Batch
from monitoring.baseline.profile import Bins
from monitoring.errors import BadInput
from monitoring.traffic.cells import nan_as_null

#: The column of event times, and that of ids, whatever the table calls them.
EVENT_TIME = "event_time"
PREDICTION_ID = "prediction_id"

#: Names that an error lists.
_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleColumns:
    """What a table calls its columns beside the inputs.

    Attributes:
        event_time: Its event times.
        prediction_id: Its ids.
        scores: Its scores, or the numbers that it predicts, in the order of the answers.
        labels: Its labels and their times, which no rule reads.
    """

    event_time: str = EVENT_TIME
    prediction_id: str = PREDICTION_ID
    scores: Sequence[str] = field(default=())
    labels: Collection[str] = field(default=())

    def read(self, batch: Batch, name: str) -> pa.ChunkedArray:
        """A column with nulls for all that is missing; text as plain text. Raises KeyError where it is gone."""
        if name in batch.features.column_names:
            return _with_nulls(batch.features[name])
        if name in {PREDICTION_ID, self.prediction_id}:
            return pa.chunked_array([batch.ids(np.arange(len(batch)))])
        if name in {EVENT_TIME, self.event_time}:
            return pa.chunked_array([pa.array(batch.event_times).cast(pa.timestamp("us", "UTC"))])
        if name not in self.scores:
            raise KeyError(name)
        place = [*self.scores].index(name) - len(self.scores)  # the score of two classes is that of the last
        return _with_nulls(pa.chunked_array([pa.array(batch.probabilities[:, place])]))

    def samples(self, bins: Sequence[Bins]) -> dict[str, pa.Array]:
        """Some values of every column that a rule may read: of a category the commonest, as the baseline has them."""
        inputs = {
            each.feature: pa.array(each.categories or [""]) if each.edges is None else pa.array([1.0]) for each in bins
        }
        times = dict.fromkeys((EVENT_TIME, self.event_time), pa.array([0], pa.timestamp("us", "UTC")))
        ids = dict.fromkeys((PREDICTION_ID, self.prediction_id), pa.array([""]))
        return {**times, **ids, **dict.fromkeys(self.scores, pa.array([1.0])), **inputs}

    def refusal(self, rule: str, name: str, samples: Mapping[str, pa.Array]) -> BadInput:
        """The error of a rule about a column that no rule can read, by why it cannot."""
        made = [other for other in samples if other.startswith(f"{name}.")]
        if name in self.labels:
            why, fix = "labels", "Remove it: shares, contradictions and arrival of labels are watched by themselves."
            expected = "a column that is there when a window is judged; labels may come later"
        elif made:
            why, fix = "a column of which only parts are watched", "Name one of these in the [[rule]] section."
            expected = ", ".join(made[:_LISTED])
        else:
            why, fix = "a column that is not watched", "Correct the [[rule]] section."
            expected = ", ".join([*samples][:_LISTED]) + (", …" if len(samples) > _LISTED else "")
        return BadInput(f"The rule {rule!r} is about {why}.", got=name, expected=expected, fix=fix)


#: Those of a table that calls its ids and times as a traffic log does.
USUAL_NAMES = RuleColumns()


def _with_nulls(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return nan_as_null(column)
