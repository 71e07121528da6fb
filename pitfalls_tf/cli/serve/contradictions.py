"""The error of two flags that contradict each other."""

from __future__ import annotations

from monitoring.errors import BadInput


def contradiction(flag: str, other: str, reason: str) -> BadInput:
    """The error of two flags with their values, and why they contradict each other."""
    return BadInput(
        f"{flag} and {other} contradict each other: {reason}.",
        got=f"{flag} and {other}",
        expected="one of the two",
        fix="Leave one out.",
    )
