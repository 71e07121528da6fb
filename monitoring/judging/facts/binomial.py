"""The binomial tail, exact at any volume."""

from __future__ import annotations

from scipy.special import betainc


def binomial_tail(rows: int, of: int, share: float) -> float:
    """The probability of so many rows or more, of independent ones with a probability of `share` each.

    Args:
        of: Of how many, at least as many.
        share: In (0, 1).

    >>> round(binomial_tail(2, 2, 0.1), 4), binomial_tail(0, 2, 0.1)
    (0.01, 1.0)
    """
    return float(betainc(rows, of - rows + 1, share)) if rows > 0 else 1.0
