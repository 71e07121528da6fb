"""Who is on call hears of what is silent: heartbeats, workers of rollouts, start limits, alerts in time."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.test_deploy import documents, run
from tests.contracts.test_serve_only import pins
from tests.needs import missing

SECONDS = {"s": 1, "min": 60, "h": 3600, "": 1}

#: What ends at minute 0, as series with a sample each half minute, and the alert that is there in minute 15.
MONITOR, SERVER = 'instance="monitor:8600",job="pitfalls-monitor"', 'instance="server:8501",job="pitfalls-serve"'
ROLLOUT = f'deployment="shop",champion="3",candidate="4",store="s",{MONITOR}'
SHOP = f'deployment="shop",version="3",store="s",{MONITOR}'
SILENCES: dict[str, tuple[dict[str, str], str]] = {
    "the server is killed": ({f"up{{{SERVER}}}": "1 0x60"}, "PitfallsPartDown"),
    "the monitors' service is killed": ({f"up{{{MONITOR}}}": "1 0x60"}, "PitfallsPartDown"),
    "the only monitor leaves discovery": ({f"up{{{MONITOR}}}": "1 stale"}, "PitfallsTargetsGone"),
    "one of two monitors leaves discovery": (
        {f"up{{{MONITOR}}}": "1x60", 'up{instance="second:8600",job="pitfalls-monitor"}': "1 stale"},
        "PitfallsTargetsGone",
    ),
    "a model leaves": (
        {f"pitfalls_created_timestamp_seconds{{{SHOP}}}": "1 stale", f"up{{{MONITOR}}}": "1x60"},
        "PitfallsModelGone",
    ),
    "the worker at a promotion is killed": (
        {f'pitfalls_rollout_last_pass_timestamp_seconds{{mode="watch",{ROLLOUT}}}': "0x60"},
        "PitfallsRolloutWorkerDead",
    ),
    "the worker at a candidate is killed": (
        {f'pitfalls_rollout_last_pass_timestamp_seconds{{mode="shadow",{ROLLOUT}}}': "0x60"},
        "PitfallsRolloutStands",
    ),
    "a config is lost": ({f"pitfalls_missing_configs{{{MONITOR}}}": "0 1x60"}, "PitfallsConfigsMissing"),
    "a run fails": ({f'pitfalls_deployment_state{{state="failing",{SHOP}}}': "0 1x60"}, "PitfallsMonitorFailing"),
    "a config's run fails": ({f'pitfalls_failing_config{{config="m",{MONITOR}}}': "0 1x60"}, "PitfallsConfigFailing"),
    "a page reaches nobody": (
        {f'pitfalls_undelivered_notifications{{outcome="given up",{SHOP}}}': "0 1x60"},
        "PitfallsNotificationsUndelivered",
    ),
    "every request is refused": (
        {
            f':tensorflow:serving:request_count{{model_name="m",status="OK",{SERVER}}}': "600",
            f':tensorflow:serving:request_count{{model_name="m",status="NOT_FOUND",{SERVER}}}': "0+30x60",
        },
        "PitfallsRequestsRefused",
    ),
    "the traffic log cannot be written": (
        {f"pitfalls_traffic_gap_open{{{SERVER}}}": "0 1x60"},
        "PitfallsTrafficGapOpen",
    ),
}


def test_each_silence_is_an_alert_within_a_quarter_of_an_hour(root: Path, tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        missing("promtool is not installed (apt-get install prometheus)")
    (tmp_path / "pitfalls.rules.yml").write_text((root / "deploy/prometheus/pitfalls.rules.yml").read_text("utf-8"))
    cases: list[dict[str, Any]] = []
    for name, (series, alert) in SILENCES.items():
        quiet = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
        cases.append(
            {
                "name": name,
                "interval": "30s",
                "input_series": [{"series": one, "values": values} for one, values in series.items()],
                "promql_expr_test": [
                    {"expr": quiet, "eval_time": "0m", "exp_samples": []},
                    {"expr": quiet, "eval_time": "15m", "exp_samples": [{"labels": "{}", "value": 1}]},
                ],
            }
        )
    document = {"rule_files": ["pitfalls.rules.yml"], "evaluation_interval": "30s", "tests": cases}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document), "utf-8")
    run("promtool", "test", "rules", tmp_path / "test.yml")


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit, each with its values in their order."""
    settings: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            settings[name].append(value)
    return settings


def seconds(text: str) -> float:
    """A time span of systemd."""
    found = re.fullmatch(r"(\d+)(s|min|h|)", text)
    assert found, text
    return float(found[1]) * SECONDS[found[2]]


