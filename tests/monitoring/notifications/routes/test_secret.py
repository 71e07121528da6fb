from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.notifications.routes.secret import read_secret


def kept(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    file = folder / "key"
    file.write_bytes(content)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_secret_is_the_line_of_a_file(tmp_path: Path, mode: int) -> None:
    assert read_secret(kept(tmp_path, b" key \n", mode), None) == "key"


def test_a_secret_is_a_variable_of_the_environment() -> None:
    assert read_secret(None, "KEY", environ={"KEY": "key\n"}) == "key"
    assert read_secret(None, None) is None


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadInput, match=f"mode {mode:04o}.*chmod 600") as caught:
        read_secret(kept(tmp_path, b"hidden\n", mode), None)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hidden\nhidden", "one line of ASCII"),
        ("hiddené".encode(), "one line of ASCII"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_quoted(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        read_secret(kept(tmp_path, content), None)
    assert "hidden" not in str(caught.value)
    with pytest.raises(BadInput, match="too large"):
        read_secret(kept(tmp_path, b"x" * 20_000), None)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_secret(tmp_path / "none", None)
    with pytest.raises(BadInput, match="the variable KEY: it is empty"):
        read_secret(None, "KEY", environ={})
