"""Paths of the protocol. They are case-sensitive; a query is ignored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from serving.models.version_folders import LARGEST_VERSION
from serving.status import InvalidArgument
from serving.transport.http_request import bounded_cache

PREFIX = re.compile(r"/v2(?:[/?].*)?", re.DOTALL)
MODEL = re.compile(
    r"/v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?(?:/(?P<verb>ready|infer|config|stats))?"
)
CONTROL = re.compile(r"/v2/repository/models/(?P<model>[^/]+)/(?P<verb>load|unload)")
#: Pages by path.
PAGES = {
    "/v2": "server",
    "/v2/": "server",
    "/v2/health/live": "live",
    "/v2/health/ready": "server_ready",
    "/v2/models": "models",
    "/v2/models/stats": "stats",
    "/v2/repository/index": "index",
}
POSTED = {"index", "infer", "load", "unload"}


@dataclass(frozen=True, slots=True, kw_only=True)
class V2Route:
    """A page, and the model that it is about."""

    page: str
    """server, live, server_ready, models, index, stats (of all); of a model: metadata, ready, infer, config, stats,
    load, unload."""
    model: str = ""
    version: int | None = None

    @property
    def method(self) -> str:
        """The page's only method."""
        return "POST" if self.page in POSTED else "GET"


def is_v2(target: str) -> bool:
    """Recognise a path of this protocol.

    >>> is_v2("/v2"), is_v2("/v2/anything"), is_v2("/v22")
    (True, True, False)
    """
    return PREFIX.fullmatch(target) is not None


def is_control(target: str) -> bool:
    """Whether a request loads or unloads a model, which has a credential of its own.

    >>> is_control("/v2/repository/models/m/load"), is_control("/v2/repository/index")
    (True, False)
    """
    return CONTROL.fullmatch(target.partition("?")[0]) is not None


def is_health(target: str) -> bool:
    """Whether a request is a probe of the server's health, which needs no token.

    >>> is_health("/v2/health/live"), is_health("/v2/models")
    (True, False)
    """
    return PAGES.get(target.partition("?")[0]) in {"live", "server_ready"}


@bounded_cache
def read_route(target: str) -> V2Route | None:
    """Parse a request's target. Returns the route; None for a path that does not exist.

    >>> read_route("/v2/models/a%2Fb/versions/3/infer")
    V2Route(page='infer', model='a/b', version=3)
    """
    path = target.partition("?")[0]
    if path in PAGES:
        return V2Route(page=PAGES[path])
    control = CONTROL.fullmatch(path)
    if control is not None:
        return V2Route(page=control["verb"], model=unquote(control["model"]))
    match = MODEL.fullmatch(path)
    if match is None:
        return None
    return V2Route(
        page=match["verb"] or "metadata", model=unquote(match["model"]), version=read_version(match["version"] or "")
    )


def read_version(text: str) -> int | None:
    """Parse the number of a version. Returns the number; None for the newest available version.

    >>> read_version("3"), read_version("")
    (3, None)
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= LARGEST_VERSION):
        raise InvalidArgument(f"A version is an integer of at most 64 bits, not {text}")
    return int(text)
