"""Transactions of a store: one connection each, with the database's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from monitoring.store import deployments
from monitoring.store.opening import open_engine, reject_store, shown_url, writing

_FIX = "Nothing was changed; run again once the database can be reached and written."


class Transactions:
    """An opened store, to be closed when done; `monitoring.store.store.Store` says what is read and written in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, *, make: bool = True) -> Self:
        """Open the store at a URL; one of an earlier release is migrated.

        Cost: about 0.2 s the first time in a process.

        Args:
            url: ``sqlite:///FILE``, or the URL of a PostgreSQL database.
            make: Whether to create a store that does not exist.

        Returns:
            The store, to be closed.

        Raises:
            BadInput: There is no store, and none is to be made.
            CannotRun: The folder cannot be written, the driver is missing, the server cannot be reached, the file is
                something else, or the store was written by a newer release.
        """
        return cls(open_engine(url, make=make))

    def close(self) -> None:
        """Close every connection; a second time does nothing."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._failing_clearly(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self, deployment: int | None = None) -> Iterator[Connection]:
        with self._failing_clearly(), writing(self._engine).begin() as connection:
            if deployment is not None:
                deployments.lock(connection, deployment)
            yield connection

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, ConnectionError, TimeoutError) as error:
            reject_store(error, shown_url(self._engine.url), _FIX)
