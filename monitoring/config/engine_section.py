"""The section `[engine]`: what reads the rows of a table's windows."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, model_validator

from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Name, Section
from monitoring.plugins import ENGINES, installed_plugins

#: The engines of this distribution.
ENGINE_KINDS: Final = ("local", "processes", "sql", "spark")


def engine_kind(value: str) -> str:
    """Check that an engine of this name is built in, or an installed plug-in."""
    if value not in ENGINE_KINDS and value not in (plugins := installed_plugins(ENGINES)):
        choices = (*ENGINE_KINDS, *plugins)
        near = difflib.get_close_matches(value, choices, n=1)
        reject_setting(
            "no such engine.",
            got=value,
            expected=f"one of: {', '.join(choices)}",
            fix=f"Did you mean {near[0]}?" if near else "Install the plug-in of that name, or choose another engine.",
        )
    return value


class EngineSection(Section):
    """What reads the rows of a table's windows; evidence and verdicts are the same to the last bit whatever does.

    `local` is this process, and `processes` all processors of this machine. `sql` has a DuckDB database sum up the rows
    of a query, and `spark` has Spark read files, or a table of its own. Any other kind is a plug-in of that name, and
    `options` are its own. With `keep`, what is summed up of a window is kept, so that it is judged again, or as a part
    of a longer window, once its rows are gone.
    """

    kind: Annotated[str, AfterValidator(engine_kind)] = Field(default="local", examples=["processes"])
    workers: int | None = Field(default=None, ge=1, le=1024, examples=[8])
    master: Name | None = Field(default=None, examples=["sc://spark.example.org:15002"])
    table: Name | None = Field(default=None, examples=["prod.predictions"])
    options: dict[str, Any] = Field(default={}, examples=[{"address": "tcp://scheduler.example.org:8786"}])
    keep: bool = Field(default=False, examples=[True])

    @property
    def is_plugin(self) -> bool:
        """Whether another distribution has the engine."""
        return self.kind not in ENGINE_KINDS

    @model_validator(mode="after")
    def _options_of_a_plugin(self) -> EngineSection:
        if self.options and not self.is_plugin:
            reject_setting(
                "options are those of a plug-in.",
                got=self.kind,
                expected="kind, the name of an installed plug-in",
                fix="Remove the options, or name the plug-in.",
            )
        return self
