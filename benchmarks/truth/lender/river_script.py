"""Run by `peers` in the environment of river: STREAMS ALARMS; ADWIN on rows' errors, Page-Hinkley on daily losses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

#: Settings tried, from many false alarms to few: ADWIN's confidence, and Page-Hinkley's threshold.
ADWIN_DELTAS = (1e-1, 1e-2, 1e-4, 1e-7)
PAGE_HINKLEY_THRESHOLDS = (4.0, 6.0, 8.0, 10.0, 13.0, 17.0)
PAGE_HINKLEY_DELTA = 0.25


def adwin_days(days: np.ndarray, delta: float) -> list[bool]:
    """Days of one stream, errors [days, rows], in which ADWIN sees a rise of the error rate."""
    from river import drift  # noqa: PLC0415  # not a dependency of the project

    detector, alarms = drift.ADWIN(delta=delta), []
    for day in days:
        alarm, before = False, detector.estimation
        for error in day.tolist():
            detector.update(float(error))
            alarm = alarm or detector.drift_detected
        alarms.append(alarm and detector.estimation > before)
    return alarms


def page_hinkley_days(losses: np.ndarray, reference_days: int, threshold: float) -> list[bool]:
    """Days of one stream, losses [days, 2], in which Page-Hinkley alarms on either, in the reference's deviations."""
    from river import drift  # noqa: PLC0415  # as above

    z = (losses - losses[:reference_days].mean(axis=0)) / losses[:reference_days].std(axis=0, ddof=1)
    mask = np.zeros(len(z), dtype=bool)
    for column in z.T:
        detector = drift.PageHinkley(
            min_instances=1, delta=PAGE_HINKLEY_DELTA, threshold=threshold, alpha=1.0, mode="up"
        )
        for day, value in enumerate(column.tolist()):
            detector.update(value)
            mask[day] |= detector.drift_detected
    return mask.tolist()


def main() -> None:
    """Judge every stream by every setting; the reference's days come first, and their alarms are left out."""
    streams, alarms = sys.argv[1:]
    with np.load(streams) as stored:
        results = {}
        for name in stored["names"].tolist():
            errors, losses, reference_days = stored[f"{name}:errors"], stored[f"{name}:losses"], int(stored["known"])
            results[name] = {
                "ADWIN": {
                    str(delta): [adwin_days(error, delta)[reference_days:] for error in errors]
                    for delta in ADWIN_DELTAS
                },
                "Page-Hinkley": {
                    str(limit): [page_hinkley_days(loss, reference_days, limit)[reference_days:] for loss in losses]
                    for limit in PAGE_HINKLEY_THRESHOLDS
                },
            }
    Path(alarms).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
