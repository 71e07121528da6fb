"""Helm, podman-compose, Airflow and Dagster take what is theirs in deploy/, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.test_deploy import kubernetes_accepts, run
from tests.needs import missing
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Values with everything that a chart may be given.
ALL: dict[str, Any] = {
    "server": {"env": {"PITFALLS_SERVE_WORKERS": "2"}},
    "monitor": {
        "configs": {"flights.toml": '[model]\nbundle = "/models/flights"\n', "lender.toml": "[model]\n"},
        "allowedHosts": ["monitor.example.org"],
        "env": [{"name": "SLACK", "valueFrom": {"secretKeyRef": {"name": "routes", "key": "slack"}}}],
        "volumes": [{"name": "routes", "secret": {"secretName": "routes"}}],
        "volumeMounts": [{"name": "routes", "mountPath": "/routes", "readOnly": True}],
        "networkPolicy": {
            "enabled": True,
            "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]}],
            "egress": [{"ports": [{"port": 5432}, {"port": 443}, {"port": 53, "protocol": "UDP"}]}],
        },
        "ingress": {
            "host": "pitfalls.example.org",
            "className": "nginx",
            "tlsSecret": "pitfalls-tls",
            "annotations": {"example.org/a": "b"},
        },
        "disruptionBudget": False,
    },
    "rollouts": {"enabled": True, "resources": {"limits": {"memory": "4Gi"}}},
    "traffic": {"size": "5Gi", "storageClass": "fast"},
}


def program(root: Path, package: str, name: str) -> Path:
    """A program of the environment that `.ci/tools` makes for a package."""
    found = root / ".venv-tools" / package / "bin" / name
    return (
        found if found.exists() else missing(f"{package} is not installed (make test-all, or sh .ci/tools .venv-tools)")
    )


def helm(root: Path, code: str, values: dict[str, Any] | None = None) -> Any:
    """What Helm's library says of the chart: `code` prints JSON, with `chart`, its path, and `values`."""
    head = f"import helm_python, json\nchart, values = {str(root / 'deploy/helm/pitfalls')!r}, {values or {}!r}\n"
    return json.loads(run(program(root, "helm-python-sdk", "python"), "-c", head + code))


def rendered(root: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    code = "print(json.dumps(helm_python.Chart.load(chart).render(values, name='one')))"
    documents = [one for text in helm(root, code, values).values() for one in yaml.safe_load_all(text)]
    return [one for one in documents if one is not None]


def test_helm_finds_no_fault_in_the_chart(root: Path) -> None:
    found = helm(root, "print(json.dumps(helm_python.lint(chart, strict=True)))")
    assert found["total_charts_linted"] == 1
    assert found["errors"] == []
    assert [one["error"] for one in found["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("values", [{}, {"monitor": {"enabled": False}}, ALL], ids=["default", "server", "all"])
def test_kubernetes_accepts_what_helm_renders(root: Path, values: dict[str, Any]) -> None:
    found = rendered(root, values)
    kinds = sorted(one["kind"] for one in found)
    server = ["Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service"]
    monitor = [*server, "ConfigMap", "PodDisruptionBudget", "Deployment", "NetworkPolicy"]
    monitor = [] if values == {"monitor": {"enabled": False}} else monitor
    assert kinds == sorted(server + monitor + (["Ingress"] if values is ALL else []))
    for one in found:
        kubernetes_accepts(one)
    pods = [one["spec"]["template"]["spec"] for one in found if one["kind"] == "Deployment"]
    for pod in pods:
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    if values is ALL:
        [config] = [one for one in found if one["kind"] == "ConfigMap"]
        assert config["data"] == ALL["monitor"]["configs"]
        args = [word for pod in pods for word in pod["containers"][0].get("args", ())]
        assert {"--allowed-host=monitor.example.org", "--allowed-host=pitfalls.example.org"} <= set(args)
        [budget] = [one for one in found if one["kind"] == "PodDisruptionBudget"]
        assert budget["spec"]["maxUnavailable"] == 0


def test_helm_refuses_values_that_the_schema_does_not_know(root: Path) -> None:
    code = (
        "try:\n"
        "    print(json.dumps(helm_python.Chart.load(chart).render(values, name='one')))\n"
        "except helm_python.HelmError as error:\n"
        "    print(json.dumps(str(error)))\n"
    )
    assert "/traffic/size" in helm(root, code, {"traffic": {"size": "many"}})


def test_compose_reads_its_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("podman") is None:
        missing("podman is not installed (apt-get install podman)")
    monkeypatch.setenv("POSTGRES_PASSWORD", "hush")
    text = run(program(root, "podman-compose", "podman-compose"), "-f", root / "deploy/monitor/compose.yaml", "config")
    found = yaml.safe_load(text)["services"]
    assert set(found) == {"server", "monitor", "rollouts", "postgres", "prometheus", "alertmanager", "grafana"}
    url = "postgresql+psycopg://pitfalls:hush@postgres/pitfalls"
    assert found["monitor"]["environment"]["PITFALLS_STORE_URL"] == url
    assert all(
        found[name]["read_only"] and found[name]["cap_drop"] == ["ALL"] for name in ("server", "monitor", "rollouts")
    )
    ports = [port for one in found.values() for port in one.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A folder with the config of a table."""
    watched: Watched = watch(tmp_path / "one", traffic="../live/*.parquet")
    watched.live("1.parquet", own_rows(Days(days=3)))
    watched.adopted.config.rename(watched.adopted.config.with_name("lender-eu.toml"))
    return watched.adopted.config.parent


def python_runs(interpreter: Path, configs: Path, example: Path, code: str) -> Any:
    """What a program prints as JSON on its last line, after it has read an example as the module `example`."""
    load = (
        "import importlib.util, json, sys\n"
        f"spec = importlib.util.spec_from_file_location('example', {str(example)!r})\n"
        "example = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(example)\n"
    )
    done = subprocess.run(
        [interpreter, "-c", load + code],
        env={**os.environ, "PITFALLS_CONFIGS": str(configs), "AIRFLOW_HOME": str(configs / "airflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_dagster_runs_an_asset_for_each_config(root: Path, configs: Path) -> None:
    found = python_runs(
        program(root, "dagster", "python"),
        configs,
        root / "deploy/dagster/pitfalls_monitors.py",
        "import dagster\n"
        "names = [s.name for s in example.defs.get_repository_def().schedule_defs]\n"
        "done = dagster.materialize(example.ASSETS)\n"
        "[made] = done.get_asset_materialization_events()\n"
        "metadata = {k: v.value for k, v in made.materialization.metadata.items()}\n"
        "print(json.dumps([done.success, names, made.asset_key.to_user_string(), metadata]))\n",
    )
    assert found == [True, ["pitfalls_hourly"], "lender_eu", {"windows": 3, "open_pages": 0}]


def test_airflow_runs_a_task_for_each_config(root: Path, configs: Path) -> None:
    ids, command, once = python_runs(
        program(root, "apache-airflow", "python"),
        configs,
        root / "deploy/airflow/pitfalls_monitors.py",
        "dag = example.dag\n"
        "task = dag.get_task('lender-eu')\n"
        "print(json.dumps([sorted(dag.task_ids), task.bash_command, [dag.catchup, dag.max_active_runs]]))\n",
    )
    assert (ids, once) == (["lender-eu"], [False, 1])
    assert "3 windows" in run("bash", "-c", command)
