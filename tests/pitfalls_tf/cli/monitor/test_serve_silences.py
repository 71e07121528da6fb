"""Nothing reads green that is not: what hides a model that nobody monitors, by the real service."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.monitor_service import Served, served
from tests.small_deployment import bundle, days, send

__all__ = ["bundle", "days", "send"]

Pitfalls = Callable[..., Result]
Send = Callable[..., None]

CONFIG = """\
[model]
bundle = "{models}"
[traffic]
path = "{traffic}"
[windows]
min_rows = 20
lateness = "6h"
[schedule]
cron = "* * * * *"
[deployment]
name = "{name}"
"""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """The URL of a receiver that takes everything, and what it took: paths and bodies."""
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    server.server_close()


def written(folder: Path, bundle: Path, name: str, *, traffic: str = "traffic", more: str = "") -> Path:
    """A config in a folder of its own, with models of its own."""
    place = folder / name
    shutil.copytree(bundle / "models", place / "models")
    text = CONFIG.format(name=name, models=place / "models" / "flights", traffic=place / traffic)
    (place / "monitor.toml").write_text(text + more)
    return place


def value(service: Served, metric: str) -> float:
    """The value of the only sample that begins so."""
    [line] = [line for line in service.get("metrics").text.splitlines() if line.startswith(metric)]
    return float(line.rpartition(" ")[2])


@pytest.mark.slow
def test_five_silences(
    bundle: Path,
    send: Send,
    days: Any,
    tmp_path: Path,
    pitfalls: Pitfalls,
    receiver: tuple[str, list[tuple[str, bytes]]],
) -> None:
    url, taken = receiver
    key = tmp_path / "key"
    routes = f'[[notify]]\nroute = "webhook"\nwebhook_file = "{key}"\n[heartbeat]\nurl = "{url}/page"\n'
    configs = tmp_path / "configs"
    paged = written(configs, bundle, "paged", more=routes)
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=9)
    send(paged, days(days=8, start=yesterday, broken_from=0))
    shutil.copytree(paged / "models" / "flights" / "1", paged / "models" / "flights" / "2")  # published, no traffic
    written(configs, bundle, "wrong", traffic="elsewhere")
    with served(configs, more=("--expect", "2")) as service:
        service.wait_for("paged/monitor.toml: Evaluated")

        # a page reached nobody: told by metric, line, heartbeat; and can be sent again
        service.wait_for("Notification failed")
        service.wait_until(lambda: 'undelivered_notifications{deployment="paged",version="1"' in _metrics(service))
        waiting = 'pitfalls_undelivered_notifications{deployment="paged",version="1",store="paged",outcome="waiting"}'
        assert value(service, waiting) > 0
        assert any(path == "/page/fail" and b"did not reach everybody" in body for path, body in taken)
        assert not any(path == "/page" for path, _ in taken)

        # the version that answers is monitored, not the newest folder
        state = 'pitfalls_deployment_state{deployment="paged",version="1",store="paged",state='
        assert value(service, f'{state}"page"}}') == 1.0
        assert 'version="2"' not in _metrics(service)

        # people and the page hide nothing: the deployment is undelivered at the same time
        assert value(service, f'{state}"undelivered"}}') == 1.0
        [deployment] = service.get("api/v1/deployments").json()["deployments"]
        assert {"page", "undelivered"} <= set(deployment["standing"]["facts"])

        # a monitor that has never worked is failing, everywhere
        assert value(service, 'pitfalls_failing_config{config="wrong/monitor.toml"}') == 1.0
        status = pitfalls("monitor", "status", "--config", configs / "wrong" / "monitor.toml")
        assert (status.exit_code, "No run has ever worked" in status.stderr) == (3, True)
        failures = service.get("api/v1/deployments").json()["failures"]
        assert any("elsewhere" in one["reason"] for one in failures)

        # the receiver is back, and a person sends again
        key.write_text(f"{url}/hook")
        key.chmod(0o600)
        retried = pitfalls("monitor", "notify", "retry", "--config", paged / "monitor.toml")
        assert (retried.exit_code, "Nothing is left to send." in retried.stdout) == (0, True), retried.stderr
        assert any(path == "/hook" for path, _ in taken)
        assert value(service, waiting) == 0.0

        # the folder of the configs goes away, and comes back
        configs.rename(tmp_path / "away")
        service.wait_for("paged/monitor.toml: Missing")
        service.wait_until(lambda: value(service, "pitfalls_missing_configs") == 2.0)
        assert value(service, "pitfalls_expected_configs") == 2.0
        ready = service.get("health/ready")
        assert (ready.status_code, "missing: 2 of 2 configs" in ready.text) == (503, True)
        assert not configs.exists(), "a run has made the folder again"
        (tmp_path / "away").rename(configs)
        service.wait_until(lambda: value(service, "pitfalls_missing_configs") == 0.0)
        assert service.get("health/ready").status_code == 200
        assert service.stop() == 0


@pytest.mark.slow
def test_a_config_that_was_there_is_missed_after_a_restart_until_it_is_removed(
    bundle: Path, tmp_path: Path, pitfalls: Pitfalls
) -> None:
    configs = tmp_path / "configs"
    for name in ("one", "two"):
        written(configs, bundle, name)
    with served(configs) as service:
        service.wait_for("two/monitor.toml: Scheduled")
        assert service.stop() == 0
    (configs / "two" / "monitor.toml").unlink()
    state = ("--configs", configs, "--state", tmp_path / "configs.state")
    with served(configs) as service:
        service.wait_for("two/monitor.toml: Missing")
        assert value(service, "pitfalls_missing_configs") == 1.0
        assert "missing: 1 of 2 configs (two/monitor.toml)" in service.get("health/ready").text
        assert pitfalls("monitor", "remove", *state, "two/monitor.toml").exit_code == 0
        service.wait_for("two/monitor.toml: Removed on purpose")
        service.wait_until(lambda: value(service, "pitfalls_missing_configs") == 0.0)


def _metrics(service: Served) -> str:
    return service.get("metrics").text
