"""The alert rules ask for metrics, labels and states that `/metrics` has."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from monitoring.dashboard.overview.metrics import metrics_text, read_metrics
from monitoring.dashboard.stores.roster import Failure
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores
from monitoring.jobs.service.workers import QueueState
from tests.dashboard_store import NOW


@pytest.fixture
def rules(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "deploy" / "prometheus" / "pitfalls.rules.yml").read_text("utf-8")


@pytest.fixture
def families(stores: Stores) -> dict[str, Metric]:
    """The metrics of a service that runs monitors, by name."""
    text = read_metrics(replace(stores, queue=QueueState))
    failing = metrics_text([], NOW, [Failure(config="a.toml", reason="It is no TOML.")])
    return {one.name: one for page in (failing, text) for one in text_string_to_metric_families(page)}


def test_every_metric_of_a_rule_about_monitors_exists(rules: str, families: dict[str, Metric]) -> None:
    asked = {name for name in re.findall(r"\bpitfalls_[a-z_]+", rules) if not name.startswith("pitfalls_traffic_")}
    assert len(asked) >= 10
    assert asked <= families.keys()


def test_every_state_and_label_of_a_rule_exists(rules: str, families: dict[str, Metric]) -> None:
    assert set(re.findall(r'deployment_state\{state="([a-z]+)"', rules)) <= set(STATES)
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert set(re.findall(r"\$labels\.([a-z_]+)", rules)) <= {*labels, "config", "instance", "job", "model_name"}
