from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.dashboard.access.tokens import REREAD_S, Token, TokenFile, digest_of, read_tokens, role_of
from monitoring.errors import BadInput

ACTS, LOOKS, ALSO = "acts-1234567890abc", "looks-1234567890ab", "also-1234567890abc"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_line_says_what_its_token_may_do(tmp_path: Path) -> None:
    text = f"# of the wall\n{LOOKS} read   # the wall\n\n{ACTS}\n{ALSO} read rows\nfourth-1234567890 act\n"
    tokens = read_tokens(written(tmp_path / "token", text))
    roles = [role_of(digest_of(text), tokens) for text in (ACTS, LOOKS, ALSO, "fourth-1234567890", "none")]
    assert roles == ["act", "read", "rows", "act", None]
    assert ACTS not in repr(tokens)


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        (f"{ACTS}\n", 0o644, "others may read or write it: mode 0644"),
        (f"{ACTS}\n", 0o620, "others may read or write it: mode 0620"),
        ("short\n", 0o600, "line 1 has a token of 5 bytes"),
        ("x\n", 0o600, "line 1 has a token of 1 bytes"),
        (f"{ACTS}\n{LOOKS} reader\n", 0o600, "line 2 does not say what its token may do"),
        (f"{ACTS}\n{LOOKS} read row\n", 0o600, "line 2 does not say what its token may do"),
        (f"{ACTS}\n{LOOKS} labels shop\n", 0o600, "line 2 does not say what its token may do"),
        ("abcdefghijklmnopqrst#uvwx reader\n", 0o600, "line 1 has a # in its token"),
        (f"{LOOKS} read\n", 0o600, "each of its tokens may read only"),
        (f"{ACTS}\n{ACTS} read\n", 0o600, "it has a token twice"),
        (" \n", 0o600, "it is empty"),
        ("# nothing\n", 0o600, "it is empty"),
    ],
)
def test_a_file_that_does_not_say_what_is_meant_is_refused(tmp_path: Path, text: str, mode: int, reason: str) -> None:
    with pytest.raises(BadInput, match="token file cannot be used") as refused:
        read_tokens(written(tmp_path / "token", text, mode))
    assert reason in refused.value.got
    assert not any(word in str(refused.value) for word in (ACTS, LOOKS, "abcdefghijklmnopqrst"))


def test_a_group_may_read_it(tmp_path: Path) -> None:
    assert read_tokens(written(tmp_path / "token", ACTS, 0o440)) == (Token.of(ACTS),)


def test_a_file_that_changes_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    lines, now = list[str](), [0.0]
    file = TokenFile(written(tmp_path / "token", ACTS), lines.append, lambda: now[0])
    written(tmp_path / "token", f"{ALSO}\n{LOOKS} read\n")
    assert file.tokens() == (Token.of(ACTS),)
    now[0] += REREAD_S
    assert file.tokens() == (Token.of(ALSO), Token.of(LOOKS, "read"))
    assert lines == ["The dashboard's token file has been read again: 2 tokens."]
    written(tmp_path / "token", f"{ALSO} reader\n")
    now[0] += REREAD_S
    assert len(file.tokens()) == 2
    assert lines[1].startswith("The dashboard's tokens stay as they were: The token file cannot be used.")
    now[0] += REREAD_S
    assert (len(file.tokens()), len(lines)) == (2, 2)
    (tmp_path / "token").unlink()
    now[0] += REREAD_S
    assert (len(file.tokens()), len(lines)) == (2, 3)
