"""Whether a dashboard has what it is to show, and in words what it has not."""

from __future__ import annotations

from monitoring.dashboard.stores.roster import failures, read_roster
from monitoring.dashboard.stores.stores import Stores

#: Names in an answer.
_SHOWN = 5


def readiness(stores: Stores) -> tuple[bool, str]:
    """Whether something can be read, and what is missing.

    Returns:
        False where every config is missing, or nothing can be read; and a line that says how many are not as they are
        to be.
    """
    roster, configs = read_roster(stores.stores, stores.clock()), stores.configs
    problems = failures(stores.files, roster)
    unreadable = [problem.config for problem in problems if problem.unreadable]
    readable = len(roster.candidates) > 0 and len(roster.unreadable) < max(len(stores.stores), 1)
    all_missing = bool(configs.expected) and configs.missing >= configs.expected
    ready = not all_missing and (readable or not unreadable)
    lines = ["ok" if ready else "no config or store can be read"]
    if configs.missing:
        names = [file.name for file in stores.files if file.is_missing]
        lines.append(f"missing: {configs.missing} of {configs.expected} configs{_named(names)}")
    others = [name for name in unreadable if name not in {file.name for file in stores.files if file.is_missing}]
    if others:
        lines.append(f"unreadable: {len(others)}{_named(others)}")
    return ready, "\n".join(lines) + "\n"


def service_problem(stores: Stores) -> str:
    """What a service's heartbeat says that is wrong: missing or failing configs, and notifications that did not arrive.

    Returns:
        A line; empty where all is well.
    """
    roster, configs = read_roster(stores.stores, stores.clock()), stores.configs
    counts = {
        "configs are missing": configs.missing,
        "configs or stores fail": len(failures(stores.files, roster)) - configs.missing,
        "deployments have not been judged in time": sum("late" in candidate.facts for candidate in roster.candidates),
        "notifications did not reach everybody": sum(
            candidate.outline.undelivered.total for candidate in roster.candidates
        ),
        "runs have stalled": 0 if stores.queue is None else stores.queue().stalled,
    }
    return "; ".join(f"{count} {words}" for words, count in counts.items() if count > 0)


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
    return f" ({shown}{more})" if names else ""
