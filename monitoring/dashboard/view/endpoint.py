"""A view at an address: its HTML page, and each of its tables as a file, from one reading of the stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.requests import zone_of
from monitoring.dashboard.view.responses import table_answer
from monitoring.dashboard.view.table import TABLE_ROWS, TableView

#: Requests that wait, at most.
MOST_WAITING: Final = 20

_BUSY = (
    "The dashboard is busy.\n"
    "Many requests for rows, or for answers and labels, wait for their turn. Ask again in a moment."
)


class Turns:
    """Lets requests in one after another. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            HTTPException: 503, as too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise HTTPException(503, _BUSY)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1


#: Gives the stores as they are now.
GetStores: TypeAlias = Callable[[], Stores]


class View(Protocol):
    """What an address shows."""

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of it."""
        ...


ViewT = TypeVar("ViewT", bound=View)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewEndpoint(Generic[ViewT]):
    """Answers requests for one view.

    Attributes:
        path: Its address, as starlette writes paths; its tables are below it as `tables/NAME.csv` and `.parquet`.
        read: Reads the view that a request asks for, on a thread; with so many rows of a table, None: all.
    """

    path: str
    stores: GetStores
    read: Callable[[Stores, Request, int | None], ViewT]
    show: Callable[[Request, ViewT], Response]
    alone: Mapping[str, Callable[[Stores, Request], TableView]] = field(default_factory=dict)
    turns: Turns | None = None

    def routes(self) -> list[Route]:
        """The routes of the page and of its tables."""
        return [Route(self.path, self.page), Route(f"{self.path.rstrip('/')}/tables/{{file:path}}", self.table)]

    async def page(self, request: Request) -> Response:
        """The view as an HTML page."""
        stores = shown_to(request, self.stores())
        return self.show(request, await self._view(stores, request, TABLE_ROWS))

    async def table(self, request: Request) -> Response:
        """A table of the view as the file that is asked for. Raises HTTPException where there is none of its name."""
        name, _, kind = request.path_params["file"].rpartition(".")
        stores = shown_to(request, self.stores())
        if name in self.alone:
            return table_answer(await run_in_threadpool(self.alone[name], stores, request), kind)
        view = await self._view(stores, request, None)
        table = next((table for table in view.tables if table.name == name), None)
        if table is None:
            raise HTTPException(404)
        return table_answer(table, kind)

    async def _view(self, stores: Stores, request: Request, rows: int | None) -> ViewT:
        async with nullcontext() if self.turns is None else self.turns.turn():
            return await run_in_threadpool(self.read, stores, request, rows)


def shown_to(request: Request, stores: Stores) -> Stores:
    """The stores with times in the time zone of the reader, if a cookie names one."""
    return replace(stores, shown_in=zone_of(request))
