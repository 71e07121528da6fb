"""A change puts a file in place of another, whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from monitoring.erasure.change import replaced_file


def test_a_file_is_replaced_when_the_change_is_applied_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o604)
    change = replaced_file(path, b"new", kind="table", name="f", rows=2, removed=1)
    assert path.read_bytes() == b"old"
    with path.open("rb") as reader:
        change.apply()
        assert reader.read() == b"old"  # who has opened it reads on
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o604
    assert change.erased.document() == {
        "kind": "table",
        "file": "f",
        "rows": 2,
        "removed": 1,
        "sha256_before": hashlib.sha256(b"old").hexdigest(),
        "sha256_after": hashlib.sha256(b"new").hexdigest(),
    }
