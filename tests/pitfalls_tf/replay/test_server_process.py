"""The process of a server. A whole server runs in tests/end_to_end."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import CannotRun
from pitfalls_tf.replay.server_process import ServerFolders, ServerProcess


def test_a_server_that_cannot_start_is_reported_with_its_last_line(tmp_path: Path) -> None:
    folders = ServerFolders(models=tmp_path / "none", traffic=tmp_path / "traffic", process=tmp_path)
    with ServerProcess(folders, token="a-secret-of-the-test") as server:
        with pytest.raises(CannotRun, match=r"The server did not start.*exit code [23]: Error: .*server\.log"):
            server.start()
        assert server.starts == 1
    assert "a-secret" not in (tmp_path / "server.log").read_text("utf-8")
    assert not (tmp_path / "server.json").exists()


def test_a_server_that_was_not_started_stops_with_0(tmp_path: Path) -> None:
    folders = ServerFolders(models=tmp_path, traffic=tmp_path, process=tmp_path)
    assert ServerProcess(folders, token="secret").stop() == 0
