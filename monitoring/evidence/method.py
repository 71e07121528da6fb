"""The method as data: what, besides settings and baseline, gives evidence its meaning."""

from __future__ import annotations

from monitoring.evidence import autocorrelation, betting, conformal, learning, sampling_variance, seasonality

#: Raised whenever the same windows would give other evidence for a reason that no constant below shows.
METHOD = 6


def method() -> dict[str, object]:
    """Every constant of the tests, to be part of the digest that says which evidence belongs together.

    A changed method starts new evidence; it is never mixed with evidence of another.
    """
    return {
        "method": METHOD,
        "steepness": [conformal.ETAS, conformal.ENDS],
        "of few": [conformal.FEW, conformal.ETAS_OF_FEW, conformal.ENDS_OF_FEW],
        "yardstick": [conformal.FEWEST_WINDOWS, conformal.COVERED],
        "memory": [
            autocorrelation.BEYOND_DOUBT,
            autocorrelation.GATE,
            autocorrelation.CAUTION,
            autocorrelation.LONGEST,
            autocorrelation.WINDOWS_PER_LAG,
            autocorrelation.MOST_LAGS,
            autocorrelation.DOUBT,
            autocorrelation.SHORTEST,
        ],
        "learning": [learning.FIRST, learning.LONGEST_LOOK],
        "chance": [sampling_variance.FEWER, sampling_variance.USUAL],
        "cycle": [seasonality.FEWEST_ROUNDS, seasonality.MOSTLY, seasonality.WORTH],
        "recovery": [betting.WIDTHS, betting.STAKES, betting.HIGHEST_BOUNDARY],
    }
