"""A deployment of two versions with a traffic log of the first, and a scorer that is a formula."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.config import MonitorConfig, load_config
from monitoring.rollout.scoring import CandidateAnswers
from monitoring.traffic.labels.label_log import LabelLog

OLD = Path(__file__).parents[2] / "compatibility/version_0_1_0"
NOW = datetime(2013, 6, 1, tzinfo=UTC)

SECTION = """
[rollout]
trained_until = 2013-04-03T00:00:00Z
"""


def two_bundles(folder: Path, section: str = SECTION) -> MonitorConfig:
    """Copy a deployment of an earlier release, with its traffic log of 640 rows in 16 days, and add a version 2.

    Args:
        folder: Where to.
        section: What its config has more.

    Returns:
        The config.
    """
    shutil.copytree(OLD, folder, dirs_exist_ok=True)
    shutil.copytree(folder / "models/flights/1", folder / "models/flights/2")
    config = folder / "monitor.toml"
    config.write_text(config.read_text("utf-8") + section, "utf-8")
    return load_config(config)


class FormulaScorer:
    """Answers rows by a formula of their ids and inputs: the probability of being late.

    Attributes:
        rows: How many rows were scored.
        calls: How often it was asked.
    """

    memory_bytes = 0

    def __init__(self, late: Callable[[pa.Table], np.ndarray]) -> None:
        self._late = late
        self.rows = self.calls = 0
        self.checked = self.closed = False

    def check(self, rows: pa.Table) -> None:
        self.checked = True

    def score(self, rows: pa.Table, *, alone: bool = False) -> CandidateAnswers:
        self.rows += rows.num_rows
        self.calls += 1
        late = self._late(rows)
        return CandidateAnswers(
            outputs={"probabilities": np.stack([1.0 - late, late], axis=1)},
            answered=np.isfinite(late),
            run_us=np.full(rows.num_rows, 5) if alone else None,
            reasons=() if np.isfinite(late).all() else ("It refused a row.",),
        )

    def close(self) -> None:
        self.closed = True


def truth(config: MonitorConfig) -> Callable[[pa.Table], np.ndarray]:
    """The labels of a deployment's rows as probabilities of being late: a version that is always right."""
    path = config.traffic.path
    assert isinstance(path, Path)
    labels = LabelLog(path).latest()
    late = dict(zip(labels["prediction_id"].to_pylist(), labels["label"].to_pylist(), strict=True))

    def of(rows: pa.Table) -> np.ndarray:
        return np.array([float(late[one] == "late") for one in rows["prediction_id"].to_pylist()])

    return of


def logged(rows: pa.Table) -> np.ndarray:
    """The champion's own answers."""
    return np.array([pair[1] for pair in rows["output:probabilities"].to_pylist()], dtype=np.float64)
