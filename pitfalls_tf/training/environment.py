"""The environment of a run: a run can be repeated bit for bit only in the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitoring.errors import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_environment(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to repeat a run in an environment where the bits of its weights would differ."""
    different = [name for name in now if then.get(name) != now[name]]
    if different:
        raise CannotRun(
            "Weights repeat bit for bit only in the environment that they were trained in.",
            got="; ".join(f"{name} {now[name]}" for name in different),
            expected="; ".join(f"{name} {then.get(name)}" for name in different),
            fix="Use the same environment, or train again: pitfalls train SETUP.",
        )
