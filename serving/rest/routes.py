"""Paths of the REST interface. What is matched is the raw path with its query, as TensorFlow Serving does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from serving.models.version_folders import LARGEST_VERSION
from serving.status import Failure, invalid
from serving.transport.bounded_cache import bounded_cache

VERSION_1 = re.compile(r"/v1/.*", re.IGNORECASE | re.DOTALL)
WHICH = r"(?:/(?:versions/(?P<version>[0-9]+)|labels/(?P<label>[^/:]+)))?"
CALL = re.compile(rf"/v1/models/(?P<model>[^/:]+){WHICH}:(?P<verb>classify|regress|predict)", re.IGNORECASE)
LOOK = re.compile(rf"/v1/models(?:/(?P<model>[^/:]+))?{WHICH}(?:/(?P<verb>metadata))?", re.IGNORECASE)
CALLS = {"predict", "classify", "regress"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRoute:
    """What is asked of which model."""

    verb: str
    """predict, classify, regress, metadata or status."""
    model: str
    version: int | None = None
    label: str | None = None


def is_ours(path: str) -> bool:
    """Whether the path belongs to this interface at all.

    >>> is_ours("/V1/anything"), is_ours("/favicon.ico")
    (True, False)
    """
    return VERSION_1.fullmatch(path) is not None


@bounded_cache
def read_route(method: str, path: str) -> RestRoute:
    """What a request asks for.

    >>> read_route("POST", "/v1/models/half%5Fplus%5Ftwo/versions/3:predict")
    RestRoute(verb='predict', model='half_plus_two', version=3, label=None)
    >>> read_route("GET", "/v1/models/m").verb
    'status'

    Raises:
        Failure: INVALID_ARGUMENT, also for a method that the path does not have: there is no 405 here.
    """
    match = {"POST": CALL, "GET": LOOK}[method].fullmatch(path) if method in {"POST", "GET"} else None
    verb = match["verb"] if match else None
    if match is None or (method == "POST" and verb not in CALLS):
        raise malformed(method, path)
    if not match["model"]:
        raise invalid("Missing model name in request.")
    return RestRoute(
        verb=verb if verb in CALLS or verb == "metadata" else "status",
        model=unquote(match["model"]),
        version=_version(match["version"]),
        label=None if match["label"] is None else unquote(match["label"]),
    )


def malformed(method: str, path: str) -> Failure:
    """The one answer to every request that is none of ours."""
    return invalid(f"Malformed request: {method} {path}")


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    if len(digits) > 19 or int(digits) > LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return int(digits)
