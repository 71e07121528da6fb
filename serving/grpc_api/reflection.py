"""Server reflection whose streams end when the server drains; the library's own keep a stopping server alive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from serving.grpc_api.call_limiter import FULL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from google.protobuf.descriptor_pool import DescriptorPool

#: Streams at a time, and the seconds that one may be without a request.
STREAMS, IDLE_S = 64, 30.0


@final
class DrainableReflection(reflection.aio.ReflectionServicer):  # type: ignore[misc]  # the library has no types
    """Describes services, given their full names and the pool of their descriptors, until `drain` is called."""

    def __init__(self, names: Sequence[str], pool: DescriptorPool) -> None:
        super().__init__(names, pool)
        self._draining = asyncio.Event()
        self._streams = 0

    def add_to(self, server: Any) -> None:
        """Register with a gRPC server."""
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(self, server)

    def drain(self) -> None:
        """End every stream when the requests in it are answered."""
        self._draining.set()

    async def ServerReflectionInfo(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Answer a stream of requests.

        Yields:
            A response to each.
        """
        if self._streams >= STREAMS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, FULL)
        self._streams += 1
        try:
            async for response in self._responses(request_iterator, context):
                yield response
        finally:
            self._streams -= 1

    async def _responses(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        async for response in super().ServerReflectionInfo(self._until_draining(request_iterator), context):
            yield response

    async def _until_draining(self, requests: Any) -> AsyncIterator[Any]:
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(requests))
                ends = {following, draining}
                await asyncio.wait(ends, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    return
                try:
                    request = following.result()
                except StopAsyncIteration:
                    return
                yield request
        finally:
            draining.cancel()
