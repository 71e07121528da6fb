"""The alert rules ask for metrics, labels and states that `/metrics` has."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores


@pytest.fixture
def rules(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "deploy" / "prometheus" / "pitfalls.rules.yml").read_text("utf-8")


def test_every_metric_of_a_rule_exists(rules: str, stores: Stores) -> None:
    known = {family.name for family in text_string_to_metric_families(read_metrics(stores))}
    asked = set(re.findall(r"\bpitfalls_[a-z_]+", rules))
    assert len(asked) >= 5
    assert asked <= known


def test_every_state_and_label_of_a_rule_exists(rules: str, stores: Stores) -> None:
    families = {one.name: one for one in text_string_to_metric_families(read_metrics(stores))}
    assert set(re.findall(r'deployment_state\{state="([a-z]+)"', rules)) <= set(STATES)
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert set(re.findall(r"\$labels\.([a-z]+)", rules)) <= labels
