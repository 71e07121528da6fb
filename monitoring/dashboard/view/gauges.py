"""Gauges in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client.utils import floatToGoString


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric with its samples: the labels of each as text, and its value."""

    name: str
    words: str
    samples: Iterable[tuple[str, float]]

    def lines(self) -> Iterator[str]:
        """The metric in Prometheus' text format.

        Yields:
            What it means, its type, and a line for each sample.
        """
        yield f"# HELP {self.name} {self.words}\n# TYPE {self.name} gauge\n"
        for labels, value in self.samples:
            yield f"{self.name}{{{labels}}} {number_text(value)}\n" if labels else f"{self.name} {number_text(value)}\n"


def escaped(text: str) -> str:
    r"""The value of a label.

    Returns:
        The text with backslashes before what would end it.

    >>> print(escaped('a"b'))
    a\"b
    """
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=1 << 14)
def number_text(value: float) -> str:
    """A value as Prometheus' library writes it."""
    text: str = floatToGoString(float(value))  # type: ignore[no-untyped-call]  # the library's own has no types
    return text
