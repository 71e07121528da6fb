"""What others would have said of the same windows of rows: products by their defaults, and rules written here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.row_streams import Summaries
from benchmarks.rules import kolmogorov_flags
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.simulation import VectorizedTests

Flags = NDArray[np.bool_]
Frame = pd.DataFrame
Windows = list[Frame]

BUDGET = 365.0
NANNYML = ("nannyml==0.13.1", "statsmodels")


def inputs_of(frame: pd.DataFrame) -> list[str]:
    """The names of a stream's inputs."""
    return [str(name) for name in frame if name not in {"score", "prediction", "label"}]


def error_rates(windows: Windows) -> NDArray[np.float64]:
    """Each window's share of wrong answers."""
    return np.array([float((frame["prediction"] != frame["label"]).mean()) for frame in windows])


def ours(known: Summaries, live: Summaries) -> Flags:
    """One level of this monitor a stream, with all of the budget: errors, everywhere and in the slice, and mean ranks.

    Each stream has a baseline of its own. Half of the weight is on the error rate, a quarter on that of the slice, and
    a quarter on the inputs together. Gives bool [streams, windows], restarted after each alarm.
    """
    baseline = np.concatenate([known.errors[:, :, None], known.slice_errors[:, :, None], known.ranks], axis=2)
    stream = np.concatenate([live.errors[:, :, None], live.slice_errors[:, :, None], live.ranks], axis=2)
    inputs = known.ranks.shape[2]
    shares = np.array([0.5, 0.25] + [0.25 / inputs] * inputs)
    at = np.zeros(stream.shape[:2], dtype=np.bool_)
    tests = []
    for one in baseline:
        remembered = level_ar1(dict(enumerate(one.T)))
        tests += [
            ConformalTest.fit(column, tolerance=0.0, direction="both" if place > 1 else "up", ar1=remembered[place])
            for place, column in enumerate(one.T)
        ]
    runs = VectorizedTests(tests, 1, levels=np.repeat(np.arange(len(baseline)), len(shares)).tolist())
    for window in range(stream.shape[1]):
        over = runs.step(stream[:, window].reshape(1, -1)).reshape(len(stream), -1) @ shares >= BUDGET
        at[:, window] = over
        if over.any():
            runs.restart(np.repeat(over, len(shares))[None, :])
    return at


def bonferroni(known: Windows, live: Windows) -> Flags:
    """Kolmogorov-Smirnov or, on texts, χ² on each input, and χ² of the error rate, window against baseline.

    Each at an equal part of .05.
    """
    every = inputs_of(known[0])
    names, texts = numbers_of(known[0], every), texts_of(known[0], every)
    level = 0.05 / (len(every) + 1)
    before = pd.concat(known)
    rows, rate = len(before), float(error_rates(known).mean())
    flags = []
    for frame in live:
        columns = [np.concatenate([before[name].to_numpy(), frame[name].to_numpy()]) for name in names]
        moved = bool(kolmogorov_flags(columns, [np.arange(rows, rows + len(frame))], level=level).any())
        moved = moved or any(_chance(before[name], frame[name]) < level for name in texts)
        wrong = float((frame["prediction"] != frame["label"]).mean())
        spread = rate * (1.0 - rate) * (1.0 / rows + 1.0 / len(frame))
        flags.append(moved or (wrong - rate) ** 2 / spread > _chi_square(level))
    return np.array(flags)


def numbers_of(frame: Frame, names: list[str]) -> list[str]:
    """Those of the columns that hold numbers."""
    return [name for name in names if frame[name].dtype.kind in "biuf"]


def texts_of(frame: Frame, names: list[str]) -> list[str]:
    """Those of the columns that do not."""
    return [name for name in names if name not in numbers_of(frame, names)]


def _chance(before: pd.Series[str], now: pd.Series[str]) -> float:
    """The p-value of the same shares of every text before and now, by χ²."""
    from scipy.stats import chi2_contingency  # noqa: PLC0415  # a peer's, not the monitor's

    counts = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0.0).to_numpy()
    return float(chi2_contingency(counts.T).pvalue)


