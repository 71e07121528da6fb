"""The user's own metrics in `monitor.toml`: a name, and the function of rows that it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Names, Section

#: Names stand in messages, in JSON and in queries as they are.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FUNCTION = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*)")


def metric_name(value: str) -> str:
    """Check the name of a metric."""
    if not _NAME.fullmatch(value):
        reject_setting(
            "not a metric's name.",
            got=value,
            expected="small letters, digits and underscores, a letter first, at most 40",
            fix='Write, for example, name = "missed_calls".',
        )
    return value


def metric_function(value: str) -> str:
    """Check the form of a function's place; whether it is there shows when it is needed."""
    if not _FUNCTION.fullmatch(value):
        reject_setting(
            "not the place of a function.",
            got=value,
            expected='"MODULE:FUNCTION", both as Python names them',
            fix='Write, for example, function = "my_metrics:missed_calls".',
        )
    return value


class MetricSection(Section):
    """A metric of the user's own: a Python function of labelled rows, which returns a number in [0, 1] for each.

    The module is a file next to the config, or any that Python can import. `inputs` are those of the model that the
    function reads. The metric is a loss, unless higher is better. `tolerance` is the rise, or fall, that is harmless.
    """

    name: Annotated[str, AfterValidator(metric_name)] = Field(examples=["missed_calls"])
    function: Annotated[str, AfterValidator(metric_function)] = Field(examples=["my_metrics:missed_calls"])
    inputs: Names = Field(default=(), examples=[["distance"]])
    tolerance: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] | None = Field(
        default=None, examples=[0.02]
    )
    higher_is_better: bool = Field(default=False, examples=[True])
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _in_folder(self, info: ValidationInfo) -> MetricSection:
        self._folder = Path((info.context or {}).get("folder", ""))
        return self

    @property
    def folder(self) -> Path:
        """The folder of the config file."""
        return self._folder

    def in_folder(self, folder: Path) -> MetricSection:
        """The metric of a config that will lie in another folder."""
        section = self.model_copy()
        section._folder = folder  # noqa: SLF001 - a copy of this section
        return section

    @property
    def module(self) -> str:
        """The module's name."""
        return self.function.partition(":")[0]

    @property
    def function_name(self) -> str:
        """The function's name in its module."""
        return self.function.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDraft:
    """A metric of your own for a new monitor, with the keys of a [[metric]] section; checked with the other settings.

    >>> MetricDraft(name="missed_calls", function="my_metrics:missed_calls").settings
    {'name': 'missed_calls', 'function': 'my_metrics:missed_calls'}

    Attributes:
        name: Small letters, digits and underscores.
        function: MODULE:FUNCTION; it takes a `MetricRows`, and returns a number in [0, 1] for each row.
        inputs: The inputs of the model that the function reads.
    """

    name: str
    function: str
    inputs: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The section's keys."""
        return {key: value for key, value in asdict(self).items() if value}


def distinct_metrics(value: Sequence[MetricSection]) -> tuple[MetricSection, ...]:
    """Check that metrics have names of their own."""
    names = [metric.name for metric in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        reject_setting("duplicate name.", got=twice[0], expected="another name for each metric", fix="Change one.")
    return tuple(value)


Metrics = Annotated[tuple[MetricSection, ...], Field(strict=False), AfterValidator(distinct_metrics)]
