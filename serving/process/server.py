"""`serving.Server`: a model server that runs as long as a block of Python does."""

from __future__ import annotations

import json
import secrets
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from monitoring.errors import BadInput, CannotRun
from serving.client.client import Client

#: A server that drains has this long before it is ended.
STOP_S = 40.0
#: Characters of the server's own lines that an error quotes.
QUOTED = 2_000


class Server:
    """A model server in a process of its own, on free ports of this machine; a context manager.

    It is the server that `pitfalls serve` runs, with that one's defaults: TensorFlow Serving's REST and gRPC APIs and
    the Open Inference Protocol, every prediction logged before it is sent. It listens on the loopback address alone.

    >>> with Server("models", traffic="traffic") as server:  # doctest: +SKIP
    ...     server.predict("lender", [{"income": 2500.0}])
    [0.31]

    Cost: TensorFlow's import, 4 to 10 seconds, at the start.
    """

    def __init__(
        self,
        models: str | Path,
        *,
        traffic: str | Path | None = None,
        port: int = 0,
        grpc_port: int | None = None,
        start_timeout: float = 120.0,
    ) -> None:
        """Describe the server; nothing runs before `start` or the `with` block.

        Args:
            models: The folder of NAME/VERSION folders, as `pitfalls export --models` makes it.
            traffic: The folder of the traffic log; None: nothing is logged.
            port: The port of REST; 0: one that is free.
            grpc_port: The port of gRPC; 0: one that is free; None: no gRPC.
            start_timeout: Seconds until the first request has to be answered.
        """
        self._settings = {
            "models": str(Path(models).absolute()),
            "traffic": None if traffic is None else str(Path(traffic).absolute()),
            "port": port,
            "grpc_port": grpc_port,
            "token": secrets.token_urlsafe(24),
        }
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[str] | None = None
        self._info: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """The address of the REST interface, such as ``http://127.0.0.1:8501``."""
        return str(self._running()["url"])

    @property
    def grpc(self) -> str | None:
        """The address of the gRPC interface, such as ``127.0.0.1:8500``; None without one."""
        address: str | None = self._running()["grpc"]
        return address

    @property
    def models(self) -> dict[str, tuple[int, ...]]:
        """Every model at the start, and its available versions, newest first."""
        return {name: tuple(versions) for name, versions in self._running()["models"].items()}

    def start(self) -> Self:
        """Start the process, and wait until it answers.

        Returns:
            The server.

        Raises:
            BadInput: There is no model in the folder.
            CannotRun: No model can be loaded, a port is in use, or the server was not ready in time.
        """
        if self._process is not None:
            raise BadInput("The server runs already.", got=self.url, expected="one start", fix="Stop it first.")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "serving.process.child"]
        self._process = process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._log, text=True)
        print(json.dumps(self._settings), file=process.stdin, flush=True)  # stays open until the end
        answer = self._first_line(cast("IO[str]", process.stdout))
        if "error" in answer:
            error = answer["error"]
            self.stop()
            kind = BadInput if error["kind"] == "BadInput" else CannotRun
            raise kind(error["message"], got=error["got"], expected=error["expected"], fix=error["fix"])
        self._info = answer
        return self

    def stop(self) -> None:
        """Answer what was accepted, and end; nothing happens without a process."""
        if self._process is None:
            return
        process, self._process, self._info = self._process, None, {}
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdin, process.stdout, self._log):
            if stream is not None:
                stream.close()

    def client(self, *, timeout: float = 30.0) -> Client:
        """A client of the server, by gRPC where it has that, whose token may send labels.

        Args:
            timeout: Seconds for each request.
        """
        return Client(self.url, grpc=self.grpc, token=str(self._settings["token"]), timeout=timeout)

    def predict(
        self,
        model: str,
        instances: Sequence[Any],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float = 30.0,
    ) -> list[Any]:
        """Predictions for rows, by TensorFlow Serving's REST API.

        Args:
            model: The model's name.
            instances: Rows, each a value or a mapping of input names to values, as JSON has them.
            version: The version; None: the newest.
            signature: The signature; None: the default one.
            timeout: Seconds.

        Returns:
            One prediction for each row.

        Raises:
            BadInput: The server refused the request; its reason is in the error.
            CannotRun: It did not answer.
        """
        place = f"/v1/models/{quote(model, safe='')}" + ("" if version is None else f"/versions/{version}")
        body: dict[str, Any] = {"instances": list(instances)}
        if signature is not None:
            body["signature_name"] = signature
        answer = self.post(f"{place}:predict", body, timeout=timeout)
        predictions: list[Any] = answer["predictions"]
        return predictions

    def post(self, path: str, document: Mapping[str, Any], *, timeout: float = 30.0) -> dict[str, Any]:
        """Any other request of the REST API: a JSON document to a path, and the answer's document.

        Args:
            path: With a slash at its beginning.
            document: The body.
            timeout: Seconds.

        Returns:
            The answer.

        Raises:
            BadInput: The server refused the request; its reason is in the error.
            CannotRun: It did not answer.
        """
        request = Request(  # noqa: S310 - of this object's own server
            self.url + path, json.dumps(document).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=timeout) as response:  # noqa: S310 - as above
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            raise BadInput(
                f"The server refused the request with {error.code}.",
                got=error.read().decode("utf-8", "replace")[:QUOTED],
                expected="a request that the model's signature takes",
                fix="GET /v1/models/NAME/metadata shows the signature.",
            ) from None
        except (URLError, TimeoutError) as error:
            raise CannotRun(
                "The server did not answer.", got=str(error), expected=f"an answer in {timeout:g} s", fix=self._lines()
            ) from None
        return answer

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"at {self._info['url']}, {', '.join(self._info['models'])}" if self._info else "not running"
        return f"Server({state})"

    def _running(self) -> dict[str, Any]:
        if not self._info:
            raise BadInput(
                "The server does not run.", got="no process", expected="a started one", fix="Use `with Server(…) as s:`"
            )
        return self._info

    def _first_line(self, out: IO[str]) -> dict[str, Any]:
        """What the child says first: where it listens, or why it cannot."""
        ready, _, _ = select.select([out], [], [], self._start_timeout)
        line = out.readline() if ready else ""
        if not line:
            waited = "it ended" if ready else f"nothing after {self._start_timeout:g} s"
            lines = self._lines()
            self.stop()
            raise CannotRun(
                "The server did not start.", got=f"{waited}; {lines}", expected="a ready server", fix="Read its lines."
            )
        document: dict[str, Any] = json.loads(line)
        return document

    def _lines(self) -> str:
        """The last of what the server wrote."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-QUOTED:].strip() or "it wrote nothing"
