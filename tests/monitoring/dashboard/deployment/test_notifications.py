from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from monitoring.config import load_config
from monitoring.dashboard.deployment.notifications import outbox_table, receivers_of, undelivered_table
from monitoring.store.notifications import OutboxEvent
from tests.dashboard_store import NOW

EVENT = OutboxEvent(
    event="flights/1/1/0",
    incident=1,
    state="open",
    at=NOW,
    attempts=3,
    reached=frozenset(),
    abandoned=frozenset(),
    completed_at=None,
    given_up_at=None,
    in_digest=False,
)
CONFIG = """\
[model]
bundle = "models/flights"
[traffic]
path = "traffic"
[[notify]]
webhook = "https://hooks.example.org/secret-path"
"""


def test_each_event_says_who_was_reached_and_what_became_of_it(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    receivers = receivers_of(load_config(path))
    (receiver,) = receivers
    digest = replace(EVENT, incident=None, state="digest", reached=frozenset({receiver}), completed_at=NOW)
    lost = replace(EVENT, abandoned=frozenset({"unknown"}), given_up_at=NOW)
    table = outbox_table((EVENT, digest, lost), receivers, "/d/shop/1", ZoneInfo("UTC"), 9)
    assert [[cell.text for cell in row][1:3] for row in table.rows] == [
        ["#1 open", "pending"],
        ["digest", "delivered"],
        ["#1 open", "given up"],
    ]
    assert [row[1].href for row in table.rows] == ["/d/shop/1/incidents/1", "", "/d/shop/1/incidents/1"]
    assert [row[2].style for row in table.rows] == ["notice", "", "page"]
    assert table.rows[1][4].text == "https://hooks.example.org/…"
    assert table.rows[2][5].text == "a receiver that the config does not have"
    assert table.left_out
    assert "secret" not in str(table)


def test_undelivered_events_lead_to_their_deployment() -> None:
    (row,) = undelivered_table([("/d/shop/1", {}, EVENT)], ZoneInfo("UTC")).rows
    assert (row[0].text, row[0].href, row[3].text) == ("flights", "/d/shop/1/runs", "pending")
    assert receivers_of(None) == {}