def _chi_square(level: float) -> float:
    """The value that χ² with one degree of freedom exceeds with this probability."""
    from scipy.stats import chi2  # noqa: PLC0415  # a peer's, not the monitor's

    return float(chi2.isf(level, 1))


def evidently_preset(known: Windows, live: Windows) -> dict[str, Flags]:
    """Evidently's DataDriftPreset by default: the dataset's drift (half of the columns), and any column's.

    A column without a single value in a window, which it refuses, is left out there.
    """
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415  # seconds
    from evidently.presets import DataDriftPreset  # noqa: PLC0415  # as above

    names = inputs_of(known[0])
    numbers, texts = numbers_of(known[0], names), texts_of(known[0], names)
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    then = Dataset.from_pandas(pd.concat(known, ignore_index=True)[names], data_definition=definition)
    half, anything = [], []
    for frame in live:
        now = Dataset.from_pandas(frame[names], data_definition=definition)
        filled = [name for name in names if frame[name].notna().any()]
        preset = DataDriftPreset() if filled == names else DataDriftPreset(columns=filled)
        found = Report([preset]).run(now, then).dict()["metrics"]
        share = next(m["value"] for m in found if m["metric_name"].startswith("DriftedColumnsCount"))
        half.append(share["share"] >= 0.5)
        anything.append(share["count"] > 0)
    return {"Evidently preset: dataset drift": np.array(half), "Evidently preset: any column": np.array(anything)}


def tfdv_comparators(known: Windows, live: Windows) -> Flags:
    """TFDV's drift comparators at .1 on every column: Jensen-Shannon for numbers, L-infinity for others."""
    import tensorflow_data_validation as tfdv  # noqa: PLC0415  # brings TensorFlow

    def statistics(frame: pd.DataFrame) -> object:
        return tfdv.generate_statistics_from_dataframe(frame.assign(label=frame["label"].astype(str)), n_jobs=1)

    texts = {*texts_of(known[0], inputs_of(known[0])), "label"}
    names = [*inputs_of(known[0]), "label"]
    before = statistics(pd.concat(known, ignore_index=True)[names])
    schema = tfdv.infer_schema(before)
    for name in names:
        comparator = tfdv.get_feature(schema, name).drift_comparator
        part = comparator.infinity_norm if name in texts else comparator.jensen_shannon_divergence
        part.threshold = 0.1
    flags = []
    for frame in live:
        found = tfdv.validate_statistics(statistics(frame[names]), schema, previous_statistics=before)
        reasons = [reason.short_description for info in found.anomaly_info.values() for reason in info.reason]
        flags.append(any("between current and previous" in reason for reason in reasons))
    return np.array(flags)


def numbered(windows: Windows) -> Frame:
    """All rows, with a made-up `day`: one for each window, in order."""
    days = [frame.assign(day=pd.Timestamp("2000-01-01") + pd.Timedelta(days=at)) for at, frame in enumerate(windows)]
    return pd.concat(days, ignore_index=True)


def nannyml_defaults(known: Windows, live: Windows, folder: Path) -> Flags:
    """NannyML's univariate drift and realized accuracy by their defaults, a chunk a window: any alert.

    Runs in an environment of its own under `folder`, built when it is missing. Raises CalledProcessError if it cannot
    be built.
    """
    python = folder / "bin" / "python"
    if not python.is_file():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *NANNYML], check=True)
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, part) for part in ("known.parquet", "live.parquet", "flags.txt")]
        numbered(known).to_parquet(files[0])
        numbered(live).to_parquet(files[1])
        script = Path(__file__).with_name("nannyml_script.py")
        quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
        subprocess.run([python, script, *files], check=True, env=quiet, stdout=subprocess.DEVNULL)
        return np.array([line == "1" for line in files[2].read_text().split()])
