"""Evidently's drift of the error and of the highest probability, by population stability index."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

from ..streams import Reference, Rows, Window

TITLE = "Evidently, drift of error and confidence"
LEVELS = tuple(np.geomspace(0.01, 10.0, 200).tolist())
TUNED_YEARS = 1.0
NAMES = DataDefinition(numerical_columns=["confidence"], categorical_columns=["error"])


def dataset(rows: Rows) -> Dataset:
    """Confidence and error of labelled rows."""
    columns = {"confidence": rows.scores.max(axis=1), "error": rows.errors.astype(int).astype(str)}
    return Dataset.from_pandas(pd.DataFrame(columns), data_definition=NAMES)


@lru_cache(maxsize=4)
def drift(reference: Reference, windows: tuple[Window, ...]) -> list[float]:
    """The larger index of each window; 0 for a window of fewer than ten labels."""
    report = Report([ValueDrift(column=name, method="psi") for name in ("confidence", "error")])
    known, found = dataset(Rows.joined([window.labelled for window in reference.windows])), []
    for window in windows:
        is_enough = len(window.labelled.label) >= 10
        told = report.run(dataset(window.labelled), known).dict()["metrics"] if is_enough else []
        found.append(max((float(metric["value"]) for metric in told), default=0.0))
    return found


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether either index of each window reaches the level."""
    return [value >= level for value in drift(reference, windows)]
