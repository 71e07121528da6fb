"""One line of `pitfalls doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

CheckState: TypeAlias = Literal["ok", "absent", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line: what was looked at, whether it works, what was seen, and the next step where it does not."""

    group: str
    name: str
    state: CheckState
    text: str
    fix: str = ""

    def document(self) -> dict[str, Any]:
        """The check as JSON values."""
        return {name: getattr(self, name) for name in ("group", "name", "state", "text", "fix")}
