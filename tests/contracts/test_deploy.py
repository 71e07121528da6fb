"""What lies in deploy/ is valid for those who read it, and names verbs, flags, variables and metrics that exist."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from docs.reference_tables import verbs
from monitoring.dashboard.overview.metrics import metrics_text, rollout_gauges
from monitoring.rollout.rollout_settings import iso, with_setting
from monitoring.service.workers import QueueState
from pitfalls_tf.cli.group import name_variables
from serving.metrics.metrics import ServerMetrics, TrafficCounts
from tests.contracts.test_command_line_reference import flags
from tests.monitoring.rollout.records import rollout
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from configparser import RawConfigParser

MANIFESTS = ("serving/kubernetes.yaml", "monitor/kubernetes.yaml", "monitor/cronjob.yaml", "monitor/rollouts.yaml")
VERBS = dict(verbs())


def documents(path: Path) -> list[Any]:
    """The documents of a YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text("utf-8")) if one is not None]


def pods(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod of the manifests, with the name of its file."""
    for name in MANIFESTS:
        for one in documents(root / "deploy" / name):
            spec = one["spec"]
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if "template" in spec:
                yield name, spec["template"]["spec"]


def tool(name: str) -> str:
    """A program of the test environment."""
    beside = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return beside or missing(f"{name} is not installed (requirements.lock has it)")


def run(*command: str | Path) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kubernetes_accepts(document: Any) -> None:
    """Check a manifest by the schemas of Kubernetes."""
    if importlib.util.find_spec("kubernetes_validate") is None:
        missing("kubernetes-validate is not installed (requirements.lock has it)")
    import_module("kubernetes_validate").validate(document, "1.34", strict=True)


def test_every_file_can_be_read_by_its_kind(root: Path) -> None:
    readers = {".yaml": yaml.safe_load_all, ".yml": yaml.safe_load_all, ".json": json.loads, ".py": ast.parse}
    chart = root / "deploy" / "helm" / "pitfalls" / "templates"
    found = [path for path in (root / "deploy").rglob("*") if path.suffix in readers and path.parent != chart]
    assert len(found) > 15
    for path in found:
        read = readers[path.suffix](path.read_text("utf-8"))
        assert list(read) if path.suffix in {".yaml", ".yml"} else read, path


@pytest.mark.slow
@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_accepts_the_manifests(root: Path, name: str) -> None:
    for one in documents(root / "deploy" / name):
        kubernetes_accepts(one)


def test_pods_run_as_nobody_in_particular_on_a_read_only_disk(root: Path) -> None:
    found = list(pods(root))
    assert len(found) == 4
    for name, pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        # Variables of a Service called pitfalls-serve would be taken for flags.
        assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False), name
        for container in pod["containers"]:
            security = container["securityContext"]
            assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False), name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}, name


def commands(root: Path) -> Iterator[list[str]]:
    """The words of every command line after `pitfalls`."""
    compose = documents(root / "deploy/monitor/compose.yaml")[0]["services"]
    runtime = documents(root / "deploy/serving/kserve.yaml")[0]["spec"]
    yield ["serve", *runtime["containers"][0]["args"]]
    yield from (compose[name]["command"] for name in ("monitor", "rollouts"))
    for _, pod in pods(root):
        for container in pod["containers"]:
            yield container.get("args", ["serve"])
    chart = (root / "deploy/helm/pitfalls/templates/monitor.yaml").read_text("utf-8")
    yield ["monitor", "serve", *re.findall(r"^ +- (--\S+)", chart, re.MULTILINE)]
    for name in ("airflow/pitfalls_monitors.py", "dagster/pitfalls_monitors.py"):
        text = (root / "deploy" / name).read_text("utf-8")
        yield ["monitor", "run", *re.findall(r"--[a-z-]+", text.partition("monitor")[2].partition("CONFIGS = ")[2])]


def test_every_command_has_a_verb_and_flags_that_exist(root: Path) -> None:
    found = list(commands(root))
    assert len(found) == 10
    for words in found:
        verb = next(name for n in (2, 1) if (name := " ".join(["pitfalls", *words[:n]])) in VERBS)
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= flags(VERBS[verb]), words


def test_every_variable_is_that_of_a_flag_or_a_documented_one(root: Path) -> None:
    known = {"PITFALLS_STORE_URL", "PITFALLS_CONFIGS"}
    for verb, command in VERBS.items():
        name_variables(command, verb)
        known |= {str(option.envvar) for option in command.params if isinstance(option, click.Option)}
    for path in (root / "deploy").rglob("*"):
        if path.is_file():
            used = set(re.findall(r"PITFALLS_[A-Z_]*[A-Z]", path.read_text("utf-8")))
            assert used <= known, path


def test_images_and_chart_are_of_this_version(root: Path, setup: RawConfigParser) -> None:
    version = setup["metadata"]["version"]
    texts = [path.read_text("utf-8") for path in (root / "deploy").rglob("*.yaml")]
    images = [image for text in texts for image in re.findall(r"image: (pitfalls-\S+)", text)]
    assert len(images) > 6
    assert {image.partition(":")[2] for image in images} == {version}
    chart = documents(root / "deploy/helm/pitfalls/Chart.yaml")[0]
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_charts_values_follow_their_schema(root: Path) -> None:
    if importlib.util.find_spec("jsonschema") is None:
        missing("jsonschema is not installed (requirements.lock has it)")
    jsonschema = import_module("jsonschema")
    chart = root / "deploy/helm/pitfalls"
    schema = json.loads((chart / "values.schema.json").read_text("utf-8"))
    (values,) = documents(chart / "values.yaml")
    check = jsonschema.Draft7Validator(schema)
    check.validate(values)
    assert not check.is_valid(values | {"severs": {}})
    assert not check.is_valid(values | {"traffic": {"size": "20"}})
    used = {
        found
        for path in (chart / "templates").iterdir()
        for found in re.findall(r"\.Values\.(\w+\.\w+)", path.read_text("utf-8"))
    }
    declared = {f"{part}.{key}" for part, keys in schema["properties"].items() for key in keys.get("properties", {})}
    given = {f"{part}.{key}" for part, keys in values.items() for key in keys}
    assert used == declared == given


def exposed() -> set[str]:
    """Every name that the monitor's and the server's metrics have, without suffixes of histograms."""
    server = ServerMetrics()
    record = rollout()
    record = replace(record, settings=with_setting(record.settings, "worked_at", iso(record.started_at)))
    rollouts = "".join(line for gauge in rollout_gauges([("s", record)]) for line in gauge.lines())
    server.count(model="flights", verb="predict", status="OK", latency_us=1.0)
    return set(
        re.findall(
            r"^# TYPE (\S+)",
            metrics_text([], datetime.now(UTC), queue=QueueState()) + rollouts + server.page(TrafficCounts()),
            re.MULTILINE,
        )
    )


def expressions(root: Path) -> list[str]:
    """Every PromQL expression of the dashboard, its variables filled in."""
    board = json.loads((root / "deploy/grafana/pitfalls.json").read_text("utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    found += [one["definition"] for one in board["templating"]["list"] if "definition" in one]
    for variable, value in (("$__rate_interval", "5m"), ("$__range", "1h"), ("$deployment", ".*")):
        found = [text.replace(variable, value) for text in found]
    return found


def test_the_dashboard_asks_for_metrics_that_exist(root: Path) -> None:
    rules = (root / "deploy/prometheus/pitfalls.rules.yml").read_text("utf-8")
    asked = set(re.findall(r"(?:\bpitfalls_|:tensorflow:)[a-z_:]+\w", "\n".join(expressions(root)) + rules))
    assert len(asked) > 12
    assert {re.sub("_bucket$", "", name) for name in asked - {"pitfalls_monitor"}} <= exposed()


def test_prometheus_accepts_config_rules_and_the_dashboards_expressions(root: Path, tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        missing("promtool is not installed (apt-get install prometheus)")
    run("promtool", "check", "config", "--syntax-only", root / "deploy/monitor/prometheus.yml")
    run("promtool", "check", "rules", root / "deploy/prometheus/pitfalls.rules.yml")
    run("promtool", "test", "rules", root / "deploy/prometheus/pitfalls.rules.test.yml")
    asked = [text for text in expressions(root) if not text.startswith("label_values")]
    rules = [{"record": f"dashboard:{number}", "expr": text} for number, text in enumerate(asked)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    run("promtool", "check", "rules", "--lint=none", tmp_path / "rules.yml")


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_stays_quiet(root: Path) -> None:
    rules = yaml.safe_load((root / "deploy/prometheus/pitfalls.rules.yml").read_text("utf-8"))
    tests = yaml.safe_load((root / "deploy/prometheus/pitfalls.rules.test.yml").read_text("utf-8"))["tests"]
    tried = {(case["alertname"], bool(case["exp_alerts"])) for one in tests for case in one.get("alert_rule_test", ())}
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert len(alerts) > 15
    assert tried == {(alert, fires) for alert in alerts for fires in (True, False)} - {("PitfallsWatchdog", False)}


def test_the_dashboard_is_of_the_form_that_grafana_reads_from_files(root: Path) -> None:
    board = json.loads((root / "deploy/grafana/pitfalls.json").read_text("utf-8"))
    assert {"uid", "title", "panels", "schemaVersion"} <= board.keys()
    assert "spec" not in board  # that of the second schema is refused in files
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = {
        (x, y)
        for panel in panels
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    }
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert max(x for x, _ in taken) == 23


@pytest.mark.parametrize("name", ["serving", "monitor"])
def test_the_containerfile_has_no_known_fault_and_copies_what_exists(root: Path, name: str) -> None:
    path = root / "deploy" / name / "Containerfile"
    run(tool("hadolint"), path)
    text = path.read_text("utf-8")
    sent = (root / ".dockerignore").read_text("utf-8")
    for sources in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (root / source).exists(), source
            assert any(re.fullmatch(line[1:].replace("*", ".*"), source) for line in sent.splitlines()), source
    assert "USER 65532:65532" in text


def test_systemd_accepts_the_units(root: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed (apt-get install systemd)")
    units = sorted((root / "deploy" / "systemd").iterdir())
    assert len(units) > 3
    assert not run("systemd-analyze", "verify", "--recursive-errors=no", *units).strip()


@pytest.fixture
def started(root: Path, tmp_path: Path) -> Any:
    """What the image's entrypoint runs, by its variables and arguments."""
    (tmp_path / "pitfalls").write_text('#!/bin/sh\nfor one in "$@"; do echo "$one"; done\n', "utf-8")
    (tmp_path / "pitfalls").chmod(0o755)

    def words(*arguments: str, **variables: str) -> list[str]:
        done = subprocess.run(
            [root / "deploy/serving/entrypoint", *arguments],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout.splitlines()

    return words


def test_the_image_starts_as_tensorflow_servings_does(started: Any) -> None:
    one = ["serve", "--model_name=flights", "--model_base_path=/mnt/flights"]
    assert started(MODEL_NAME="flights", MODEL_BASE_PATH="/mnt") == one
    assert started("--workers", "2", MODEL_NAME="a b") == [
        "serve",
        "--model_name=a b",
        "--model_base_path=/models/a b",
        "--workers",
        "2",
    ]
    assert started() == ["serve", "--models", "/models"]
    lists = ["--model_config_file=/models/models.config", "--model_config_file_poll_wait_seconds=60"]
    assert started(*lists, MODEL_NAME="flights") == ["serve", *lists]
    assert started(PITFALLS_SERVE_MODELS="/mine", MODEL_NAME="flights") == ["serve"]
    polled = started("--model_config_file_poll_wait_seconds=60", MODEL_NAME="flights")
    assert polled[1] == "--model_name=flights"
