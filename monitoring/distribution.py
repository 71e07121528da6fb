"""Which distribution is installed: the complete one, or the light one that watches and does not serve."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

#: The complete distribution, and the light one, which is built of a part of the same files.
DISTRIBUTIONS: Final = ("pitfalls-tf", "pitfalls-tf-monitor")


def installed(name: str) -> bool:
    """Whether a distribution is installed.

    >>> installed("no-such-distribution")
    False
    """
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


@cache
def installed_version() -> str:
    """The version of what is installed, the complete distribution first; a process keeps that of its start."""
    return next((version(name) for name in DISTRIBUTIONS if installed(name)), "unknown")
