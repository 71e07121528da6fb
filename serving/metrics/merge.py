"""Several processes' Prometheus pages as one: each series is the sum of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def add_pages(pages: Sequence[str]) -> str:
    r"""The sum of Prometheus pages; families and series in the order of their first occurrence.

    Counters and histograms are added; a gauge of 0 or 1 becomes the number of processes for which it is 1.

    >>> print(add_pages(["# TYPE a counter\na{} 1\n", '# TYPE a counter\na{} 2\na{b="c d"} 0.5\n']), end="")
    # TYPE a counter
    a{} 3
    a{b="c d"} 0.5

    Args:
        pages: One of each process.

    Returns:
        One page.
    """
    families: dict[str, dict[str, int | float]] = {}
    for page in pages:
        family: dict[str, int | float] = {}
        for line in page.splitlines():
            if line.startswith("#"):
                family = families.setdefault(line, {})
            else:
                series, _, value = line.rpartition(" ")
                family[series] = family.get(series, 0) + _number(value)
    lines: list[str] = []
    for head, sums in families.items():
        lines += [head, *(f"{series} {_text(value)}" for series, value in sums.items())]
    return "\n".join(lines) + "\n"


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"
