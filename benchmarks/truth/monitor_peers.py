"""Alarms of other monitors on the same windows of rows: products with their defaults, and rules implemented here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.truth.row_streams import Summaries
from benchmarks.truth.rules import kolmogorov_flags
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.simulation import VectorizedTests

Flags = NDArray[np.bool_]
Frame = pd.DataFrame
Windows = list[Frame]

BUDGET = 365.0
PEERS = ("nannyml==0.13.1", "statsmodels", "river==0.26.1")


def inputs_of(frame: pd.DataFrame) -> list[str]:
    """Names of a stream's inputs."""
    return [str(name) for name in frame if name not in {"score", "prediction", "label"}]


def error_rates(windows: Windows) -> NDArray[np.float64]:
    """Error rate of each window."""
    return np.array([float((frame["prediction"] != frame["label"]).mean()) for frame in windows])


def ours(baseline: Summaries, live: Summaries) -> Flags:
    """Run one level of this monitor per stream with the whole budget, on error rates and mean ranks.

    Each stream has its own baseline. Half of the weight is on the error rate, a quarter on that of the slice, and a
    quarter on the inputs together.

    Returns:
        Alarms, bool [streams, windows]; a test restarts after each alarm.
    """
    means = np.concatenate([baseline.errors[:, :, None], baseline.slice_errors[:, :, None], baseline.ranks], axis=2)
    stream = np.concatenate([live.errors[:, :, None], live.slice_errors[:, :, None], live.ranks], axis=2)
    inputs = baseline.ranks.shape[2]
    shares = np.array([0.5, 0.25] + [0.25 / inputs] * inputs)
    at = np.zeros(stream.shape[:2], dtype=np.bool_)
    tests = []
    for scores in means:
        coefficients = level_ar1(dict(enumerate(scores.T)))
        tests += [
            ConformalTest.fit(column, tolerance=0.0, direction="both" if index > 1 else "up", ar1=coefficients[index])
            for index, column in enumerate(scores.T)
        ]
    runs = VectorizedTests(tests, 1, levels=np.repeat(np.arange(len(means)), len(shares)).tolist())
    for window in range(stream.shape[1]):
        over = runs.step(stream[:, window].reshape(1, -1)).reshape(len(stream), -1) @ shares >= BUDGET
        at[:, window] = over
        if over.any():
            runs.restart(np.repeat(over, len(shares))[None, :])
    return at


def bonferroni(baseline: Windows, live: Windows) -> Flags:
    """Test a window against the baseline: Kolmogorov-Smirnov on numbers, χ² on texts and on the error rate.

    Returns:
        Whether any p-value is below its equal part of .05.
    """
    every = inputs_of(baseline[0])
    names, texts = numbers_of(baseline[0], every), texts_of(baseline[0], every)
    level = 0.05 / (len(every) + 1)
    before = pd.concat(baseline)
    rows, rate = len(before), float(error_rates(baseline).mean())
    flags = []
    for frame in live:
        columns = [np.concatenate([before[name].to_numpy(), frame[name].to_numpy()]) for name in names]
        moved = bool(kolmogorov_flags(columns, [np.arange(rows, rows + len(frame))], level=level).any())
        moved = moved or any(_chi_square_p(before[name], frame[name]) < level for name in texts)
        wrong = float((frame["prediction"] != frame["label"]).mean())
        spread = rate * (1.0 - rate) * (1.0 / rows + 1.0 / len(frame))
        flags.append(moved or (wrong - rate) ** 2 / spread > _chi_square(level))
    return np.array(flags)


def numbers_of(frame: Frame, names: list[str]) -> list[str]:
    """Numeric columns."""
    return [name for name in names if frame[name].dtype.kind in "biuf"]


def texts_of(frame: Frame, names: list[str]) -> list[str]:
    """Columns that are not numeric."""
    return [name for name in names if name not in numbers_of(frame, names)]


def _chi_square_p(before: pd.Series[str], now: pd.Series[str]) -> float:
    """The χ² p-value of equal frequencies of every text in both samples."""
    from scipy.stats import chi2_contingency  # noqa: PLC0415  # used for a peer only

    counts = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0.0).to_numpy()
    return float(chi2_contingency(counts.T).pvalue)


