"""Run by `monitor_peers` in NannyML's environment: KNOWN LIVE FLAGS; writes 0 or 1 per window."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd


def main() -> None:
    """Fit on the baseline, evaluate the traffic in chunks of a `day`, and write whether anything alerted."""
    import nannyml  # noqa: PLC0415  # not a dependency of the project

    reference_file, live, flags = sys.argv[1:]
    before, now = pd.read_parquet(reference_file), pd.read_parquet(live)
    inputs = [name for name in before if name not in {"score", "prediction", "label", "day"}]
    chunks = {"timestamp_column_name": "day", "chunk_period": "D"}
    drift = nannyml.UnivariateDriftCalculator(column_names=inputs, **chunks).fit(before)
    performance = nannyml.PerformanceCalculator(
        metrics=["accuracy"],
        y_true="label",
        y_pred="prediction",
        y_pred_proba="score",
        problem_type="classification_binary",
        **chunks,
    ).fit(before)
    alerts = [result.calculate(now).filter(period="analysis").to_df() for result in (drift, performance)]
    is_alert = pd.concat([table.loc[:, [c for c in table if c[-1] == "alert"]] for table in alerts], axis=1).any(axis=1)
    Path(flags).write_text(" ".join("1" if alert else "0" for alert in is_alert))


if __name__ == "__main__":
    main()
