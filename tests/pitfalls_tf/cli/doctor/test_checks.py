"""`pitfalls doctor`: what works, what is absent, and what fails."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from pitfalls_tf.cli.doctor import checks


def test_one_screen_says_what_works(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    result = pitfalls("doctor", "--quick", "--folder", tmp_path, "--ports", "")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) < 50
    assert "SQLite: made, opened and removed" in result.stdout
    assert "Everything that is installed works." in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_fails_has_its_line_a_fix_and_the_exit_code(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    store = tmp_path / "other.db"
    store.write_text("This is no database, but some text that is longer than a header.")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = pitfalls("doctor", "--quick", "--ports", str(port), "--store", f"sqlite:///{store}", "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    by_name = {check["name"]: check for check in document["checks"]}
    assert document["ok"] is False
    assert (by_name[str(port)]["state"], by_name["store"]["state"]) == ("absent", "wrong")
    assert by_name["store"]["fix"]
    assert store.read_text().startswith("This is no database")


@pytest.mark.parametrize("ports", ["8501,eight", "0", "70000"])
def test_what_is_no_port_is_wrong_input(pitfalls: Callable[..., Result], ports: str) -> None:
    assert pitfalls("doctor", "--quick", "--ports", ports).exit_code == 2


def test_a_missing_extra_names_what_it_adds_and_a_broken_one_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    optional = {"no-such-library": ("no_such", "nothing", "[none]"), "numpy": ("no_such_module", "arrays", "[numpy]")}
    monkeypatch.setattr(checks, "OPTIONAL", optional)
    absent = checks._optional("no-such-library", is_quick=False)
    assert (absent.state, absent.text, absent.fix) == ("absent", "adds nothing", "pip install 'pitfalls-tf[none]'")
    broken = checks._optional("numpy", is_quick=False)
    assert broken.state == "wrong"
    assert "No module named 'no_such_module'" in broken.text
