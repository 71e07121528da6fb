"""Real models, and a real server around them in this process, both made once."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import shutil
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pytest
import uvloop

from serving.capture.capture import Capture
from serving.inference.inference import Inference
from serving.inference_v2.model_control import ModelControl
from serving.metrics.metrics import ServerMetrics
from serving.metrics.model_metrics import ModelCounts
from serving.models.batch_settings import BatchSettings
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.server.http_app import HttpApp, HttpDependencies
from serving.server.labels_endpoint import LabelsEndpoint
from serving.server.shutdown import DrainingServer
from serving.transport.http_settings import HttpSettings
from serving.transport.sockets import Address, bind_address, url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from serving.capture.log_sink import RowWriter

CASES = Path(__file__).parent / "cases"
# A script that imports TensorFlow, for a process of its own.
collect_ignore = ["cases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Website:
    """A server that answers, and a client that sends exactly what it is told."""

    url: str
    connections: Callable[[], int] = lambda: 0
    """How many the server has open."""

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        address = self.url.removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, path, body=body or None, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Reply(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.getheaders()},
                body=answer.read(),
            )

    def predict(self, model: str, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("POST", f"/v1/models/{model}:predict", orjson.dumps(document), headers)


class OpenWebsite(Protocol):
    """``with open_website(writer=...) as website:`` runs a server around the models while the block runs."""

    def __call__(
        self,
        *,
        writer: RowWriter | None = None,
        batches: BatchSettings | None = None,
        rest: HttpSettings | None = None,
        labels_endpoint: LabelsEndpoint | None = None,
        timeout_s: float | None = 30.0,
        served: Models | None = None,
        capture: Capture | None = None,
        control: ModelControl | None = None,
    ) -> AbstractContextManager[Website]: ...


@pytest.fixture(scope="session")
def models_folder(pytestconfig: pytest.Config) -> Path:
    """The models of the cases, built once and kept in pytest's cache until their recipe changes."""
    recipe = CASES / "build_models.py"
    digest = hashlib.sha256(recipe.read_bytes()).hexdigest()[:12]
    folder = Path(pytestconfig.cache.mkdir("serving-models")) / digest
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other process of a parallel run builds them, or waits for these
        if not folder.is_dir():
            aside = folder.with_suffix(".building")
            shutil.rmtree(aside, ignore_errors=True)  # an interrupted build's
            subprocess.run([sys.executable, str(recipe), str(aside)], check=True, capture_output=True)
            aside.rename(folder)
    return folder


@pytest.fixture(scope="session")
def models(models_folder: Path) -> Iterator[Models]:
    """Those models, loaded."""
    labels = {"half_plus_two": {"stable": 123}}
    loaded = Models(lambda: discover(models_folder, labels), load=load_version, report=lambda _: None)
    loaded.poll()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def open_website(models: Models) -> OpenWebsite:
    @contextmanager
    def opened(
        *,
        writer: RowWriter | None = None,
        batches: BatchSettings | None = None,
        rest: HttpSettings | None = None,
        labels_endpoint: LabelsEndpoint | None = None,
        timeout_s: float | None = 30.0,
        served: Models | None = None,
        capture: Capture | None = None,
        control: ModelControl | None = None,
    ) -> Iterator[Website]:
        capture = capture or Capture(writer)
        counts = ModelCounts()
        inference = Inference(
            capture=capture,
            batches=batches,
            timeout_s=timeout_s,
            counts=counts,
            limiter=(rest or HttpSettings()).limiter(),
        )
        dependencies = HttpDependencies(
            models=served or models,
            inference=inference,
            capture=capture,
            labels_endpoint=labels_endpoint or LabelsEndpoint(),
            metrics=ServerMetrics(counts),
            control=control or ModelControl(),
        )
        started = threading.Event()
        with bind_address(Address(port=0)) as http_socket:
            server = DrainingServer(HttpApp(dependencies, rest), 5.0, started.set)
            # In a thread there are no signals to mind, so the server is told to stop by its own switch.
            running = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[http_socket])))
            running.start()
            assert started.wait(30)
            try:
                yield Website(url=url_of(http_socket), connections=lambda: len(server.server_state.connections))
            finally:
                server.should_exit = True
                running.join()
                inference.close()

    return opened


@pytest.fixture(scope="session")
def website(open_website: OpenWebsite) -> Iterator[Website]:
    """The server that the cases describe."""
    with open_website() as site:
        yield site
