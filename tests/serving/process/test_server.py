"""`serving.Server`: a real server in its own process, as a notebook uses it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from monitoring.errors import BadInput, CannotRun
from serving import Server
from tests.serving.sums_model import load_sums


def test_a_folder_without_models_is_one_error_that_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"There is no model to serve.*pitfalls export"), Server(tmp_path):
        pass


def test_a_server_that_does_not_run_says_so() -> None:
    server = Server("models")
    assert repr(server) == "Server(not running)"
    with pytest.raises(BadInput, match="with Server"):
        server.predict("sums", [1.0])
    server.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with one of two signatures."""
    path = tmp_path_factory.mktemp("models")
    load_sums(path).close()
    return path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """The server, running."""
    with Server(folder, traffic=folder.parent / f"{folder.name}-traffic", grpc_port=0) as running:
        yield running


@pytest.mark.slow
def test_predictions_come_from_the_model_and_are_logged(server: Server, folder: Path) -> None:
    assert server.models == {"sums": (1,)}
    assert server.predict("sums", [{"a": [1.0, 2.0]}, {"a": [3.0, 4.0]}], signature="fixed") == [3.0, 7.0]
    assert server.predict("sums", [{"v": [1.0, 1.0, 1.0]}], signature="open", version=1) == [3.0]
    assert server.grpc is not None
    with urlopen(f"{server.url}/v1/models/sums") as answer:  # noqa: S310 - of this test's own server
        assert b"AVAILABLE" in answer.read()
    assert list((folder.parent / f"{folder.name}-traffic").iterdir())
    with pytest.raises(BadInput, match="refused the request with 404"):
        server.predict("others", [1.0])
    with pytest.raises(BadInput, match="runs already"):
        server.start()


@pytest.mark.slow
def test_a_port_in_use_is_one_error(server: Server, folder: Path) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(CannotRun, match=str(port)), Server(folder, port=port):
        pass


@pytest.mark.slow
def test_a_server_ends_with_the_process_that_started_it(folder: Path) -> None:
    script = f"""
        import os
        from serving import Server
        server = Server({str(folder)!r}).start()
        print(server._process.pid, flush=True)
        os._exit(9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    child = int(done.stdout)
    try:
        end = os.pidfd_open(child)
    except ProcessLookupError:
        return  # it has ended, and init has taken it
    assert select.select([end], [], [], 60.0)[0]
