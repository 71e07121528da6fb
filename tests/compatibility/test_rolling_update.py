"""A rolling update: a service of one release is at work while the next one, with other tables, comes beside it.

The next release is this one with one more revision of the store's tables.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

import monitoring
from monitoring.store import migrations
from tests.monitor_service import Served, served
from tests.monitoring.notifications.receivers import receiving
from tests.postgresql_server import started_postgresql
from tests.small_deployment import LIVE, bundle, days, deploy, send

__all__ = ["bundle", "days", "deploy", "send"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NAMES = ("north", "south")

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{last}"


def upgrade() -> None:
    op.add_column("window", sa.Column("weather", sa.String(), nullable=True))
    op.create_index("ix_window_weather", "window", ["weather"])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The store that both releases share."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shared.db"
        return
    with started_postgresql() as server:
        yield server.url_by("psycopg")


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The folder of the next release's packages."""
    folder, packages = tmp_path / "newer", Path(monitoring.__file__).parents[1]
    shutil.copytree(packages / "monitoring", folder / "monitoring", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("serving", "pitfalls_tf"):
        (folder / name).symlink_to(packages / name)
    (folder / "monitoring/store/migrations/versions/revision_9999.py").write_text(
        REVISION.format(last=migrations.latest())
    )
    return folder


def windows(url: str) -> list[tuple[int, int]]:
    """Deployment and day of every window in the store, whichever release wrote it."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        rows = connection.execute(text('SELECT deployment, start FROM "window"')).all()
    return sorted((row.deployment, int(str(row.start)[8:10])) for row in rows)


def test_both_judge_each_window_once_or_say_which_command_helps(
    url: str, newer: Path, deploy: Callable[[str], Path], send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    def by_newer(*verb: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pitfalls_tf", "monitor", *verb, "--config", str(folders[0] / "monitor.toml")]
        return subprocess.run(command, cwd=newer, capture_output=True, text=True, check=False)

    def next_day(number: int) -> None:
        for folder in folders:
            send(folder, days(days=1, start=LIVE.replace(day=number)))
            config = folder / "monitor.toml"
            config.write_text(config.read_text() + "\n")  # services see it, and run at once

    def wait_for_days(last: int, *services: Served) -> None:
        expected, until = [(number, day) for number in (1, 2) for day in range(1, last + 1)], time.monotonic() + 300
        while (found := windows(url)) != expected:
            assert time.monotonic() < until, (found, [line for service in services for line in service.lines])
            time.sleep(0.2)

    with receiving() as receiver:
        folders = [deploy(name) for name in NAMES]
        for folder in folders:
            config = (folder / "monitor.toml").read_text().replace("sqlite:///pitfalls.db", url)
            config += f'[deployment]\nname = "{folder.name}"\n[[notify]]\nwebhook = "{receiver.url}"\n'
            (folder / "monitor.toml").write_text(config)
            send(folder, days(days=4, without="temp" if folder.name == "south" else ""))
        with served(tmp_path) as old:
            for name in NAMES:
                old.wait_for(f"{name}/monitor.toml: Evaluated 4 windows")
            # The next release only looks: nothing is migrated, and the old one works on.
            for verb in (("status",), ("migrate", "--check")):
                looked = by_newer(*verb)
                assert looked.returncode == (1 if "--check" in verb else 3), looked.stderr
                assert "pitfalls monitor migrate" in looked.stderr + looked.stdout
            next_day(5)
            wait_for_days(5, old)
            # Once it migrates, the old one judges nothing more, and says what helps.
            assert by_newer("migrate").returncode == 0
            next_day(6)
            for name in NAMES:
                old.wait_for(f"{name}/monitor.toml: Error: The store was written by a newer release", "pip install")
            old.wait_until(lambda: 'pitfalls_failing_config{config="north/monitor.toml"} 1.0' in metrics(old))
            assert old.get("health/ready").status_code == 503
            with served(tmp_path, release=newer) as new:
                wait_for_days(6, old, new)
                new.wait_until(lambda: "pitfalls_failing_config{" not in metrics(new))
                assert new.get("health/ready").status_code == 200
                assert (old.stop(), new.stop()) == (0, 0)
            assert not any("Traceback" in line for line in (*old.lines, *new.lines))
        assert json.loads(by_newer("windows", "--json").stdout)
        events = [document["event"]["id"] for document in receiver.documents]
    assert len(events) == len(set(events)) > 0


def metrics(service: Served) -> str:
    return service.get("metrics").text
