"""What a person does with an incident, by the real service, as PagerDuty sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.monitor_service import served
from tests.small_deployment import bundle, days, deploy, send

__all__ = ["bundle", "days", "deploy", "send"]

KEY = "R" * 32


@dataclass
class PagerDuty:
    """An Events API v2: keeps its incidents by deduplication key, and refuses what the real one refuses."""

    address: str = ""
    states: dict[str, str] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> int:
        """Take an event; gives the status code."""
        action, key = str(event.get("event_action")), str(event.get("dedup_key", ""))
        payload = event.get("payload", {})
        whole = action in ("acknowledge", "resolve") or {"summary", "source", "severity"} <= payload.keys()
        if event.get("routing_key") != KEY or not key or action not in ("trigger", "acknowledge", "resolve"):
            whole = False
        if not whole:
            self.refused.append(event)
            return 400
        self.actions.append(action)
        state = self.states.get(key, "resolved")
        if action == "trigger":
            self.states[key] = "triggered" if state == "resolved" else state
        elif state != "resolved":  # what is resolved stays so
            self.states[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]
        return 202


@pytest.fixture
def pagerduty() -> Iterator[PagerDuty]:
    """It answers at its address."""
    state = PagerDuty()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(state.take(event))
            self.end_headers()
            self.wfile.write(json.dumps({"status": "success", "dedup_key": event.get("dedup_key")}).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}/v2/enqueue"
    yield state
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_acknowledged_snoozed_closed_and_reopened(
    pagerduty: PagerDuty, deploy: Callable[[str], Path], send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    """No run comes between: what a person does is sent by itself."""
    token, folder = tmp_path / "token", deploy("shop")
    for file, text in ((token, "a-token-of-enough-length\n"), (folder / "key", KEY)):
        file.write_text(text)
        file.chmod(0o600)
    config = folder / "monitor.toml"
    route = f'[[notify]]\nroute = "pagerduty"\nrouting_key_file = "key"\nurl = "{pagerduty.address}"\n'
    config.write_text(f'{config.read_text()}[schedule]\ncron = "0 0 29 2 *"\n{route}')
    send(folder, days(days=1, without="temp"))
    with served(tmp_path, token) as service:
        service.wait_for("shop/monitor.toml: Evaluated 1 window")
        assert pagerduty.actions == ["trigger"]
        place = f"{service.place()}/incidents/1"

        def act(kind: str, *, then: str, **more: str) -> None:
            done = service.post(f"{place}/{kind}", {"by": "ada", **more})
            assert done.status_code == 200, done.text
            service.wait_until(lambda: list(pagerduty.states.values()) == [then])

        act("acknowledge", then="acknowledged")
        act("snooze", until="2099-01-01T00:00:00Z", then="acknowledged")
        act("close", text="repaired", then="resolved")
        act("reopen", then="triggered")
        reopened = service.get(place).json()
        assert (reopened["snoozed_until"], reopened["snoozed_until_worse"]) == (None, False)
        assert pagerduty.actions == ["trigger", "acknowledge", "resolve", "trigger"]
        assert service.stop() == 0
    assert pagerduty.refused == []
    assert not any("Error" in line or "failed" in line for line in service.lines), service.lines
