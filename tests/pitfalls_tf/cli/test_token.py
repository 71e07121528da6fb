"""The token for posting labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.token import read_token


def test_a_file_overrides_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALLS_TOKEN", "from the environment")
    (tmp_path / "token").write_text("# of the feature store\n\n  from-a-file labels store\nanother\n")
    assert read_token(tmp_path / "token") == "from-a-file"
    assert read_token(None) == "from the environment"


@pytest.mark.parametrize("value", [None, ""])
def test_without_either_there_is_no_token(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PITFALLS_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("PITFALLS_TOKEN", value)
    assert read_token(None) is None


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff"], ids=["missing", "empty", "blank", "not text"])
def test_a_file_without_a_token_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(BadInput, match="token file cannot be used"):
        read_token(tmp_path / "token")