def test_a_unit_that_fails_again_and_again_stays_failed_and_is_told(root: Path) -> None:
    """As of systemd before 254 OnFailure= begins only then."""
    units = {path.name: unit(path) for path in (root / "deploy/systemd").glob("*.service")}
    lasting = {name: one for name, one in units.items() if one["Restart"] == ["always"]}
    assert len(lasting) == 4
    for name, one in units.items():
        if name != "pitfalls-failed@.service":
            assert one["OnFailure"] == ["pitfalls-failed@%n.service"], name
            assert one["LimitNOFILE"], name
            assert one["MemoryMax"], name
    for name, one in lasting.items():
        # The longest life of one that hangs: until the watchdog bites, or its start takes too long, and it is killed.
        life = max([seconds(value) for key in ("WatchdogSec", "TimeoutStartSec") for value in one[key]], default=90.0)
        life += seconds(one["RestartSec"][0]) + seconds(one["TimeoutStopSec"][0])
        told = int(one["StartLimitBurst"][0]) * life
        assert told < seconds(one["StartLimitIntervalSec"][0]), name
        assert told <= 15 * 60, name


def monitors(root: Path) -> dict[str, str]:
    """What starts the service of monitors, by the file that ships it."""
    systemd = unit(root / "deploy/systemd/pitfalls-monitor-serve.service")["ExecStart"][0]
    compose = documents(root / "deploy/monitor/compose.yaml")[0]["services"]["monitor"]
    pod = documents(root / "deploy/monitor/kubernetes.yaml")[0]["spec"]["template"]["spec"]
    return {
        "systemd": systemd,
        "compose": " ".join([*compose["command"], *compose["environment"]]).replace(
            "PITFALLS_MONITOR_SERVE_EXPECT", "--expect"
        ),
        "kubernetes": " ".join(pod["containers"][0]["args"]),
        "chart": (root / "deploy/helm/pitfalls/templates/monitor.yaml").read_text("utf-8"),
    }


def test_every_service_of_monitors_has_a_heartbeat_and_expects_configs(root: Path) -> None:
    for name, text in monitors(root).items():
        assert "--heartbeat-file" in text, name
        assert "--expect" in text, name
    assert documents(root / "deploy/helm/pitfalls/values.yaml")[0]["monitor"]["heartbeat"] is True


@pytest.mark.parametrize("place", ["compose", "kubernetes"])
def test_the_worker_of_rollouts_has_what_the_monitor_has_and_may_rename_versions(root: Path, place: str) -> None:
    if place == "compose":
        services = documents(root / "deploy/monitor/compose.yaml")[0]["services"]
        monitor, worker = services["monitor"], services["rollouts"]
        mounts = [dict(one.partition(":")[::2] for one in part["volumes"]) for part in (monitor, worker)]
        writable = "./models"
        assert mounts[1][writable] == "/models"
        assert worker["environment"] == monitor["environment"]
        assert (worker["read_only"], worker["cap_drop"], "ports" in worker) == (True, ["ALL"], False)
    else:
        pods = [
            documents(root / "deploy/monitor" / name)[0]["spec"]["template"]["spec"]
            for name in ("kubernetes.yaml", "rollouts.yaml")
        ]
        monitor, worker = (pod["containers"][0] for pod in pods)
        mounts = [
            {one["name"]: one.get("readOnly", False) for one in part["volumeMounts"]} for part in (monitor, worker)
        ]
        writable = "models"
        assert mounts[1][writable] is False
        mounts[0].pop("secrets")
        assert {one["name"]: one for one in worker["env"]} == {one["name"]: one for one in monitor["env"]}
    assert worker["image"] == monitor["image"]
    others = [{name: how for name, how in one.items() if name != writable} for one in mounts]
    assert others[0] == others[1]


def test_the_image_of_worker_and_monitor_has_the_store_and_tensorflow(root: Path) -> None:
    assert "requirements-monitor.lock" in (root / "deploy/monitor/Containerfile").read_text("utf-8")
    assert {"tensorflow", "keras", "sqlalchemy", "psycopg"} <= pins(root / "requirements-monitor.lock").keys()


def test_what_a_run_refuses_without_is_in_no_volume_called_cache(root: Path) -> None:
    services = documents(root / "deploy/monitor/compose.yaml")[0]["services"]
    for name in ("monitor", "rollouts"):
        state = services[name]["environment"]["XDG_STATE_HOME"]
        [volume] = [one.partition(":")[0] for one in services[name]["volumes"] if one.endswith(f":{state}")]
        assert volume == "state"
