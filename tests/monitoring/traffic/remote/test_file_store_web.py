"""A log and tables behind a web server: read by the links of its pages, part by part, over HTTP."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pytest

from monitoring.errors import CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.remote.file_store import FileStore

if TYPE_CHECKING:
    from collections.abc import Iterator

# Its name must be encoded in a path, and once more in a URL.
MODEL = "a/b c%"


class Pages(SimpleHTTPRequestHandler):
    """The standard library's pages, and parts of files where they are asked for."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        path = self.translate_path(self.path)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or not os.path.isfile(path):  # noqa: PTH113 - what the handler itself goes by
            return super().send_head()
        content = Path(path).read_bytes()
        first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        self.send_response(206)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        return io.BytesIO(content[first : last + 1])


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of `tmp_path`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(tmp_path))) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def rows(request: str, day: int) -> AnsweredRows:
    moment = as_microseconds(datetime(2013, 4, day, tzinfo=UTC))
    return AnsweredRows(
        model=MODEL,
        version=1,
        signature="s",
        request_ids=[request] * 3,
        rows=range(3),
        event_times_us=np.arange(3) + moment,
        answered_at_us=moment,
        latencies_us=np.zeros(3, np.int64),
        inputs={"x": np.arange(3.0)},
        outputs={},
    )


def test_a_log_is_read_as_the_same_log_on_this_machine(tmp_path: Path, url: str) -> None:
    log = tmp_path / "the log"
    for day in (1, 2):
        writer = TrafficWriter(log, clock=lambda: datetime(2013, 4, 3, tzinfo=UTC))
        writer.append(rows(f"r{day}", day))
        writer.close()
    here, there = TrafficLog(log), TrafficLog(log_folder(f"{url}/the%20log"))
    assert there.models() == here.models()
    assert there.table(model=MODEL).equals(here.table(model=MODEL))
    assert there.table(model=MODEL).num_rows == 6


def test_files_are_found_by_patterns_and_told_apart_when_they_change(tmp_path: Path, url: str) -> None:
    store = FileStore(url)
    for name in ("a.csv", "b.csv", "c.txt"):
        (tmp_path / name).write_text(name)
    assert store.matching("*.csv") == ["a.csv", "b.csv"]
    assert store.read("a.csv") == b"a.csv"
    before = store.stamp("a.csv")
    (tmp_path / "a.csv").write_text("another")
    assert store.stamp("a.csv") != before


def test_what_is_not_there_is_told(url: str) -> None:
    with pytest.raises(CannotRun, match="file store cannot be read"):
        FileStore(url).read("none.csv")


def test_a_server_that_does_not_answer_is_no_log_without_files(url: str) -> None:
    assert FileStore(f"{url}/nothing").find() == []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        with pytest.raises(CannotRun, match="file store cannot be read"):
            FileStore(f"http://127.0.0.1:{taken.getsockname()[1]}/traffic").find()
