"""The base of the sections of `monitor.toml`, and the types of settings that several of them have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from monitoring.config.addresses import local_path
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.values import distinct, duration, non_empty, positive_duration, time_zone

Name = Annotated[str, AfterValidator(non_empty)]
Names = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(distinct)]
LocalPath = Annotated[Path, BeforeValidator(local_path)]
Horizon = Annotated[timedelta, BeforeValidator(duration), AfterValidator(positive_duration)]
Zone = Annotated[str, AfterValidator(time_zone)]


@dataclass(frozen=True, slots=True)
class CountedAs:
    """A mark of a setting of which something else than its value counts for evidence: `settings_digest`."""

    counted: Callable[[Any], object]


#: The mark of a setting that leaves what evidence means as it is. Any other begins a new deployment when it changes.
UNCOUNTED: Final = CountedAs(lambda _: None)

#: Names in whatever order.
NameSet = Annotated[Names, CountedAs(sorted)]


class Section(BaseModel):
    """The base of all sections: strict types, no unknown keys, checked defaults, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, validate_default=True)

    def replaced(self, **values: Any) -> Self:
        """The section with other values, which are not checked."""
        return self.model_copy(update=values)


def check_one_way(section: Section, name: str, *, whose: str, inline: bool = False, needed: bool = True) -> None:
    """Check that a setting that may be a secret is given in one way: file, environment, or config."""
    names = [name] * inline + [f"{name}_file", f"{name}_env"]
    names_set = [name for name in names if getattr(section, name) is not None]
    if len(names_set) > 1 or (needed and not names_set):
        reject_setting(
            f"{whose} needs its {name.replace('_', ' ')}, in one way.",
            got=", ".join(names_set) or None,
            expected=f"one of: {', '.join(names)}",
            fix=f'Write, for example, {name}_file = "secrets/{name}".',
        )
