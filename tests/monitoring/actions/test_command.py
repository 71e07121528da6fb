from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from monitoring.actions.command import KEPT, run_program
from monitoring.errors import CannotRun


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_the_end_of_what_a_program_says_is_kept() -> None:
    code = "import sys; print('x' * 9999); print(sys.stdin.read(), file=sys.stderr, flush=True); print('over')"
    said = run_program(python(code), b'{"incident": 3}', timeout=20)
    assert len(said) <= KEPT
    assert said.startswith("x")
    assert said.endswith("over")


def test_its_arguments_are_not_read_by_a_shell_and_secrets_stay_here(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1], sorted(os.environ))"
    environ = {"PATH": "/usr/bin", "TOKEN": "secret"}
    said = run_program([*python(code), f"$(touch {tmp_path}/made)"], b"", timeout=20, environ=environ)
    assert said.startswith("$(touch ")
    assert "TOKEN" not in said
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_says_what_it_said() -> None:
    with pytest.raises(CannotRun, match="exit status 3; it said: no such shop"):
        run_program(python("print('no such shop'); raise SystemExit(3)"), b"", timeout=20)
    with pytest.raises(CannotRun, match="it cannot be started: No such file"):
        run_program(["/nowhere/stop"], b"", timeout=20)


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "late"
    child = f"import time; time.sleep(2); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-S', '-c', {child!r}]); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(CannotRun, match="was killed"):
        run_program(python(code), b"", timeout=1)
    assert time.monotonic() - begun < 30
    time.sleep(2)
    assert not mark.exists()
