"""Estimates and settled losses as one text per window; JSON writes floats in digits that come back exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from monitoring.records import Account, EstimateRecord, SettledLosses, WindowRecord

Kept = tuple[tuple[EstimateRecord, ...], tuple[SettledLosses, ...]]


def estimates_text(record: WindowRecord) -> str | None:
    """What `estimates_of` reads; None where there is nothing. Raises ValueError for a number that is not finite."""
    if not record.estimates and not record.settled:
        return None
    document = {
        "estimates": [asdict(one) for one in record.estimates],
        "settled": [{**asdict(one), "start": one.start.isoformat()} for one in record.settled],
    }
    return json.dumps(document, allow_nan=False)


def estimates_of(text: str | None) -> Kept:
    """The inverse of `estimates_text`."""
    if text is None:
        return (), ()
    document = json.loads(text)
    estimates = tuple(
        EstimateRecord(
            **{
                **one,
                "account": Account(**{**one["account"], "log_doubt": tuple(one["account"]["log_doubt"])}),
                "confusion": tuple(map(tuple, one["confusion"])),
            }
        )
        for one in document["estimates"]
    )
    settled = tuple(
        SettledLosses(**{**one, "start": datetime.fromisoformat(one["start"])}) for one in document["settled"]
    )
    return estimates, settled
