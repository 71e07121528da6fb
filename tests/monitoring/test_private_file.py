from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.private_file import check_private, private_text


class RefusedError(Exception):
    """What the caller raises."""


def refusal(reason: str, fix: str) -> RefusedError:
    return RefusedError(f"{reason}|{fix}")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_its_owner_and_a_group_may_read_it(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("text\n")
    file.chmod(mode)
    assert private_text(file, refusal) == "text\n"
    check_private(file, refusal)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o610, 0o777])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("text\n")
    file.chmod(mode)
    for read in (private_text, check_private):
        with pytest.raises(RefusedError, match=f"mode 0{mode:o}.chmod 600 {file}"):
            read(file, refusal)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\xff", "it is not UTF-8"), (b" \n", "it is empty"), (b"x" * 11, "it is too large")],
)
def test_why_there_is_no_text_is_said(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    with pytest.raises(RefusedError, match=reason):
        private_text(file, refusal, most=10)


def test_a_file_that_is_not_there_is_not_private(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No such file"):
        check_private(tmp_path / "none", refusal)
