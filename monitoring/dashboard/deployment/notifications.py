"""The outbox as a table: who was notified of what, when, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.config import MonitorConfig
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.store.notifications import DIGEST, OutboxEvent
from monitoring.watches.descriptions import NOTHING, printable

#: Receivers in words, by the identity of their route in the store.
Receivers = Mapping[str, str]

_COLUMNS = ("At", "Event", "Outcome", "Attempts", "Reached", "Given up", "Done")
_UNKNOWN = "a receiver that the config does not have"


def receivers_of(config: MonitorConfig | None) -> Receivers:
    """Who a config notifies, without secrets."""
    return {} if config is None else {route.receiver: printable(route.redacted_address) for route in config.notify}


def outbox_table(
    events: Sequence[OutboxEvent], receivers: Receivers, parent: str, zone: ZoneInfo, total: int
) -> TableView:
    """The outbox of one deployment."""
    return TableView(
        name="notifications",
        title="Notifications",
        columns=_COLUMNS,
        rows=tuple(_cells(event, receivers, parent, zone) for event in events),
        numeric=frozenset({3}),
        note="Each state that an incident entered, the newest first. A pending one is tried again by the next run.",
        total=total,
    )


def undelivered_table(undelivered: Sequence[tuple[str, Receivers, OutboxEvent]], zone: ZoneInfo) -> TableView:
    """Events of all deployments that are pending or were given up."""
    return TableView(
        name="notifications",
        title="Notifications that are pending or were given up",
        columns=("Deployment", *_COLUMNS),
        rows=tuple(
            (
                cell(printable(event.event.partition("/")[0]), href=f"{address}/runs", style="text"),
                *_cells(event, receivers, address, zone),
            )
            for address, receivers, event in undelivered
        ),
        numeric=frozenset({4}),
    )


def _cells(event: OutboxEvent, receivers: Receivers, parent: str, zone: ZoneInfo) -> tuple[Cell, ...]:
    done = event.completed_at or event.given_up_at
    styles = {"given up": "page", "pending": "notice"}
    what = "digest" if event.state == DIGEST else f"#{event.incident} {event.state}"
    return (
        cell(_moment(event.at, zone), event.at, style="when"),
        cell(what, event.event, href="" if event.incident is None else f"{parent}/incidents/{event.incident}"),
        cell(event.outcome, style=styles.get(event.outcome, "")),
        cell(f"{event.attempts:,}", event.attempts),
        cell(_named(event.reached, receivers), style="text"),
        cell(_named(event.abandoned, receivers), style="text"),
        Cell(text=_moment(done, zone), value=done, style="when"),
    )


def _named(routes: Collection[str], receivers: Receivers) -> str:
    return ", ".join(sorted(receivers.get(route, _UNKNOWN) for route in routes)) or NOTHING


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return NOTHING if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
