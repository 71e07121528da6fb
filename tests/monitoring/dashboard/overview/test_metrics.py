from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from monitoring.dashboard.overview.metrics import LABELS, metrics_text, read_metrics, rollout_gauges
from monitoring.dashboard.stores.candidates import Candidate, candidates
from monitoring.dashboard.stores.roster import Failure
from monitoring.dashboard.stores.standing import STATES
from monitoring.dashboard.stores.stores import Stores
from monitoring.rollout.rollout_settings import iso, with_setting
from monitoring.service.workers import QueueState
from tests.dashboard_store import HOSTILE, NOW
from tests.monitoring.rollout.records import rollout

FAILURES = (
    Failure(config="us.toml", reason="The last run failed.", unreadable=False),
    Failure(config="eu/monitor.toml", reason="It is no TOML."),
)

Samples = dict[str, list[tuple[Mapping[str, str], float]]]


def samples(text: str) -> Samples:
    """Labels and values by metric, as Prometheus' own parser reads them."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, []).append((one.labels, one.value))
    return found


def of_store(stores: Stores) -> tuple[Candidate, ...]:
    (source,) = stores.stores
    return candidates("shop", source.store().overview.outlines(), {}, NOW)


def test_a_deployment_is_in_one_state_and_has_its_evidence_and_incidents(stores: Stores) -> None:
    found = samples(read_metrics(stores))
    states = [(labels["deployment"], labels["state"]) for labels, on in found["pitfalls_deployment_state"] if on]
    assert len({name for name, _ in states}) == 2
    assert {state for _, state in states} <= set(STATES)
    (paged,) = (name for name, state in states if state == "page")

    def of_page(metric: str, **labels: str) -> float:
        wanted = {"deployment": paged, **labels}
        return sum(value for given, value in found[metric] if wanted.items() <= given.items())

    assert of_page("pitfalls_evidence", level="page") > 0.0
    assert of_page("pitfalls_evidence_threshold", level="page") > 1.0
    assert of_page("pitfalls_open_incidents", level="page") == 1.0
    assert of_page("pitfalls_last_window_rows") > 0
    assert of_page("pitfalls_unacknowledged_page") == 1.0
    assert found["pitfalls_unreadable_configs"] == [({}, 0.0)]
    assert all(
        set(LABELS) <= labels.keys()
        for name, given in found.items()
        for labels, _ in given
        if not name.endswith("_configs")
    )


def test_a_page_that_was_acknowledged_and_recovers_is_no_alert(stores: Stores) -> None:
    (paged,) = (one for one in of_store(stores) if one.state == "page")
    recovering = tuple(replace(one, state="recovering", acknowledged_at=NOW) for one in paged.outline.incidents)
    [again] = candidates("shop", [replace(paged.outline, incidents=recovering)], {}, NOW)
    found = samples(metrics_text([again], NOW))
    assert [value for _, value in found["pitfalls_unacknowledged_page"]] == [0.0]


def test_labels_are_escaped_and_a_deployment_without_windows_is_there(stores: Stores) -> None:
    outline = of_store(stores)[0].outline
    [named] = candidates("shop", [replace(outline, name=f'a"\n{HOSTILE}', last=None, window=None)], {}, NOW)
    found = samples(metrics_text([named], NOW, FAILURES))
    [(labels, _)] = found["pitfalls_last_run_timestamp_seconds"]
    assert labels["deployment"] == f'a"\n{HOSTILE}'
    assert "pitfalls_evidence" not in found
    assert found["pitfalls_unreadable_configs"] == [({}, 1.0)]
    assert [labels["config"] for labels, _ in found["pitfalls_failing_config"]] == ["eu/monitor.toml", "us.toml"]


@pytest.fixture
def rules(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "deploy" / "prometheus" / "pitfalls.rules.yml").read_text("utf-8")


@pytest.fixture
def families(stores: Stores) -> dict[str, Metric]:
    """The metrics of a service that runs monitors, by name."""
    text = read_metrics(replace(stores, queue=QueueState))
    failing = metrics_text([], NOW, [Failure(config="a.toml", reason="It is no TOML.")])
    record = rollout()
    record = replace(record, settings=with_setting(record.settings, "worked_at", iso(NOW)))
    rollouts = "".join(line for gauge in rollout_gauges([("s", record)]) for line in gauge.lines())
    return {one.name: one for page in (failing, text, rollouts) for one in text_string_to_metric_families(page)}


def test_every_metric_of_a_rule_about_monitors_exists(rules: str, families: dict[str, Metric]) -> None:
    asked = {name for name in re.findall(r"\bpitfalls_[a-z_]+", rules) if not name.startswith("pitfalls_traffic_")}
    assert len(asked) >= 10
    assert asked <= families.keys()


def test_every_state_and_label_of_a_rule_exists(rules: str, families: dict[str, Metric]) -> None:
    assert set(re.findall(r'deployment_state\{state="([a-z]+)"', rules)) <= set(STATES)
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert set(re.findall(r"\$labels\.([a-z_]+)", rules)) <= {*labels, "config", "instance", "job", "model_name"}
