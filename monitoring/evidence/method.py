"""The method as data: everything besides settings and baseline that determines the evidence."""

from __future__ import annotations

from monitoring.evidence import autocorrelation, betting, calibration, conformal, sampling_variance, seasonality

#: Raised whenever the same windows would give other evidence for a reason that none of the constants below shows.
METHOD = 11

#: The method of 0.1.0, the earliest of which stores hold evidence.
FIRST_METHOD = 7


def method() -> dict[str, object]:
    """Every constant of the tests, for the digest that identifies evidence of one method.

    A changed method starts new evidence and never continues that of another. The keys are part of the digest of
    deployed monitors, so they keep their names even where the constants are renamed.

    Returns:
        Names to numbers and lists of numbers, as JSON can hold them.
    """
    return {
        "method": METHOD,
        "steepness": [conformal.ETAS, conformal.CLIPPING_BOUNDS],
        "of few": [conformal.SHORT_BASELINE, conformal.SHORT_BASELINE_ETAS, conformal.SHORT_BASELINE_CLIPPING_BOUNDS],
        "fixed reference": [conformal.FIXED_ETAS, conformal.FIXED_CLIPPING_BOUND, conformal.MIN_FIXED_WINDOWS],
        "calibration": [
            calibration.SPENT,
            calibration.MAX_WINDOWS,
            calibration.STREAMS,
            calibration.MIN_SCALE,
            calibration.MAX_SCALE,
            calibration.MIN_CALIBRATION_WINDOWS,
        ],
        "yardstick": [conformal.MIN_WINDOWS, conformal.WIDE_TOLERANCE, sampling_variance.SAMPLING_PRIOR_WINDOWS],
        "memory": [
            autocorrelation.BASELINE_SIGNIFICANCE,
            autocorrelation.LIVE_SIGNIFICANCE,
            autocorrelation.UPWARD_MARGIN,
            autocorrelation.MAX_AR1,
            autocorrelation.WINDOWS_PER_LAG,
            autocorrelation.MAX_LAGS,
            autocorrelation.LAG_SUM_SIGNIFICANCE,
            autocorrelation.MIN_SEGMENT_WINDOWS,
        ],
        "learning": [autocorrelation.FIRST_UPDATE, autocorrelation.MAX_UPDATE_WINDOWS],
        "chance": [sampling_variance.ROWS_QUANTILE, sampling_variance.HARMONIC_MEAN_SHARE],
        "cycle": [seasonality.MIN_WINDOWS_PER_PHASE, seasonality.MIN_COVERED_SHARE, seasonality.MIN_GAIN],
        "recovery": [betting.WIDTHS, betting.BET_FRACTIONS, betting.MAX_BOUNDARY],
    }
