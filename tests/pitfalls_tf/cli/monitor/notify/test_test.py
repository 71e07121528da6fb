from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.monitoring.notifications.receivers import receiving

Pitfalls = Callable[..., Result]

LEAST = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "monitor.toml"


def test_each_route_gets_a_marked_test_and_one_that_fails_is_an_exit_code(config: Path, pitfalls: Pitfalls) -> None:
    with receiving() as receiver:
        slack = config.with_name("slack")
        slack.write_text(receiver.url)
        slack.chmod(0o600)
        config.write_text(
            f'{LEAST}[[notify]]\nwebhook = "{receiver.url}"\n[[notify]]\nroute = "slack"\nwebhook_file = "slack"\n'
            '[[notify]]\nroute = "command"\ncommand = ["/none/such"]\n'
        )
        done = pitfalls("monitor", "notify", "test", "--config", config)
        assert done.exit_code == 1
        first, second, third = done.stdout.splitlines()
        assert first == f"1  {receiver.url.partition('/hook')[0]}/…: delivered, HTTP 200, attempt 1 of 3"
        assert second == f"2  slack, webhook of {slack}: delivered, HTTP 200, attempt 1 of 3"
        assert third == "3  command /none/such: failed, cannot be started: No such file or directory"
        webhook = next(body for body in receiver.documents if "event" in body)
        assert (webhook["event"]["kind"], webhook["deployment"]["name"], webhook["deployment"]["model"]) == (
            "test",
            "flights",
            "flights",
        )
        one = pitfalls("monitor", "notify", "test", "--config", config, "--route", "2", "--json")
    assert one.exit_code == 0
    (found,) = json.loads(one.stdout)["routes"]
    assert found == {
        "number": 2,
        "route": "slack",
        "receiver": f"slack, webhook of {slack}",
        "delivered": True,
        "detail": "HTTP 200, attempt 1 of 3",
    }


def test_a_route_that_is_not_there_is_bad_input(config: Path, pitfalls: Pitfalls) -> None:
    config.write_text(LEAST)
    none = pitfalls("monitor", "notify", "test", "--config", config)
    assert none.exit_code == 2
    assert "no [[notify]] section" in none.stderr
    config.write_text(f'{LEAST}[[notify]]\nwebhook = "http://127.0.0.1:1/"\n')
    other = pitfalls("monitor", "notify", "test", "--config", config, "--route", "2")
    assert other.exit_code == 2
    assert "Got 2; expected 1 to 1" in other.stderr
