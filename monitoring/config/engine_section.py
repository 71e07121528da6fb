"""The section that says what reads a window's rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from monitoring.config.section import Name, Section


class EngineSection(Section):
    """What reads the rows of a table's windows; evidence and verdicts are the same to the last bit whatever does.

    `local` is this process, and `processes` all processors of this machine. `sql` has a DuckDB database sum up the rows
    of a query, and `spark` has Spark read files, or a table of its own.
    """

    kind: Literal["local", "processes", "sql", "spark"] = Field(default="local", examples=["processes"])
    workers: int | None = Field(default=None, ge=1, le=1024, examples=[8])
    master: Name | None = Field(default=None, examples=["sc://spark.example.org:15002"])
    table: Name | None = Field(default=None, examples=["prod.predictions"])
