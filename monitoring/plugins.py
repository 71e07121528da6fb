"""Plug-ins: what another distribution adds by an entry point, found by its name in the config.

| group | named by | what its object is |
| --- | --- | --- |
| ``pitfalls.engines`` | ``[engine] kind`` | `monitoring.engines.plugin.EngineFactory` |
| ``pitfalls.routes`` | ``[[notify]] route`` | `monitoring.notifications.routes.plugin.SendDocument` |
| ``pitfalls.readers`` | ``--log`` | `monitoring.traffic.foreign_logs.records.LogReader` |

A plug-in is code of whoever installed it: it runs with the rights of the monitor, and is loaded only where a config
names it.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final, Literal, TypeAlias

from monitoring.errors import BadInput, CannotRun

PluginGroup: TypeAlias = Literal["pitfalls.engines", "pitfalls.routes", "pitfalls.readers"]

ENGINES: Final = "pitfalls.engines"
ROUTES: Final = "pitfalls.routes"
READERS: Final = "pitfalls.readers"


def installed_plugins(group: PluginGroup) -> tuple[str, ...]:
    """The names of the plug-ins of a group that are installed, sorted.

    Cost: some 20 ms where hundreds of distributions are installed, so it is asked only for a name that is not built in.

    >>> installed_plugins("pitfalls.routes")
    ()
    """
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def load_plugin(group: PluginGroup, name: str) -> Any:
    """Import the object that an entry point names.

    Raises:
        BadInput: no such plug-in is installed.
        CannotRun: it cannot be imported.

    >>> load_plugin("pitfalls.routes", "pigeon")
    Traceback (most recent call last):
    monitoring.errors.BadInput: No such plug-in is installed. Got 'pigeon'; expected an entry point of the group \
pitfalls.routes, of which there are none. Install the distribution that has it, in the environment of pitfalls.
    """
    points = tuple(entry_points(group=group, name=name))
    if not points:
        raise BadInput(
            "No such plug-in is installed.",
            got=repr(name),
            expected=f"an entry point of the group {group}, of which there are"
            f" {', '.join(installed_plugins(group)) or 'none'}",
            fix="Install the distribution that has it, in the environment of pitfalls.",
        )
    try:
        return points[0].load()
    except Exception as error:
        raise CannotRun(
            "A plug-in cannot be imported.",
            got=f"{name} of {group}, {points[0].value}: {type(error).__name__}: {error}",
            expected="a module that can be imported, with that name in it",
            fix="Install what it needs, or another release of it.",
        ) from error
