"""Tokens: their files, their scopes, and how one is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.access.tokens import Scope, Token, find_token, read_tokens

if TYPE_CHECKING:
    from pathlib import Path

A, B = "a" * 16, "b" * 32


def token_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "token"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_line_has_scopes_and_a_name(tmp_path: Path) -> None:
    plain, named = read_tokens(token_file(tmp_path, f"# ours\n{A}\n\n{B} predict,metrics shop # since May\n"))
    assert (plain.name, set(plain.scopes)) == ("token", {Scope.LABELS})
    assert (named.name, set(named.scopes)) == ("shop", {Scope.PREDICT, Scope.METRICS})
    assert find_token(b"Bearer " + B.encode(), [plain, named]) is named
    for wrong in (b"", b"Bearer ", A.encode(), b"bearer " + A.encode(), b"Bearer " + A.encode() + b" "):
        assert find_token(wrong, [plain, named]) is None


def test_an_admin_may_do_everything() -> None:
    admin = Token.of(A, [Scope.ADMIN])
    assert all(admin.allows(scope) for scope in Scope)
    assert A not in repr(admin)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadInput, match=r"others may read or write it: mode 0.*chmod 600"):
        read_tokens(token_file(tmp_path, A, mode))


def test_a_group_may_read_the_file(tmp_path: Path) -> None:
    assert len(read_tokens(token_file(tmp_path, A, 0o440))) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("# nothing\n", "it is empty"),
        ("hunter2", "line 1: 7 bytes"),
        (f"{A}\n{B} predict,everything", "line 2 has an unknown scope"),
        (f"{A} predict sh\x1bop", "line 1 has an invalid name"),
        (f"{A} predict shop more", "line 1 has 4 words"),
    ],
)
def test_an_invalid_line_is_named_without_its_token(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        read_tokens(token_file(tmp_path, text))
    assert not any(secret in str(caught.value) for secret in (A, B, "hunter2"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_tokens(tmp_path / "none")
