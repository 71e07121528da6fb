"""`pitfalls doctor --release`: every file is that of the release, or the line says what is wrong with which."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

ROOT = Path(__file__).parents[4]

#: A commit's name and the time of one.
COMMIT, EPOCH = "0123456789abcdef0123456789abcdef01234567", "1764547200"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A folder as `make release` describes it."""
    for name in ("pitfalls_tf-0.1.0.tar.gz", "monitor.cdx.json"):
        (tmp_path / name).write_text(f"the bytes of {name}")
    runpy.run_path(str(ROOT / ".ci" / "release.py"))["describe"](tmp_path, COMMIT, EPOCH)
    return tmp_path


def checked(pitfalls: Callable[..., Result], folder: Path) -> tuple[int, dict[str, str]]:
    """The exit code, and the text of each check."""
    result = pitfalls("doctor", "--release", folder, "--json")
    return result.exit_code, {check["name"]: check["text"] for check in json.loads(result.stdout)["checks"]}


def test_a_release_is_whole_with_a_signature_beside_its_statement(pitfalls: Callable[..., Result], dist: Path) -> None:
    (dist / "provenance.intoto.json.minisig").write_text("a signature, which is no file of the release")
    code, texts = checked(pitfalls, dist)
    assert (code, texts["provenance"]) == (0, f"built from commit {COMMIT}")
    assert "Every file is that of the release." in pitfalls("doctor", "--release", dist).stdout


def test_the_statement_is_in_toto_with_each_file_once(dist: Path) -> None:
    statement = json.loads((dist / "provenance.intoto.json").read_text())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["name"] for one in statement["subject"]] == ["monitor.cdx.json", "pitfalls_tf-0.1.0.tar.gz"]


@pytest.mark.parametrize(
    ("harm", "check", "said"),
    [
        (lambda dist: (dist / "monitor.cdx.json").write_text("other"), "checksums", "monitor.cdx.json has other bytes"),
        (
            lambda dist: (dist / "monitor.cdx.json").write_text("other"),
            "provenance",
            "monitor.cdx.json has other bytes",
        ),
        (lambda dist: (dist / "monitor.cdx.json").unlink(), "checksums", "monitor.cdx.json is missing"),
        (lambda dist: (dist / "more.whl").write_text(""), "provenance", "more.whl is not listed"),
        (lambda dist: (dist / "provenance.intoto.json").write_text("{}"), "provenance", "nothing says"),
        (lambda dist: (dist / "provenance.intoto.json").write_text("[]"), "checksums", "has other bytes"),
        (lambda dist: (dist / "SHA256SUMS").unlink(), "checksums", "nothing says which files belong to it"),
    ],
)
def test_each_harm_is_named(
    pitfalls: Callable[..., Result], dist: Path, harm: Callable[[Path], object], check: str, said: str
) -> None:
    harm(dist)
    code, texts = checked(pitfalls, dist)
    assert code == 3
    assert said in texts[check]


def test_no_folder_is_wrong_input(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    assert pitfalls("doctor", "--release", tmp_path / "none").exit_code == 2
