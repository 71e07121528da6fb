"""What a data dictionary says of a column for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNote:
    """The unit and the description of a column; empty where the dictionary has none. No evidence depends on them."""

    unit: str = ""
    description: str = ""
