"""The pages of configs that change while the dashboard runs."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from monitoring.config.files import ConfigFile
from monitoring.dashboard.sources import sources_of
from monitoring.dashboard.web.pages import Pages


class CurrentPages:
    """Gives the pages of the configs as they are now; stores stay open until a config changes."""

    def __init__(self, files: Callable[[], tuple[ConfigFile, ...]]) -> None:
        """Opens nothing yet.

        Args:
            files: Gives the configs, as another object whenever one of them has changed.
        """
        self._files = files
        self._lock = Lock()
        self._pages = Pages(sources=(), files=())

    def __call__(self) -> Pages:
        """The pages as they are now."""
        files = self._files()
        with self._lock:
            before = self._pages
            if files is not before.files:
                same = _configs(files) == _configs(before.files)
                self._pages = Pages(sources=before.sources if same else sources_of(files), files=files)
                if not same:
                    _close(before)
            return self._pages

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action, and with the configs and their problems."""
        pages = self()
        return "\n".join((*(f"{one.path} {one.problem}" for one in pages.files), pages.fingerprint()))

    def close(self) -> None:
        """Close the stores."""
        _close(self._pages)


def _configs(files: tuple[ConfigFile, ...]) -> list[object]:
    return [(one.path, one.config) for one in files]


def _close(pages: Pages) -> None:
    for source in pages.sources:
        source.close()
