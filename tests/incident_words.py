"""Incidents with words of a test's own, as stores from before causes had parts have them."""

from __future__ import annotations

from datetime import UTC, datetime

from monitoring.records import Diagnosis
from monitoring.store.migrations.legacy_incidents import legacy_diagnoses

START = datetime(2013, 4, 1, tzinfo=UTC)


def worded(cause: str = "", message: str = "", *, watch: str = "", slice_: str = "") -> tuple[Diagnosis, ...]:
    """The diagnoses of an incident with such a cause and message; of a fact with its watch and slice."""
    return legacy_diagnoses(watch=watch, slice_=slice_, cause=cause, message=message, opened_at=START)
