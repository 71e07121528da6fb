"""What an HTTP connection needs of the application that answers its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.transport.http_request import Request
    from serving.transport.http_response import Response
    from serving.transport.http_settings import HttpSettings
    from serving.transport.limits import Crowd


class HttpApplication(Protocol):
    """Answers requests in the event loop of their connections."""

    @property
    def crowd(self) -> Crowd:
        """Admits connections and counts the bytes of their bodies."""

    @property
    def settings(self) -> HttpSettings:
        """Limits of a connection."""

    def answer(self, request: Request, reply: Callable[[Response], None]) -> None:
        """Answer one request: ``reply`` is called with the response, now or later."""
