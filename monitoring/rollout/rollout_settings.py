"""What a rollout in the store was decided by, as text, and the record of a finished replay."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from monitoring.rollout.decision_rules import DecisionRules, GuardRule

#: The setting of a rollout whose candidate was exported where no server takes it up.
UNSERVED = "candidate_unserved"


def settings_text(rules: DecisionRules, **more: Any) -> str:
    """The rules as JSON, with further settings; `rules_of_text` reads it.

    >>> rules_of_text(settings_text(DecisionRules(min_effect=0.01))) == DecisionRules(min_effect=0.01)
    True
    """
    return json.dumps(
        {
            "loss": rules.loss,
            "min_effect": rules.min_effect,
            "require": rules.require,
            "wrong": rules.wrong,
            "guards": [[guard.name, guard.limit] for guard in rules.guards],
            "missing_labels": rules.missing_labels,
            "horizon_s": rules.horizon.total_seconds(),
            "give_up_s": rules.give_up.total_seconds(),
            **more,
        },
        sort_keys=True,
    )


def rules_of_text(text: str) -> DecisionRules:
    """The inverse of `settings_text`."""
    document = json.loads(text)
    return DecisionRules(
        loss=document["loss"],
        min_effect=document["min_effect"],
        require=document["require"],
        wrong=document["wrong"],
        guards=tuple(GuardRule(name=name, limit=limit) for name, limit in document["guards"]),
        missing_labels=document["missing_labels"],
        horizon=timedelta(seconds=document["horizon_s"]),
        give_up=timedelta(seconds=document["give_up_s"]),
    )


def setting(text: str, name: str) -> Any:
    """A further setting; None where there is none."""
    return json.loads(text).get(name)


def with_setting(text: str, name: str, value: Any) -> str:
    """The settings with a further one, or another value of it.

    >>> setting(with_setting("{}", "key", 3), "key")
    3
    """
    return json.dumps({**json.loads(text), name: value}, sort_keys=True)


def iso(moment: datetime | None) -> str | None:
    """A time as a setting has it."""
    return None if moment is None else moment.isoformat()
