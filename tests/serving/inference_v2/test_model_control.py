"""Who may load and unload models, and what is recorded of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from serving.access.audit_log import AuditLog
from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.inference_v2.model_control import ModelControl, check_load
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = b"Bearer " + b"r" * 16


async def switch(name: str, *, is_wanted: bool) -> None:
    if name == "gone":
        raise Failure(Code.NOT_FOUND, f"{name} {is_wanted}")


@pytest.mark.parametrize(
    ("control", "code"),
    [
        (ModelControl(is_allowed=True), Code.UNIMPLEMENTED),
        (ModelControl(switch=switch), Code.PERMISSION_DENIED),
        (ModelControl(switch=switch, is_allowed=True), Code.PERMISSION_DENIED),
        (
            ModelControl(switch=switch, is_allowed=True, guard=Guard([Token.of("q" * 16, [Scope.RELOAD])])),
            Code.UNAUTHENTICATED,
        ),
    ],
    ids=["a fixed list", "without --allow-reload", "without tokens", "another token"],
)
def test_models_are_switched_only_for_those_who_may(control: ModelControl, code: Code) -> None:
    with pytest.raises(Failure) as caught:
        control.authorize(TOKEN)
    assert caught.value.code is code


def test_every_switch_is_recorded_with_its_outcome(tmp_path: Path) -> None:
    guard = Guard([Token.of("r" * 16, [Scope.RELOAD], "deploy")])
    guard.audit = AuditLog(tmp_path / "audit", report=pytest.fail)
    control = ModelControl(switch=switch, is_allowed=True, guard=guard)
    who = control.authorize(TOKEN)
    asyncio.run(control.load("m", who))
    with pytest.raises(Failure, match="gone False"):
        asyncio.run(control.unload("gone", who))
    lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
    assert [(one["event"], one["who"], one["model"], one["status"]) for one in lines] == [
        ("load", "deploy", "m", "OK"),
        ("unload", "deploy", "gone", "NOT_FOUND"),
    ]


def test_a_model_is_loaded_as_it_is() -> None:
    check_load(None)
    check_load({})
    with pytest.raises(InvalidArgument, match="parameters are not offered"):
        check_load({"config": "{}"})
