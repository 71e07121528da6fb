"""The guard: which credential allows what, and tokens that rotate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.access.audit_log import AuditLog
from serving.access.guard import ANYONE, Guard
from serving.access.tokens import Scope, Token
from serving.status import Code, Failure

if TYPE_CHECKING:
    from pathlib import Path

A, B = "a" * 16, "b" * 16


def code_of(guard: Guard, scope: Scope, given: bytes) -> Code:
    with pytest.raises(Failure) as caught:
        guard.check(scope, given)
    return caught.value.code


def test_labels_and_reloads_always_need_a_token() -> None:
    guard = Guard([Token.of(A, [Scope.LABELS], "store")])
    assert guard.check(Scope.LABELS, b"Bearer " + A.encode()) == "store"
    assert code_of(guard, Scope.LABELS, b"Bearer wrong") is Code.UNAUTHENTICATED
    assert code_of(guard, Scope.LABELS, b"") is Code.UNAUTHENTICATED
    assert code_of(guard, Scope.RELOAD, b"Bearer " + A.encode()) is Code.PERMISSION_DENIED
    assert code_of(Guard(), Scope.RELOAD, b"") is Code.PERMISSION_DENIED
    assert guard.refused == 3


def test_predictions_need_one_only_if_it_is_required() -> None:
    tokens = [Token.of(A, [Scope.LABELS]), Token.of(B, [Scope.PREDICT], "shop")]
    free = Guard(tokens)
    assert free.check(Scope.PREDICT, b"") == ANYONE
    assert free.check(Scope.PREDICT, b"Bearer anything") == ANYONE
    assert free.check(Scope.PREDICT, b"Bearer " + B.encode()) == "shop", "a name is known where it is given"
    asked = Guard(tokens, required=[Scope.PREDICT])
    assert asked.check(Scope.PREDICT, b"Bearer " + B.encode()) == "shop"
    assert code_of(asked, Scope.PREDICT, b"") is Code.UNAUTHENTICATED
    assert code_of(asked, Scope.PREDICT, b"Bearer " + A.encode()) is Code.PERMISSION_DENIED
    with pytest.raises(BadInput, match="No token allows metrics"):
        Guard(tokens, required=[Scope.METRICS])


def test_a_token_has_a_name_whatever_it_allows() -> None:
    guard = Guard([Token.of(A, [Scope.LABELS], "store")])
    assert guard.name_of(b"Bearer " + A.encode()) == "store"
    assert (guard.name_of(b"Bearer wrong"), guard.name_of(A.encode()), guard.refused) == (ANYONE, ANYONE, 0)


def test_tokens_rotate_without_a_restart(tmp_path: Path) -> None:
    file, now, said = tmp_path / "token", [0.0], list[str]()

    def write(text: str, mode: int = 0o600) -> None:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").chmod(mode)
        (tmp_path / "new").rename(file)
        now[0] += 2

    write(A)
    guard = Guard(file=file, report=said.append, clock=lambda: now[0])
    write(f"{A}\n{B}\n")
    assert guard.check(Scope.LABELS, b"Bearer " + B.encode()) == "token"
    write(B)
    assert code_of(guard, Scope.LABELS, b"Bearer " + A.encode()) is Code.UNAUTHENTICATED
    write(A, 0o644)
    assert guard.check(Scope.LABELS, b"Bearer " + B.encode()) == "token", "a file that is invalid changes nothing"
    file.unlink()
    now[0] += 2
    assert guard.check(Scope.LABELS, b"Bearer " + B.encode()) == "token"
    assert [text.partition(":")[0] for text in said] == [
        "The token file has been read again",
        "The token file has been read again",
        "The tokens stay as they were",
        "The tokens stay as they were",
    ]
    assert not any(A in text or B in text for text in said)


def test_what_is_allowed_and_refused_is_recorded(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "audit", report=pytest.fail)
    guard = Guard([Token.of(A, [Scope.LABELS], "store")])
    guard.audit = audit
    who = guard.check(Scope.LABELS, b"Bearer " + A.encode())
    guard.record("labels", who, labels=3)
    assert code_of(guard, Scope.LABELS, b"Bearer wrong-and-secret") is Code.UNAUTHENTICATED
    text = (tmp_path / "audit").read_text()
    assert [json.loads(line)["event"] for line in text.splitlines()] == ["labels", "refused"]
    assert not any(secret in text for secret in (A, "wrong-and-secret"))
