"""``pitfalls monitor incidents``: look at incidents, and act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "pitfalls_tf.cli.monitor.incidents"

VERBS: Mapping[str, Verb] = {
    "list": Verb(f"{_HERE}.list", "List the incidents that are not closed."),
    "show": Verb(f"{_HERE}.show", "Show one incident, its history, and what people did with it."),
    "acknowledge": Verb(f"{_HERE}.acknowledge", "Say that an incident has been seen."),
    "snooze": Verb(f"{_HERE}.snooze", "Notify nobody of an incident for a while."),
    "assign": Verb(f"{_HERE}.assign", "Give an incident an owner."),
    "note": Verb(f"{_HERE}.note", "Add a note to an incident."),
    "act": Verb(f"{_HERE}.act", "Perform an action of the config from an incident."),
    "close": Verb(f"{_HERE}.close", "Close an incident."),
    "reopen": Verb(f"{_HERE}.reopen", "Undo the closing of an incident by a person."),
}

command = LazyGroup("incidents", verbs=VERBS, help="Look at incidents, and act on them.")
