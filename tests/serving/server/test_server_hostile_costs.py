"""What a request may cost is bounded by its size: processor time and memory of hostile requests, and health."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.hostile.costs import HEALTH_S, Target, cost_of
from benchmarks.hostile.models import export_hostile_models
from benchmarks.hostile.requests import LARGEST, Rest, all_requests
from benchmarks.hostile_costs import warm_up
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    export_hostile_models(folder / "models")
    with nursery(folder) as made:
        traffic = ("--traffic", folder / "traffic")
        child = made.start("--models", folder / "models", *traffic, "--rest-port=0", "--grpc-port=0")
        target = Target(pid=child.pid, port=child.port, grpc=child.grpc or "")
        warm_up(target)
        yield target
        os.kill(child.pid, signal.SIGTERM)
        child.wait()


def test_no_small_request_costs_much(server: Target) -> None:
    requests = all_requests()
    assert len(requests) >= 100
    sizes = {name: len(each.wire() if isinstance(each, Rest) else each.message) for name, each in requests.items()}
    assert not [name for name, size in sizes.items() if size > LARGEST and "compressed" not in name]
    costs = {name: cost_of(server, each) for name, each in requests.items()}
    for name, cost in costs.items():
        sys.stdout.write(f"{name}: {sizes[name]} bytes, {cost}\n")
    assert not {name: cost for name, cost in costs.items() if cost.is_too_much}
    assert not {name: cost for name, cost in costs.items() if cost.health_s > HEALTH_S}
