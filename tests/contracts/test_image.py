"""The monitor's image under a container runtime: hardened as in the compose file, with its health check."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.own_table import own_rows, watch
from tests.small_deployment import Days

#: An image that was built from deploy/monitor/Containerfile, and the runtime, such as `podman --runtime runc`.
IMAGE = os.environ.get("PITFALLS_MONITOR_IMAGE", "")
RUNTIME = shlex.split(os.environ.get("PITFALLS_CONTAINER_RUNTIME", "podman"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not IMAGE, reason="PITFALLS_MONITOR_IMAGE names no image to try"),
]

Container = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def container(root: Path, tmp_path: Path) -> Iterator[Container]:
    """The service in a container, over one config: runs a command of the runtime on it."""
    watched = watch(tmp_path / "one", traffic="../live/*.parquet")
    watched.live("1.parquet", own_rows(Days(days=3)))
    own = yaml.safe_load((root / "deploy/monitor/compose.yaml").read_text("utf-8"))["services"]["monitor"]
    name = f"pitfalls-test-{os.getpid()}"

    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*RUNTIME, *verb.split(), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    started = run(
        *("run", "--detach", "--name", name, "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"),
        *("--security-opt=no-new-privileges", "--volume", f"{tmp_path}:/monitors:U"),
        *("--health-cmd", json.dumps(own["healthcheck"]["test"][1:]), "--health-interval=disable", IMAGE),
        *("monitor", "serve", "--configs=/monitors/one/flights", "--port=8600"),
    )
    try:
        assert started.returncode == 0, started.stderr
        yield lambda verb, *arguments: run(verb, name, *arguments)
    finally:
        run("rm", "--force", name)


def test_it_becomes_healthy_judges_and_ends_well(container: Container) -> None:
    assert container("healthcheck run").returncode != 0  # not yet
    until = time.monotonic() + 300
    while container("healthcheck run").returncode != 0:
        assert time.monotonic() < until, container("logs").stdout
        time.sleep(1)
    judge = ("pitfalls", "monitor", "status", "--config", "/monitors/one/flights/monitor.toml", "--json")
    while (found := container("exec", *judge)).returncode == 2:  # no window yet
        assert time.monotonic() < until, found.stderr
        time.sleep(1)
    assert json.loads(found.stdout)["coverage"]["windows"] > 0
    assert container("exec", "touch", "/monitors/here").returncode == 0
    assert container("exec", "touch", "/opt/here").returncode != 0
    assert container("stop", "--time", "60").returncode == 0
    assert container("inspect", "--format", "{{.State.ExitCode}}").stdout.strip() == "0"
