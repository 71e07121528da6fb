"""The sections `[[action]]`: what people may have done from an incident's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitoring.config.addresses import program, server_url
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import LocalPath, Name, Section
from monitoring.config.values import at_least_one, duration

#: The keys that each kind needs, and no other takes.
_NEEDED = {"command": ("command",), "roll_back": ("model_config_file", "label", "server")}

_LONGEST = timedelta(minutes=10)
_LONGEST_NAME = 60


def action_name(value: str) -> str:
    """Check the text of an action's button."""
    if not value.strip() or not value.isprintable() or len(value) > _LONGEST_NAME:
        reject_setting(
            "not the name of an action.",
            got=value,
            expected=f"a line of at most {_LONGEST_NAME} characters",
            fix='Write, for example, name = "Roll back".',
        )
    return value.strip()


def action_timeout(value: object) -> timedelta:
    """Parse how long an action may take: at most 10 minutes, as a person waits for it."""
    length = duration(value)
    if not timedelta(0) < length <= _LONGEST:
        reject_setting("not a timeout.", got=value, expected="a duration from 1s to 10m", fix='Write, say, "60s".')
    return length


class ActionSection(Section):
    """An action: `command` runs a program of this machine; `roll_back` moves a label of a model config file back."""

    name: Annotated[str, AfterValidator(action_name)] = Field(examples=["Roll back"])
    kind: Literal["command", "roll_back"] = Field(examples=["roll_back"])
    command: (
        Annotated[tuple[str, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(program)] | None
    ) = Field(default=None, examples=[["/usr/local/bin/stop-orders", "--shop", "north"]])
    model_config_file: LocalPath | None = Field(default=None, examples=["../serving/models.config"])
    label: Name | None = Field(default=None, examples=["stable"])
    server: Annotated[str, AfterValidator(server_url)] | None = Field(default=None, examples=["http://127.0.0.1:8501"])
    timeout: Annotated[timedelta, BeforeValidator(action_timeout)] = Field(
        default=timedelta(seconds=60), validate_default=False, examples=["60s"]
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for kind, names in _NEEDED.items():
            for name in names:
                if (getattr(self, name) is not None) != (kind == self.kind):
                    reject_setting(
                        f'a "{self.kind}" action and its keys do not fit.',
                        got=f"{name} is missing" if kind == self.kind else name,
                        expected=", ".join(_NEEDED[self.kind]),
                        fix=f"Add {name}." if kind == self.kind else f'It is a key of the kind "{kind}".',
                    )
        return self
