"""A window's predictions out of the traffic log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import NO_LABEL, Predictions, label_indices, microseconds, predictions_from
from monitoring.config import MonitorConfig
from monitoring.traffic.log import TrafficLog, flatten_scalars
from monitoring.traffic.windows import Window

_REPEATS = b"pitfalls.repeats"
_ROW = ("prediction_id", "event_time")


class PredictionReader:
    """Reads one version's predictions, window by window, as the baseline declares its inputs."""

    def __init__(self, config: MonitorConfig, baseline: Baseline, version: int) -> None:
        self.log = TrafficLog(config.traffic.path)
        self.model = config.model.name
        self.version = version
        self._output = f"output:{config.model.probabilities}"
        self._spec = baseline.spec

    def read(self, window: Window) -> tuple[Predictions, int]:
        """The predictions answered in the window, without labels, and how many repeats were dropped from them."""
        table = self.log.read(model=self.model, version=self.version, start=window.start, end=window.end)
        repeats = int((table.schema.metadata or {}).get(_REPEATS, b"0"))
        flat = flatten_scalars(table)
        if flat.num_rows == 0 and self._output not in flat.column_names:
            flat = flat.append_column(self._output, pa.array([], pa.list_(pa.float64())))
        # An input goes by its own name; outputs keep their prefix, so that neither can stand for the other.
        plain = {name.removeprefix("input:"): flat[name] for name in flat.column_names if name in _ROW or ":" in name}
        return predictions_from(pa.table(plain), self._spec, probabilities=self._output), repeats

    def with_labels(self, predictions: Predictions, labels: pa.Table) -> Predictions:
        """The predictions with whatever label has come for them by now (`labels` has one row per prediction)."""
        places = pc.index_in(predictions.ids, labels["prediction_id"].combine_chunks())
        found = np.asarray(places.is_valid(), dtype=np.bool_)
        rows = np.asarray(pc.fill_null(places, 0), dtype=np.int64)
        indices, times = label_indices(labels["label"], self._spec.classes), microseconds(labels["label_time"])
        if indices.size == 0:
            return predictions
        return predictions.labelled(np.where(found, indices[rows], NO_LABEL), np.where(found, times[rows], 0))
