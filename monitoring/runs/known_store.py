"""Whether a config's store is the one that its last run wrote, which a file outside of it remembers.

A store that is gone, or in whose place another lies, would be begun anew without a word: what was acknowledged, what is
open and what was spent of the budget would be lost, and every page told again.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitoring.atomic import write_text
from monitoring.config import MonitorConfig
from monitoring.config.made_beside import state_folder
from monitoring.errors import CannotRun
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStore:
    """What is known of a config's store: when its first deployment began, and up to when windows were judged."""

    began_at: datetime
    judged_until: datetime


def check_known(config: MonitorConfig, store: Store) -> None:
    """Check that a store is not a new one in the place of one that knew more.

    Raises:
        CannotRun: It began later than the one that the last run wrote, and has judged less.
    """
    known, found = _read(_file(config)), _of(config, store)
    if known is None or (found is not None and found.began_at == known.began_at):
        return
    if found is None or found.judged_until < known.judged_until:
        has = "no window" if found is None else f"windows until {found.judged_until:%Y-%m-%d %H:%M} UTC alone"
        raise CannotRun(
            f"The store of {config.name} is not the one that its last run wrote.",
            got=f"a store with {has}",
            expected=f"that of {known.began_at:%Y-%m-%d}, with windows until {known.judged_until:%Y-%m-%d %H:%M} UTC",
            fix="Bring it back from a backup. If it is lost for good, `pitfalls monitor run --new-store` begins anew.",
        )


def keep_known(config: MonitorConfig, store: Store) -> None:
    """Remember a store as it is; where nothing can be kept, nothing is checked."""
    found = _of(config, store)
    if found is None:
        return
    with suppress(OSError, CannotRun):
        file = _file(config)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(file, json.dumps([found.began_at.isoformat(), found.judged_until.isoformat()]), durable=False)


def _of(config: MonitorConfig, store: Store) -> KnownStore | None:
    """A store as it is; None before its first window of the config."""
    records = store.deployments.of_name(config.name)
    numbers = [record.number for record in records if record.number is not None]
    ends = [last.record.end for number in numbers if (last := store.windows.last(number)) is not None]
    return KnownStore(began_at=min(each.created_at for each in records), judged_until=max(ends)) if ends else None


def _file(config: MonitorConfig) -> Path:
    digest = hashlib.sha256(f"{config.store.url}\0{config.name}".encode(errors="surrogateescape")).hexdigest()
    return state_folder() / "stores" / f"{digest[:32]}.json"


def _read(file: Path) -> KnownStore | None:
    """What a file remembers; None where there is none, or it is damaged."""
    try:
        began_at, judged_until = map(datetime.fromisoformat, json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return KnownStore(began_at=began_at, judged_until=judged_until)
