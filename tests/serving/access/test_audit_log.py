"""The audit log: every change of an earlier line is found."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.access.audit_log import AuditLog, check_audit_log

if TYPE_CHECKING:
    from pathlib import Path


def written(file: Path, count: int = 3) -> list[str]:
    log = AuditLog(file, report=pytest.fail, clock_s=lambda: 0.0)
    for number in range(count):
        log.write("labels", "store", labels=number)
    return file.read_text().splitlines()


def test_lines_are_chained_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "audit"
    first = json.loads(written(file)[0])
    assert (first["time"], first["event"], first["who"], first["labels"]) == (
        "1970-01-01T00:00:00+00:00",
        "labels",
        "store",
        0,
    )
    written(file)  # another process, or the next start, goes on
    assert check_audit_log(file) == 6
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("change", ["edit", "remove", "swap", "insert"])
def test_a_change_is_found(tmp_path: Path, change: str) -> None:
    file = tmp_path / "audit"
    lines = written(file)
    changed = {
        "edit": [lines[0], lines[1].replace("store", "other"), lines[2]],
        "remove": [lines[0], lines[2]],
        "swap": [lines[0], lines[2], lines[1]],
        "insert": [lines[0], '{"event": "nothing"}', *lines[1:]],
    }[change]
    file.write_text("\n".join(changed) + "\n")
    with pytest.raises(BadInput, match="line 2"):
        check_audit_log(file)


def test_refusals_are_counted_and_do_not_fill_the_disk(tmp_path: Path) -> None:
    now = [100.0]
    log = AuditLog(tmp_path / "audit", report=pytest.fail, clock_s=lambda: now[0])
    for _ in range(1000):
        log.refused("labels", "")
    now[0] += 1
    log.refused("labels", "")
    counts = [json.loads(line)["count"] for line in (tmp_path / "audit").read_text().splitlines()]
    assert counts == [1, 1000]
    assert check_audit_log(tmp_path / "audit") == 2


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="The audit log cannot be written"):
        AuditLog(tmp_path / "none" / "audit", report=pytest.fail)
    said: list[str] = []
    log = AuditLog(tmp_path / "audit", report=said.append)
    (tmp_path / "audit").write_text("not ours\n")
    log.write("labels", "store")
    assert said == [f"The audit log {tmp_path / 'audit'} cannot be written: its last line is not one of its own."]
