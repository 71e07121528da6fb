"""Requests to the server's HTTP port, with errors that a program can tell apart."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from monitoring.errors import BadInput, CannotRun

#: Statuses of a request that was right: the server could not answer it now.
_NOT_NOW = frozenset({408, 425, 429})
#: Characters of an answer that an error quotes.
_QUOTED = 1_000


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """The document of an answer, and its headers in lower case."""

    document: dict[str, Any]
    headers: Mapping[str, str]


class RestConnection:
    """Connections to one server that are kept open. Safe for threads.

    Args:
        url: Such as ``http://127.0.0.1:8501``.
        timeout: Seconds for each request.
        token: Sent with each request.
        ca_file: Certificates that the server's is checked by; None: those of the machine.

    Raises:
        BadInput: The URL is none of HTTP, or the file of certificates cannot be read.
    """

    def __init__(self, url: str, timeout: float, token: str | None, ca_file: str | None) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if not url.startswith(("http://", "https://")):
            raise BadInput(
                "This is no address of a server.",
                got=url,
                expected="a URL that begins with http:// or https://",
                fix="For example http://127.0.0.1:8501, as `pitfalls serve` prints it.",
            )
        try:
            verify = True if ca_file is None else ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise BadInput(
                "The certificates cannot be read.",
                got=f"{ca_file}: {error.strerror or error}",
                expected="a PEM file",
                fix="Correct ca_file.",
            ) from None
        self._http = httpx.Client(headers=headers, timeout=timeout, verify=verify, trust_env=False)

    def get(self, path: str) -> dict[str, Any]:
        """The document at a path. Raises BadInput if it is refused, CannotRun without an answer."""
        return self._send("GET", path, None, {}).document

    def post(self, path: str, document: Mapping[str, Any], headers: Mapping[str, str]) -> RestAnswer:
        """Send a document. Raises BadInput if it is refused, CannotRun without an answer."""
        body = json.dumps(document).encode()  # NaN and the infinities as the words that the server reads
        return self._send("POST", path, body, {"Content-Type": "application/json", **headers})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> RestAnswer:
        try:
            response = self._http.request(method, self._url + path, content=body, headers=dict(headers))
        except httpx.TimeoutException:
            _raise_silent(f"no answer within {self._timeout:g} s", self._url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _raise_silent(str(error) or type(error).__name__, self._url)
        status = response.status_code
        if status != httpx.codes.OK:
            raise_refused(status in _NOT_NOW or status >= httpx.codes.INTERNAL_SERVER_ERROR, _reason(response), path)
        try:
            document: dict[str, Any] = json.loads(response.content)
        except ValueError:
            raise _no_server(response.text) from None
        return RestAnswer(document, response.headers)


def part_of(document: Any, *path: str) -> Any:
    """A part of an answer. Raises CannotRun where the answer has none: it is not of a model server.

    >>> part_of({"a": {"b": 3}}, "a", "b")
    3
    """
    part = document
    for name in path:
        if not isinstance(part, dict) or name not in part:
            raise _no_server(json.dumps(document))
        part = part[name]
    return part


def _no_server(answer: str) -> CannotRun:
    return CannotRun(
        "The answer is not that of a model server.",
        got=answer[:_QUOTED],
        expected="a JSON object as TensorFlow Serving's",
        fix="Look what listens at the address.",
    )


def _reason(response: httpx.Response) -> str:
    """What the server says, after the status."""
    try:
        text = str(json.loads(response.content)["error"])
    except (ValueError, KeyError, TypeError):
        text = response.text
    return f"{response.status_code}: {text[:_QUOTED]}"


def raise_refused(is_of_server: bool, reason: str, asked: str) -> NoReturn:  # noqa: FBT001 - the only question
    """Raise what the server has answered: CannotRun where the same request may succeed later, else BadInput."""
    if is_of_server:
        raise CannotRun(
            "The server could not answer.", got=reason, expected=f"an answer of {asked}", fix="Send it again later."
        )
    raise BadInput(
        "The server refused the request.",
        got=reason,
        expected="a model, a version and inputs that the server has, and a token if it asks for one",
        fix=f"Correct the request to {asked}.",
    )


def _raise_silent(why: str, address: str) -> NoReturn:
    raise CannotRun(
        "The server did not answer.",
        got=why,
        expected=f"a server at {address}",
        fix="Look whether it runs; a larger `timeout` waits longer.",
    ) from None
