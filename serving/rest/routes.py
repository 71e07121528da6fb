"""Paths of the REST interface. The raw path with its query is matched, as in TensorFlow Serving."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from serving.models.served_version import ServedVersion, VersionStatus
from serving.models.version_folders import LARGEST_VERSION
from serving.status import InvalidArgument
from serving.transport.http_request import bounded_cache


def write_status(statuses: Sequence[VersionStatus]) -> bytes:
    """``tensorflow.serving.GetModelStatusResponse`` as protobuf's JSON prints it; versions are strings."""
    versions = [
        {
            "version": str(status.number),
            "state": str(status.state),
            "status": {"error_code": status.code.name, "error_message": status.message},
        }
        for status in statuses
    ]
    return json.dumps({"model_version_status": versions}, indent=1, ensure_ascii=False).encode() + b"\n"


def write_metadata(served: ServedVersion) -> bytes:
    """The signatures of a version with every default written out; about 1 ms a signature."""
    from google.protobuf import json_format  # noqa: PLC0415 - loaded with the messages, by a model's runner

    signatures: dict[str, Any] = {
        name: json_format.MessageToDict(
            definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for name, definition in served.runner.signature_definitions.items()
    }
    document = {
        "model_spec": {"name": served.model, "signature_name": "", "version": str(served.number)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


PREFIXES = ("/v1/", "/V1/")
VERSION = r"(?:/(?:versions/(?P<version>[0-9]+)|labels/(?P<label>[^/:]+)))?"
VERB = re.compile(rf"/v1/models/(?P<model>[^/:]+){VERSION}:(?P<verb>classify|regress|predict)", re.IGNORECASE)
PAGE = re.compile(rf"/v1/models(?:/(?P<model>[^/:]+))?{VERSION}(?:/(?P<verb>metadata))?", re.IGNORECASE)
VERBS = {"predict", "classify", "regress"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRoute:
    """A model, a version and the verb or page that is requested of it."""

    verb: str
    """predict, classify, regress, metadata or status."""
    model: str
    version: int | None = None
    label: str | None = None


def is_v1(path: str) -> bool:
    """Recognise a path of this interface.

    >>> is_v1("/V1/anything"), is_v1("/favicon.ico")
    (True, False)
    """
    return path.startswith(PREFIXES)


@bounded_cache
def read_route(method: str, path: str) -> RestRoute:
    """Parse a request's path.

    >>> read_route("POST", "/v1/models/half%5Fplus%5Ftwo/versions/3:predict")
    RestRoute(verb='predict', model='half_plus_two', version=3, label=None)
    >>> read_route("GET", "/v1/models/m").verb
    'status'
    """
    match = {"POST": VERB, "GET": PAGE}[method].fullmatch(path) if method in {"POST", "GET"} else None
    verb = match["verb"] if match else None
    if match is None or (method == "POST" and verb not in VERBS):
        raise InvalidArgument(malformed(method, path))
    if not match["model"]:
        raise InvalidArgument("Missing model name in request.")
    return RestRoute(
        verb=verb if verb in VERBS or verb == "metadata" else "status",
        model=unquote(match["model"]),
        version=_version(match["version"]),
        label=None if match["label"] is None else unquote(match["label"]),
    )


def malformed(method: str, path: str) -> str:
    """The error message for a method or path that does not exist."""
    return f"Malformed request: {method} {path}"


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    if len(digits) > 19 or int(digits) > LARGEST_VERSION:
        raise InvalidArgument(f"Failed to convert version: {digits} to numeric.")
    return int(digits)
