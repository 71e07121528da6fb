"""What an HTTP connection needs of the application that answers its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.transport.http_request import HttpRequest
    from serving.transport.http_response import HttpResponse
    from serving.transport.http_settings import HttpSettings
    from serving.transport.limits import ConnectionLimiter


class HttpApplication(Protocol):
    """Answers requests in the event loop of their connections."""

    @property
    def crowd(self) -> ConnectionLimiter:
        """Admits connections and counts the bytes of their bodies."""

    @property
    def settings(self) -> HttpSettings:
        """Limits of a connection."""

    def answer(self, request: HttpRequest, reply: Callable[[HttpResponse], None]) -> None:
        """Answer one request: ``reply`` is called with the response, now or later."""
