"""Prometheus' text format 0.0.4 as TensorFlow Serving writes it: no HELP, times in microseconds."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# 10 µs growing by 1.8: the exponential buckets of TensorFlow Serving's own histograms of time.
BUCKETS_US: tuple[float, ...] = tuple(10 * 1.8**power for power in range(33))

Labels = tuple[tuple[str, str], ...]


@final
class Histogram:
    """Counts by bucket, and the sum of the values. ``edges`` are the buckets' upper ends, ascending.

    >>> histogram = Histogram()
    >>> histogram.observe(12.0, times=2)
    >>> histogram.total, histogram.sum
    (2, 24.0)
    """

    __slots__ = ("counts", "edges", "sum")

    def __init__(self, edges: Sequence[float] = BUCKETS_US) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value, in the unit of the edges."""
        self.counts[bisect_left(self.edges, value)] += times
        self.sum += value * times

    @property
    def total(self) -> int:
        """The number of values."""
        return sum(self.counts)


def counter_lines(name: str, values: Mapping[Labels, int], *, kind: str = "counter") -> Iterator[str]:
    r"""The lines of a family of counters, or of another ``kind`` with one number each.

    >>> list(counter_lines("seen", {(("by", 'a"b'),): 2}))
    ['# TYPE seen counter', 'seen{by="a\\"b"} 2']
    """
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{_braced(labels)} {value}"


def histogram_lines(name: str, values: Mapping[Labels, Histogram]) -> Iterator[str]:
    """The lines of a family of histograms."""
    yield f"# TYPE {name} histogram"
    for labels, histogram in values.items():
        edges = [f"{edge:g}" for edge in histogram.edges] + ["+Inf"]
        for edge, count in zip(edges, accumulate(histogram.counts), strict=True):
            yield f"{name}_bucket{_braced((*labels, ('le', edge)))} {count}"
        yield f"{name}_sum{_braced(labels)} {histogram.sum:.10g}"
        yield f"{name}_count{_braced(labels)} {histogram.total}"


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
