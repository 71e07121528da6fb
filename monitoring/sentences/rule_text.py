"""How a rule is broken, in a clause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from monitoring.records.rule_parts import (
    Breach,
    BrokenRows,
    GroupGap,
    NotHeld,
    RowBounds,
    StaleRows,
    Statistic,
    StatisticBounds,
)

#: What sentences call the statistics of a rule.
STATISTICS: Mapping[Statistic, str] = {
    "mean": "the mean",
    "median": "the median",
    "stdev": "the standard deviation",
    "distinct": "the number of distinct values",
}


def breach_text(breach: Breach) -> str:
    """How a rule is broken.

    >>> breach_text(BrokenRows(condition="temp is missing", broken=3, rows=60, allowed=0.0))
    'temp is missing in 3 of 60 rows (5.0%)'
    """
    match breach:
        case RowBounds(rows=rows, least=least, most=most):
            named = (("least", least), ("most", most))
            bounds = " and ".join(f"at {word} {n:,}" for word, n in named if n is not None)
            return f"{rows:,} rows, expected {bounds}"
        case StaleRows(newest_us=newest, patience_us=patience):
            moment = "" if newest is None else f"{datetime.fromtimestamp(newest / 1e6, UTC):%Y-%m-%d %H:%M} UTC"
            age = f"its newest row is of {moment}" if moment else "it has no row"
            return f"{age}, more than {timedelta(microseconds=patience)} before the window's end"
        case NotHeld(column=column, error=error):
            return f"the column {column} is gone" if column else f"it cannot be held against these rows ({error})"
        case GroupGap(column=column, high=high, low=low, most=most):
            return (
                f"the rate of the last class is {high.rate:.1%} for {column} = {high.group} ({high.rows:,} rows) and "
                f"{low.rate:.1%} for {low.group} ({low.rows:,} rows), a gap of more than {most:.1%}"
            )
        case StatisticBounds(statistic=statistic, column=column, value=value, rows=rows, least=least, most=most):
            limits = (("least", least), ("most", most))
            bounds = " and ".join(f"at {word} {limit:,g}" for word, limit in limits if limit is not None)
            return f"{STATISTICS[statistic]} of {column} is {value:,.4g} over {rows:,} rows, expected {bounds}"
        case BrokenRows(condition=condition, broken=broken, rows=rows, allowed=allowed):
            share = f"{broken:,} of {rows:,} rows ({broken / rows:.1%})"
            return f"{condition} in {share}" + (f", {allowed:.1%} are allowed" if allowed else "")
