"""Seven Keras models, each from its file to a candidate that is promoted and taken back, by the documented commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from click.testing import Result

from serving import Client
from tests.end_to_end.keras_models import A_DAY, DAYS, ROADS, Road, today
from tests.serving.server_process import ServerProcess, serving

pytestmark = [pytest.mark.timeout(1200), pytest.mark.slow]

Run = Callable[..., Result]
TOKEN = "a-token-of-the-tests-own"


@pytest.mark.parametrize("road", [pytest.param(one, id=one.name) for one in ROADS])
def test_a_model_goes_from_its_file_to_a_release_and_back(
    road: Road, pitfalls: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mylayers", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first = today() - timedelta(days=2 * DAYS + 5)
    road.write_reference(tmp_path / "held_out.parquet", first)
    before = (first + timedelta(days=DAYS)).date().isoformat()
    export = ["export", "--name", road.name, "--models", "models", "--reference", "held_out.parquet", *road.flags]
    done(pitfalls(*export, road.save(tmp_path, good=False)))
    done(pitfalls("monitor", "init", "--bundle", f"models/{road.name}", "--traffic", "traffic"))
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    flags = ("--traffic", "traffic", "--any-event-time", "--token-file", "token", "--poll-seconds", "0.2")
    with serving(Path("models"), *flags) as server:
        asked = ask(road, server)
        config = tmp_path / "monitor.toml"
        section = f'\n[rollout]\nserver = "http://{server.http_target}"\n[rollout.decide]\nhorizon = "1d"\n'
        config.write_text(config.read_text("utf-8") + section, "utf-8")
        judged = document(pitfalls("monitor", "run", "--json"), codes=(0, 1))
        assert judged["coverage"]["windows"] > 10
        candidate = document(
            pitfalls(*export, road.save(tmp_path, good=True), "--candidate", "--trained-until", before, "--json")
        )
        assert candidate["version"] == 2
        done(pitfalls("rollout", "plan"))
        replayed = document(pitfalls("rollout", "replay", "--json"))
        assert (replayed["verdict"], replayed["promotion"]["allowed"]) == ("better", True), replayed
        assert version(road, server) == 1
        done(pitfalls("rollout", "promote"))
        assert version(road, server) == 2
        done(pitfalls("rollout", "status"))
        done(pitfalls("rollout", "rollback"))
        assert version(road, server) == 1
    assert asked == DAYS * A_DAY


def ask(road: Road, server: ServerProcess) -> int:
    """Thirty days of requests, one a day, with the time that they are of, and their labels an hour later."""
    sent = 0
    random = np.random.default_rng(11)
    with Client(f"http://{server.http_target}", token=TOKEN) as client:
        for day in range(DAYS):
            at = today() - timedelta(days=DAYS + 2 - day) + timedelta(hours=12)
            rows, labels = road.rows(random, A_DAY)
            answer = client.predict(road.name, rows, request_id=f"day-{day}", event_time=at)
            sent += client.send_labels(answer.ids, live_labels(road, labels), times=at + timedelta(hours=1))
    return sent


def live_labels(road: Road, labels: Any) -> Any:
    """Labels as a client has them: those of the columns of one output are a list for each row."""
    if isinstance(labels, dict) and len(road.flags) > 1 and "=" not in road.flags[1]:
        return [list(row) for row in zip(*labels.values(), strict=True)]
    return labels


def version(road: Road, server: ServerProcess) -> int:
    """Which version a request gets that names none."""
    request = Request(
        f"http://{server.http_target}/v1/models/{road.name}/metadata", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urlopen(request, timeout=30) as found:  # noqa: S310 - http
        return int(json.load(found)["model_spec"]["version"])


def done(result: Result, codes: tuple[int, ...] = (0,)) -> Result:
    assert result.exit_code in codes, result.output
    return result


def document(result: Result, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done(result, codes).stdout)
    return found
