"""The stores of configs that change while the dashboard runs."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from monitoring.config.files import ConfigFile
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.jobs.service.workers import QueueState


class CurrentStores:
    """Gives the stores of the configs as they are now; stores stay open until a config changes."""

    def __init__(
        self,
        files: Callable[[], tuple[ConfigFile, ...]],
        *,
        expected: int = 0,
        queue: Callable[[], QueueState] | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            files: Gives the configs, as another object whenever one of them has changed.
            expected: How many configs there are to be at least.
            queue: Gives the runs that wait and run; None where nobody runs any here.
        """
        self._files, self._expected, self._queue = files, expected, queue
        self._lock = Lock()
        self._stores = Stores(stores=(), files=())

    def __call__(self) -> Stores:
        """The stores as they are now."""
        files = self._files()
        with self._lock:
            before = self._stores
            if files is not before.files:
                same = _configs(files) == _configs(before.files)
                self._stores = Stores(
                    stores=before.stores if same else named_stores(files),
                    files=files,
                    expected=self._expected,
                    queue=self._queue,
                )
                if not same:
                    _close(before)
            return self._stores

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action, and with the configs and their problems."""
        stores = self()
        return "\n".join((*(f"{file.path} {file.problem}" for file in stores.files), stores.fingerprint()))

    def close(self) -> None:
        """Close the stores."""
        _close(self._stores)


def _configs(files: tuple[ConfigFile, ...]) -> list[object]:
    return [(file.path, file.config) for file in files]


def _close(stores: Stores) -> None:
    for named in stores.stores:
        named.close()
