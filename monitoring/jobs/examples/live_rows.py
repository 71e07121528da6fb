"""Live rows as a person reads them: some by their ids, or the most typical ones of a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.jobs.examples.readable_inputs import image_files_of, readable
from monitoring.jobs.examples.typical_rows import most_typical
from monitoring.jobs.sources.log_source import LogSource
from monitoring.jobs.sources.read_scope import ReadScope
from monitoring.jobs.sources.table_source import TableSource
from monitoring.jobs.sources.traffic import open_traffic, with_labels
from monitoring.judging.window.bottom_k_sample import BottomKSample
from monitoring.tasks.registry import ranking_of
from monitoring.traffic.cells import decoded
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.ranked_ids import ids_by_code
from monitoring.traffic.windows import Window
from monitoring.watches.sampling import splitmix64
from monitoring.watches.scoring import slice_codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveRows:
    """Reads live rows.

    Attributes:
        judged: Reads them as the monitor does.
        shown: Reads them as a person does.
        labels: The labels, those of a prediction in order of arrival.
    """

    judged: LogSource | TableSource
    shown: LogSource | TableSource
    labels: pa.Table
    spec: BaselineSpec

    @classmethod
    def open(
        cls, config: MonitorConfig, baseline: Baseline, version: int, *, since: datetime, clock: Callable[[], datetime]
    ) -> LiveRows:
        """Open the traffic of a config. Cost: all labels are read.

        Raises:
            BadInput: The config names no traffic, or none that can be used.
        """
        specs = (replace(baseline.spec, embedding=None), readable(baseline.spec))
        judged, shown = (
            open_traffic(
                config, replace(baseline, spec=spec), version, clock=clock, scope=ReadScope(since=since, lean=True)
            )
            for spec in specs
        )
        labels = shown.labels() if isinstance(shown, LogSource) else shown.latest_labels()
        return cls(judged=judged, shown=shown, labels=labels, spec=baseline.spec)

    def some(self, ids: pa.Array, window: Window) -> Predictions:
        """The rows of a window with these ids, in their order, with their labels; those that are there."""
        predictions, _ = self.shown.rows(window).select(IdSet(ids))
        places = {name: place for place, name in enumerate(predictions.ids.to_pylist())}
        indices = [places[name] for name in ids.to_pylist() if name in places]
        return with_labels(predictions.take(np.array(indices, dtype=np.int64)), self._last_first(ids), self.spec.task)

    def _last_first(self, ids: pa.Array) -> pa.Table:
        """The labels of these predictions, the last to arrive first."""
        those = self.labels.filter(pc.is_in(self.labels["prediction_id"], value_set=ids.cast(pa.string())))
        return those.take(pa.array(np.arange(those.num_rows)[::-1]))

    def images(self, ids: pa.Array, window: Window) -> dict[str, tuple[bytes | None, ...]]:
        """The images of some rows of a window that are files, in the order of their ids, by column."""
        wanted = IdSet(ids)
        by_column = {name: self.judged.images(name, window, wanted) for name in image_files_of(self.spec)}
        return {name: tuple(map(files.get, ids.to_pylist())) for name, files in by_column.items()}

    def id_names(self, ids: pa.Array, window: Window) -> dict[int, str]:
        """Of a ranking the ids that some rows of a window were answered or have as labels, by their codes."""
        if ranking_of(self.spec.task) is None:
            return {}
        return self.judged.answered_ids(window, IdSet(ids)) | ids_by_code(decoded(self._last_first(ids)["label"]))

    def first_window(self, length: timedelta) -> Window | None:
        """The first window of some length in the traffic; None where there is no row."""
        spans = self.judged.spans(length)
        return Window(start=spans[0][0], end=spans[0][0] + length) if spans else None

    def typical(self, window: Window, part: str, most: int) -> Predictions:
        """The most typical rows of a slice of a window, at most so many, of a sample of its rows."""
        sample = BottomKSample()
        for batch in self.judged.rows(window).batches():
            sample.add(batch, splitmix64(batch.event_times), in_slice(batch.features, part))
        rows = sample.rows(no_predictions(self.spec))
        return self.some(rows.ids.take(pa.array(most_typical(rows.features, most))), window)


def in_slice(inputs: pa.Table, part: str) -> NDArray[np.bool_] | None:
    """Which rows are in a slice of an input.

    Args:
        part: The slice, `COLUMN=VALUE`.

    Returns:
        [n]; None for all of them, as where the slice is of classes, or there is none.

    >>> in_slice(pa.table({"shop": ["north", "south"]}), "shop=south").tolist()
    [False, True]
    """
    column, _, value = part.partition("=")
    if column not in inputs.column_names:
        return None
    return np.asarray(slice_codes(inputs[column], (value,)) == 0, dtype=np.bool_)
