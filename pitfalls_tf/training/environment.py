"""Where a run was made, and whether it can be made again there to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitoring.errors import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_environment(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to repeat a run where its last bits would be others.

    Raises:
        CannotRun: libraries, threads or kernels are others.
    """
    different = [name for name in now if then.get(name) != now[name]]
    if different:
        raise CannotRun(
            "Weights repeat bit for bit only where they were made.",
            got="; ".join(f"{name} {now[name]}" for name in different),
            expected="; ".join(f"{name} {then.get(name)}" for name in different),
            fix="Train in the same surroundings, or train anew: pitfalls train SETUP.",
        )