def _chi_square(level: float) -> float:
    """Upper quantile of χ² with one degree of freedom."""
    from scipy.stats import chi2  # noqa: PLC0415  # used for a peer only

    return float(chi2.isf(level, 1))


def evidently_preset(baseline: Windows, live: Windows) -> dict[str, Flags]:
    """Run Evidently's DataDriftPreset with its defaults. Columns without a value in a window are left out.

    Returns:
        Drift of the dataset (half of the columns), and of any column.
    """
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415  # seconds
    from evidently.presets import DataDriftPreset  # noqa: PLC0415  # as above

    names = inputs_of(baseline[0])
    numbers, texts = numbers_of(baseline[0], names), texts_of(baseline[0], names)
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    then = Dataset.from_pandas(pd.concat(baseline, ignore_index=True)[names], data_definition=definition)
    half, anything = [], []
    for frame in live:
        now = Dataset.from_pandas(frame[names], data_definition=definition)
        filled = [name for name in names if frame[name].notna().any()]
        preset = DataDriftPreset() if filled == names else DataDriftPreset(columns=filled)
        metrics = Report([preset]).run(now, then).dict()["metrics"]
        share = next(m["value"] for m in metrics if m["metric_name"].startswith("DriftedColumnsCount"))
        half.append(share["share"] >= 0.5)
        anything.append(share["count"] > 0)
    return {"Evidently preset: dataset drift": np.array(half), "Evidently preset: any column": np.array(anything)}


def tfdv_comparators(baseline: Windows, live: Windows) -> Flags:
    """Run TFDV's drift comparators at .1 on every column: Jensen-Shannon for numbers, L-infinity for others."""
    import tensorflow_data_validation as tfdv  # noqa: PLC0415  # brings TensorFlow

    def statistics(frame: pd.DataFrame) -> object:
        return tfdv.generate_statistics_from_dataframe(frame.assign(label=frame["label"].astype(str)), n_jobs=1)

    texts = {*texts_of(baseline[0], inputs_of(baseline[0])), "label"}
    names = [*inputs_of(baseline[0]), "label"]
    before = statistics(pd.concat(baseline, ignore_index=True)[names])
    schema = tfdv.infer_schema(before)
    for name in names:
        comparator = tfdv.get_feature(schema, name).drift_comparator
        part = comparator.infinity_norm if name in texts else comparator.jensen_shannon_divergence
        part.threshold = 0.1
    flags = []
    for frame in live:
        anomalies = tfdv.validate_statistics(statistics(frame[names]), schema, previous_statistics=before)
        reasons = [reason.short_description for info in anomalies.anomaly_info.values() for reason in info.reason]
        flags.append(any("between current and previous" in reason for reason in reasons))
    return np.array(flags)


def numbered(windows: Windows) -> Frame:
    """All rows with an artificial column `day`, one day per window."""
    days = [frame.assign(day=pd.Timestamp("2000-01-01") + pd.Timedelta(days=at)) for at, frame in enumerate(windows)]
    return pd.concat(days, ignore_index=True)


def peer_python(folder: Path) -> Path:
    """The Python of the environment of NannyML and river, which is built if it is missing."""
    python = folder / "bin" / "python"
    if not python.is_file():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PEERS], check=True)
    return python


def nannyml_defaults(baseline: Windows, live: Windows, folder: Path) -> Flags:
    """Run NannyML's univariate drift and realized accuracy with their defaults, one chunk per window.

    It runs in its own environment under `folder`, which is built if it is missing.
    """
    python = peer_python(folder)
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, part) for part in ("baseline.parquet", "live.parquet", "flags.txt")]
        numbered(baseline).to_parquet(files[0])
        numbered(live).to_parquet(files[1])
        script = Path(__file__).with_name("nannyml_script.py")
        quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
        subprocess.run([python, script, *files], check=True, env=quiet, stdout=subprocess.DEVNULL)
        return np.array([line == "1" for line in files[2].read_text().split()])
