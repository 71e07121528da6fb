"""Several processes' Prometheus pages and statistics of versions as one: each number is the sum of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.metrics.version_statistics import LARGEST

Statistics = list[dict[str, Any]]
"""Of versions, each as `VersionStatistics.document` with its model's ``name`` and its ``version``."""


def add_pages(pages: Sequence[str]) -> str:
    r"""The sum of Prometheus pages; families and series in the order of their first occurrence.

    Counters and histograms are added; a gauge of 0 or 1 becomes the number of processes for which it is 1.

    >>> print(add_pages(["# TYPE a counter\na{} 1\n", '# TYPE a counter\na{} 2\na{b="c d"} 0.5\n']), end="")
    # TYPE a counter
    a{} 3
    a{b="c d"} 0.5
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


def add_statistics(statistics: Statistics, others: Sequence[Statistics]) -> Statistics:
    """The sum of several processes' statistics of versions."""
    by_version = {(entry["name"], entry["version"]): entry for entry in statistics}
    for other in others:
        for entry in other:
            key = (entry["name"], entry["version"])
            if key in by_version:
                by_version[key] = _sum(by_version[key], entry)
    return list(by_version.values())


def _sum(entry: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two documents of one version, or parts of them: numbers are added, also those of the same size of batch."""
    both: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "batch_stats":
            both[key] = _sum_batches([*value, *other[key]])
        elif key == "last_inference":
            both[key] = max(value, other[key])
        elif isinstance(value, dict):
            both[key] = _sum(value, other[key])
        elif isinstance(value, int):
            both[key] = min(value + other[key], LARGEST)
        else:
            both[key] = value
    return both


def _sum_batches(batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_size: dict[int, dict[str, Any]] = {}
    for batch in batches:
        size = batch["batch_size"]
        by_size[size] = _sum(by_size[size], batch) | {"batch_size": size} if size in by_size else batch
    return [by_size[size] for size in sorted(by_size)]


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"
