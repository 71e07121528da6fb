"""The configs and stores that the dashboard shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose a deployment is, and what it is tagged with, as its config says."""

    team: str = ""
    tags: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class NamedStore:
    """A store and the configs that name it. The store is opened at its first use, and again after a failure.

    Attributes:
        name: Its name in addresses: letters, digits and hyphens.
        url: The store's URL.
        files: The configs that name it.
    """

    name: str
    url: str
    files: tuple[ConfigFile, ...]
    _store: Store | None = None
    _configs: dict[str, MonitorConfig] | None = None
    _lock: Lock = field(default_factory=Lock)

    def store(self) -> Store:
        """The opened store. Raises BadInput if there is none yet, CannotRun if it cannot be used."""
        with self._lock:
            if self._store is None:
                self._store = Store.open(self.url, make=False)
            return self._store

    def config_of(self, name: str) -> MonitorConfig | None:
        """The config of the deployment of that name, if one of the files is."""
        return self._by_name().get(name)

    def file_of(self, name: str) -> ConfigFile | None:
        """The file of the config of the deployment of that name, if one is; the first of several."""
        return next((one for one in self.files if one.config is not None and one.config.name == name), None)

    def owners(self) -> dict[str, Ownership]:
        """The teams and tags that configs name, by the deployment's name."""
        sections = {name: config.deployment for name, config in self._by_name().items()}
        return {
            name: Ownership(team=one.team or "", tags=one.tags)
            for name, one in sections.items()
            if one.team is not None or one.tags
        }

    def _by_name(self) -> dict[str, MonitorConfig]:
        """The configs by the deployment's name; of one name the first."""
        if self._configs is None:
            configs = [one.config for one in self.files[::-1] if one.config is not None]
            self._configs = {config.name: config for config in configs}
        return self._configs

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None


def named_stores(files: Sequence[ConfigFile]) -> tuple[NamedStore, ...]:
    """The stores that configs name, each once, in the order of the files.

    Args:
        files: Configs; those that could not be read are left out.

    Returns:
        The stores; each is named after its first config, with a number where the name is taken.
    """
    by_url: dict[str, list[ConfigFile]] = {}
    for one in files:
        if one.config is not None:
            by_url.setdefault(one.config.store.url, []).append(one)
    names: set[str] = set()
    found = []
    for url, named in by_url.items():
        config = named[0].config
        assert config is not None  # noqa: S101 - for the type checker: only those with a config are here
        name = _free(_plain(config.name), names)
        names.add(name)
        found.append(NamedStore(name=name, url=url, files=tuple(named)))
    return tuple(found)


def _plain(name: str) -> str:
    """A name for addresses.

    Args:
        name: Any text.

    Returns:
        Small letters, digits and hyphens.

    >>> _plain("Flüge <b>"), _plain("…")
    ('fl-ge-b', 'store')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "store"


def _free(name: str, taken: set[str]) -> str:
    number = 1
    while (name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return name if number == 1 else f"{name}-{number}"
