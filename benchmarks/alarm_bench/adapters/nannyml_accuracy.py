"""Realised accuracy of NannyML, in the standard deviations of its own threshold."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from nannyml import PerformanceCalculator

from ..streams import Floats, Reference, Window

TITLE = "NannyML, realised accuracy"
LEVELS = tuple(np.geomspace(1.0, 30.0, 100).tolist())
TUNED_YEARS = 1.0


@lru_cache(maxsize=4)
def fallen(reference: Reference, windows: tuple[Window, ...]) -> Floats:
    """How far each window's accuracy lies below the reference's mean; 0 for windows without labels."""
    known, now = frame(reference.windows), frame(windows)
    scores = {at: f"score {at}" for at in range(len(reference.classes))}
    names = {"y_true": "y", "y_pred": "hat", "y_pred_proba": scores, "timestamp_column_name": "day"}
    kind = {"problem_type": "classification_multiclass", "metrics": ["accuracy"], "chunk_period": "D"}
    asked = PerformanceCalculator(**names, **kind).fit(known.assign(**dict.fromkeys(scores.values(), 0.5)))
    told = asked.calculate(now.assign(**dict.fromkeys(scores.values(), 0.5))).to_df()
    accuracy, period = told["accuracy", "value"].to_numpy(dtype=float), told["chunk", "period"]
    mean, lower = np.nanmean(accuracy[period == "reference"]), asked.metrics[0].lower_threshold_value
    found = np.zeros(len(windows))
    found[np.unique(now["at"])] = (mean - accuracy[period == "analysis"]) / ((mean - lower) / 3.0)
    return found


def frame(windows: tuple[Window, ...]) -> pd.DataFrame:
    """Labelled rows; a day stands for a window."""
    parts = [(at, window.labelled) for at, window in enumerate(windows)]
    rows = [pd.DataFrame({"at": at, "y": part.label, "hat": part.scores.argmax(axis=1)}) for at, part in parts]
    table = pd.concat(rows, ignore_index=True)
    return table.assign(day=pd.Timestamp("2000-01-01") + pd.to_timedelta(table["at"], unit="D"))


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether the accuracy of each window is so many standard deviations below the reference's."""
    return [bool(value >= level) for value in fallen(reference, windows)]
