"""Estimates and realised losses as one JSON text per window; floats are written in digits that come back exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitoring.records import EstimateRecord, IntervalChecks, RealisedLosses, WindowRecord

#: The keys that stored texts have for attributes of other names.
_KEYS = {"interval_checks": "account", "log_capital": "log_doubt"}


def estimates_text(record: WindowRecord) -> str | None:
    """The text of a window's estimates, which `estimates_of` reads.

    Returns:
        JSON; None for a window without estimates and realised losses.

    Raises:
        ValueError: A number is not finite.
    """
    if not record.estimates and not record.realised_losses:
        return None
    document = {
        "estimates": [_with_keys(asdict(one)) for one in record.estimates],
        "settled": [
            {"start": one.start.isoformat(), "rows": one.rows, **one.losses}
            | ({"missing": dict(one.missing)} if one.missing else {})
            for one in record.realised_losses
        ],
    }
    return json.dumps(document, allow_nan=False)


def estimates_of(text: str | None) -> tuple[tuple[EstimateRecord, ...], tuple[RealisedLosses, ...]]:
    """The estimates and realised losses of a window: the inverse of `estimates_text`."""
    if text is None:
        return (), ()
    document = json.loads(text)
    realised = tuple(_realised(one) for one in document["settled"])
    return tuple(_estimate(one) for one in document["estimates"]), realised


def _realised(stored: dict[str, Any]) -> RealisedLosses:
    start, rows = datetime.fromisoformat(stored.pop("start")), stored.pop("rows")
    missing = stored.pop("missing", {})
    return RealisedLosses(start=start, rows=rows, losses=stored, missing=missing)


def _estimate(stored: dict[str, Any]) -> EstimateRecord:
    checks = dict(stored.pop("account"))
    log_capital = tuple(checks.pop("log_doubt"))
    confusion = tuple(map(tuple, stored.pop("confusion")))
    return EstimateRecord(
        **stored, confusion=confusion, interval_checks=IntervalChecks(**checks, log_capital=log_capital)
    )


def _with_keys(value: Any) -> Any:
    """Nested dictionaries with the keys that are stored."""
    if not isinstance(value, dict):
        return value
    return {_KEYS.get(name, name): _with_keys(inner) for name, inner in value.items()}
