"""What each column of a reference table was taken for."""

from __future__ import annotations

from dataclasses import dataclass, fields

from monitoring.config.table_section import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRole:
    """One column of a reference table.

    Attributes:
        role: what it was taken for.
        kind: of an input, "number", "category" or "text"; empty otherwise.
        why: of a column that was left out, the reason; of an input, what is watched of it, or is not. Empty otherwise.
        unit: the unit of its values, as the data dictionary has it.

    >>> str(ColumnRole(name="note", role="left out", why="free text: 900 values"))
    'note (free text: 900 values)'
    """

    name: str
    role: Role
    kind: str = ""
    why: str = ""
    unit: str = ""
    description: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.why})" if self.name else "a column without a name"

    def document(self) -> dict[str, str]:
        """The column as JSON has it."""
        return {attribute.name: getattr(self, attribute.name) for attribute in fields(self)}
