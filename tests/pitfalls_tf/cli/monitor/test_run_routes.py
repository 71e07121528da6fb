"""``pitfalls monitor run`` with every route, over traffic of the past."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.monitoring.notifications.receivers import Receiver, receiving
from tests.monitoring.notifications.routes.smtp_server import SmtpServer, smtp_server
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

EMAIL = 'route = "email"\nhost = "127.0.0.1"\nsecurity = "none"\nsender = "m@a.org"\nto = ["o@a.org"]\n'
STATES = 'level = "notice"\nstates = ["open", "worse", "recovering", "closed", "acknowledged"]\n'


def routes(folder: Path, receiver: Receiver, smtp: SmtpServer) -> str:
    """Sections for every route, each with all states."""
    base = receiver.url.partition("/hook")[0]
    for name, text in (("slack", f"{base}/slack"), ("pagerduty", "R" * 32)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    sections = (
        f'webhook = "{base}/webhook"\n',
        'route = "slack"\nwebhook_file = "slack"\n',
        f'route = "pagerduty"\nrouting_key_file = "pagerduty"\nurl = "{base}/pagerduty"\n',
        f'route = "alertmanager"\nurl = "{base}"\n',
        f"{EMAIL}port = {smtp.port}\n",
        f'route = "command"\ncommand = ["/bin/sh", "-c", "cat >> {folder}/command.jsonl"]\n',
    )
    return "".join(f"[[notify]]\n{section}{STATES}" for section in sections)


@pytest.mark.slow
def test_a_first_run_over_old_traffic_is_one_digest_by_each_route_and_what_is_open_lives_on(
    pitfalls: Callable[..., Result], deployed: Path, send: Callable[..., None], days: Any
) -> None:
    for week in range(4):
        start = datetime(2013, 4, 1, tzinfo=UTC) + timedelta(days=7 * week)
        send(deployed, days(days=1, start=start, without="temp"))
        send(deployed, days(days=6, start=start + timedelta(days=1), broken_from=0 if week == 3 else None))
    config = deployed / "monitor.toml"
    with receiving() as receiver, smtp_server(SmtpServer()) as smtp:
        config.write_text(config.read_text() + routes(deployed, receiver, smtp))
        first = json.loads(pitfalls("monitor", "run", "--config", config, "--json").stdout)
        still = [one["number"] for one in first["incidents"] if one["state"] != "closed"]
        sent = dict(zip(receiver.paths, receiver.documents, strict=True))
        counts = {path: receiver.paths.count(path) for path in sent}
        assert counts["/webhook"] == counts["/slack"] == len(smtp.mails) == 1
        assert sent["/webhook"]["event"]["kind"] == "digest"
        assert [one["number"] for one in sent["/webhook"]["incidents"]] == [one["number"] for one in first["incidents"]]
        assert counts["/pagerduty"] == len(still)
        assert {one[0]["labels"]["incident"] for one in receiver.documents if isinstance(one, list)} == set(
            map(str, still)
        )
        (piped,) = (deployed / "command.jsonl").read_text().splitlines()
        assert json.loads(piped) == sent["/webhook"]

        before = len(receiver.paths)
        assert pitfalls("monitor", "incidents", "close", str(still[0]), "--config", config).exit_code == 0
        later = receiver.documents[before:]
    assert [one["event_action"] for one in later if "event_action" in one] == ["resolve"]
    assert [one["event"]["state"] for one in later if "event" in one] == ["closed"]
    assert len(smtp.mails) == 2
