from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from monitoring.notifications.routes.command import command_input, run_command
from tests.monitoring.notifications.receivers import OPENED

SHELL = "/bin/sh"


def test_a_program_reads_the_document_and_gets_few_variables(tmp_path: Path) -> None:
    out = tmp_path / "out"
    environ = {"PATH": os.environ["PATH"], "LANG": "C", "SECRET": "secret", "HOME": str(tmp_path)}
    text = command_input(OPENED, link="https://m/3")
    run_command([SHELL, "-c", 'cat > "$1"; env >> "$1"', "x", str(out)], text, timeout=10, environ=environ)
    first, *variables = out.read_text("utf-8").splitlines()
    assert json.loads(first) == {**OPENED.document.plain(), "link": "https://m/3"}
    assert {line.partition("=")[0] for line in variables} <= {"PATH", "LANG", "HOME", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "link" not in json.loads(command_input(OPENED, link=None))


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    run_command([sys.executable, "-c", "import sys; open(sys.argv[1], 'x')", f"{tmp_path}/a; b"], b"{}\n", timeout=30)
    assert (tmp_path / "a; b").exists()


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(ConnectionError, match=r"^exit status 3: second line$"):
        run_command([SHELL, "-c", "echo first >&2; echo second line >&2; exit 3"], b"", timeout=10)
    with pytest.raises(ConnectionError, match=r"^exit status 1$"):
        run_command(["false"], b"x" * 1_000_000, timeout=10)
    with pytest.raises(ConnectionError, match="cannot be started: No such file"):
        run_command(["/none/such"], b"", timeout=10)


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=r"not finished within 0\.3 s"):
        run_command([SHELL, "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"], b"", timeout=0.3)
    assert time.monotonic() - began < 10
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):  # it is a zombie until the system's first process has looked
        if not Path(f"/proc/{child}").exists() or Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        pytest.fail("the child lives on")
