"""Server reflection whose streams end when the server drains: the stock one holds a stopping server up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


@final
class DrainableReflection(reflection.aio.ReflectionServicer):  # type: ignore[misc]  # the library has no types
    """Answers about the services of the names it is given, until it is told to `drain`."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._leaving = asyncio.Event()

    def add_to(self, server: Any) -> None:
        """Register with a gRPC server."""
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(self, server)

    def drain(self) -> None:
        """End every stream when what was asked in it is answered."""
        self._leaving.set()

    async def ServerReflectionInfo(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """The answers to a stream of questions."""
        async for response in super().ServerReflectionInfo(self._until_leaving(request_iterator), context):
            yield response

    async def _until_leaving(self, requests: Any) -> AsyncIterator[Any]:
        leaving = asyncio.ensure_future(self._leaving.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(requests))
                await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    return
                try:
                    request = following.result()
                except StopAsyncIteration:
                    return
                yield request
        finally:
            leaving.cancel()
