"""The method as data: what, besides settings and baseline, gives evidence its meaning."""

from __future__ import annotations

from monitoring.evidence import betting, chance, conformal, cycle, learning, memory

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
            memory.BEYOND_DOUBT,
            memory.GATE,
            memory.CAUTION,
            memory.LONGEST,
            memory.WINDOWS_PER_LAG,
            memory.MOST_LAGS,
            memory.DOUBT,
            memory.SHORTEST,
        ],
        "learning": [learning.FIRST, learning.LONGEST_LOOK],
        "chance": [chance.FEWER, chance.USUAL],
        "cycle": [cycle.FEWEST_ROUNDS, cycle.MOSTLY, cycle.WORTH],
        "recovery": [betting.WIDTHS, betting.STAKES, betting.HIGHEST_BOUNDARY],
    }
