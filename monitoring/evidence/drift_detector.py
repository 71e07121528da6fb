"""A drift detector over one stream of window scores, in the interface that river and frouros share."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS, ar1_update_due
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.level_shift import ar1_without_shift

DriftDirection: TypeAlias = Literal["up", "down", "both"]

_FORMAT = 1
_DIRECTIONS = ("up", "down", "both")
_NOT_SAVED = "Not a saved drift detector."
_SAVED = {"expected": "the text that `to_json` returned", "fix": "Save it again."}


class DriftDetector:
    """Detects a lasting change of the mean of a score, with a bound on the average run length between false alarms.

    One observation is the mean score of one window, for example a day's error rate. The detector compares it with a
    reference series of such means by conformal e-values (`monitoring.evidence.conformal`), accumulates them by
    Shiryaev-Roberts sums (`monitoring.evidence.betting`), and alarms when the evidence reaches `average_run_length`.
    While the stream is like the reference, that happens once in `average_run_length` windows on average or less often.
    It is the test that the monitor runs for each watch, with all of a budget to itself; its AR(1) coefficient is
    re-estimated online in the same way, from all windows but those that alarmed.

    After an alarm the next `update` starts the test anew.

    >>> rng = np.random.default_rng(0)
    >>> detector = DriftDetector(rng.normal(0.20, 0.02, 60), average_run_length=365)
    >>> stream = np.concatenate([rng.normal(0.20, 0.02, 100), rng.normal(0.26, 0.02, 20)])
    >>> for index, score in enumerate(stream):
    ...     detector.update(score)
    ...     if detector.drift_detected:
    ...         print(f"alarm at {index}, evidence {detector.evidence:.0f} of {detector.threshold:.0f}")
    ...         break
    alarm at 102, evidence 1163 of 365
    """

    def __init__(
        self,
        reference: Sequence[float] | NDArray[np.float64],
        *,
        average_run_length: float = 365.0,
        direction: DriftDirection = "up",
        tolerance: float = 0.0,
        min_std: float = 1e-6,
    ) -> None:
        """Fit the detector to a reference.

        Args:
            reference: Window scores while nothing was wrong, in order of time; at least 5, better 20 or more.
            average_run_length: The number of windows between false alarms, on average at least; greater than 1.
            direction: "up" to detect rises, "down" for falls, "both" for either.
            tolerance: The change that counts as harmless, in score units.
            min_std: The smallest standard deviation assumed, for a reference that hardly varies.

        Raises:
            BadInput: For a reference that is too short or not finite, or for another value out of range.
        """
        scores = np.asarray(reference, dtype=np.float64).ravel()
        _check(scores, average_run_length, direction, tolerance, min_std)
        self._threshold = float(average_run_length)
        self._direction = direction
        self._sign = -1.0 if direction == "down" else 1.0
        reference_scores = self._sign * scores
        self._test = ConformalTest.fit(
            reference_scores,
            tolerance=float(tolerance),
            direction="both" if direction == "both" else "up",
            ar1=ar1_without_shift({0: reference_scores})[0],
            min_std=float(min_std),
        )
        self._observed = self._test.innovation_std > self._test.min_std
        self._state = WatchState.initial(len(self._test.etas))
        self._segments: list[list[float]] = [[]]
        self._n_windows = 0
        self._n_windows_total = 0
        self._drift_detected = False

    def update(self, x: float) -> None:
        """Take the mean score of one more window.

        Args:
            x: The score, finite.

        Raises:
            BadInput: If it is not finite.
        """
        if not math.isfinite(x):
            raise BadInput(
                "Not a window score.", got=repr(x), expected="a finite number", fix="Leave out windows without rows."
            )
        if self._drift_detected:
            self.reset()
        if ar1_update_due(self._n_windows_total):
            self._update_ar1()
        score = self._sign * float(x)
        self._state = self._test.step(self._state, score)
        self._n_windows += 1
        self._n_windows_total += 1
        self._drift_detected = self.log_evidence >= math.log(self._threshold)
        if self._drift_detected:
            self._segments.append([])
        else:
            self._segments[-1].append(score)

    def reset(self) -> None:
        """Start the test anew, as when an incident is closed: evidence and live windows are dropped.

        The previous score and the AR(1) coefficient stay.
        """
        self._state = WatchState.initial(len(self._test.etas), last_score=self._state.last_score)
        self._n_windows = 0
        self._drift_detected = False

    @property
    def drift_detected(self) -> bool:
        """Whether the latest window alarmed."""
        return self._drift_detected

    @property
    def evidence(self) -> float:
        """The evidence after the latest window; an alarm from `threshold` on."""
        return math.exp(min(self.log_evidence, 700.0))

    @property
    def log_evidence(self) -> float:
        """The logarithm of the evidence, -inf before the first window."""
        return self._state.log_evidence

    @property
    def threshold(self) -> float:
        """The average run length, which is the evidence at which the detector alarms."""
        return self._threshold

    @property
    def n_windows(self) -> int:
        """Windows since the test last started."""
        return self._n_windows

    @property
    def ar1(self) -> float:
        """The AR(1) coefficient that the test uses, in [0, 0.95]."""
        return self._test.ar1

    @property
    def direction(self) -> DriftDirection:
        """Which changes are detected."""
        return self._direction

    @property
    def tolerance(self) -> float:
        """The change that counts as harmless, in score units."""
        return self._test.tolerance

    def to_json(self) -> str:
        """The whole detector as JSON, with floats as exact hexadecimal text."""
        return json.dumps(
            {
                "format": _FORMAT,
                "reference": [(self._sign * score).hex() for score in self._test.calibration_scores],
                "average_run_length": self._threshold.hex(),
                "direction": self._direction,
                "tolerance": self._test.tolerance.hex(),
                "min_std": self._test.min_std.hex(),
                "ar1": self._test.ar1.hex(),
                "state": self._state.to_text(),
                "segments": [[score.hex() for score in segment] for segment in self._segments],
                "n_windows": self._n_windows,
                "n_windows_total": self._n_windows_total,
                "drift_detected": self._drift_detected,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> DriftDetector:
        """Restore a detector that continues to the bit as the saved one.

        Args:
            text: What `to_json` returned.

        Raises:
            BadInput: For any other text.
        """
        try:
            document = json.loads(text)
            is_known = document["format"] == _FORMAT
            detector = cls(
                [float.fromhex(score) for score in document["reference"]],
                average_run_length=float.fromhex(document["average_run_length"]),
                direction=document["direction"],
                tolerance=float.fromhex(document["tolerance"]),
                min_std=float.fromhex(document["min_std"]),
            )
            detector._test = detector._test.with_ar1(float.fromhex(document["ar1"]))
            detector._state = WatchState.from_text(document["state"])
            detector._segments = [[float.fromhex(score) for score in segment] for segment in document["segments"]]
            detector._n_windows = int(document["n_windows"])
            detector._n_windows_total = int(document["n_windows_total"])
            detector._drift_detected = bool(document["drift_detected"])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(_NOT_SAVED, got=f"{type(error).__name__}: {error}", **_SAVED) from error
        if not is_known:
            raise BadInput(_NOT_SAVED, got=f"format {document['format']}", **_SAVED)
        return detector

    def _update_ar1(self) -> None:
        """Re-estimate the AR(1) coefficient from the reference and the latest live windows."""
        latest: list[list[float]] = []
        left = MAX_UPDATE_WINDOWS
        for segment in reversed(self._segments):
            latest.insert(0, segment[-left:] if left > 0 else [])
            left -= len(segment)
        self._segments = [segment for segment in latest[:-1] if segment] + latest[-1:]
        if self._observed:  # as in the monitor, φ stays where the standard deviation is the assumed minimum
            scores = np.asarray(self._test.calibration_scores)
            self._test = self._test.with_ar1(
                ar1_without_shift({0: scores}, {0: [np.array(segment) for segment in self._segments]})[0]
            )


def _check(
    scores: NDArray[np.float64], average_run_length: float, direction: str, tolerance: float, min_std: float
) -> None:
    if not np.isfinite(scores).all():
        raise BadInput(
            "The reference has a score that is not finite.",
            got=f"{int((~np.isfinite(scores)).sum())} of {scores.size} scores",
            expected="finite numbers",
            fix="Leave out windows without rows.",
        )
    if not (math.isfinite(average_run_length) and average_run_length > 1.0):
        raise BadInput(
            "Not an average run length.",
            got=repr(average_run_length),
            expected="a number of windows greater than 1",
            fix="For at most one false alarm a year of daily windows, use 365.",
        )
    if direction not in _DIRECTIONS:
        raise BadInput(
            "Not a direction.", got=repr(direction), expected=f"one of {', '.join(_DIRECTIONS)}", fix="Use one of them."
        )
    for name, value, lowest in (("tolerance", tolerance, "0 or more"), ("min_std", min_std, "greater than 0")):
        if not (math.isfinite(value) and value >= 0.0) or (name == "min_std" and value == 0.0):
            raise BadInput(f"Not a {name}.", got=repr(value), expected=f"a number {lowest}", fix=f"Change {name}.")
