"""How many rows wait for a label of a person, without reading them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from monitoring.asking.ask import labels_root
from monitoring.config import MonitorConfig
from monitoring.errors import PitfallsError
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.asked_rows import AskedRows
from monitoring.traffic.labels.label_log import LabelLog


def rows_without_label(config: MonitorConfig | None, now: datetime) -> int:
    """How many rows were drawn, may still get a label that counts, and have none in the label log.

    Returns:
        0 also where there is no budget, or something cannot be read. Cost: the latest draws, and all labels.
    """
    if config is None or config.labels.budget is None or config.windows.by_batch:
        return 0
    first = now - config.windows.label_horizon
    try:
        root = labels_root(config)
        draws = AskedRows(root, config.name).latest(first)
        if not draws:
            return 0
        ids = pa.concat_arrays([draw.ids.filter(pa.array(draw.event_times > as_microseconds(first))) for draw in draws])
        labelled = LabelLog(root).latest(ids)["prediction_id"].unique()
    except PitfallsError:
        return 0
    return len(ids) - len(labelled)
