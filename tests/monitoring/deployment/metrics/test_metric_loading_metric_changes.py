"""Which metrics have other code than those of the deployment before."""

from __future__ import annotations

from monitoring.deployment.metrics.metric_loading import metric_changes
from monitoring.records import MetricCode


def code(name: str, function: str = "own:f", digest: str = "a" * 64) -> MetricCode:
    return MetricCode(name=name, function=function, digest=digest)


def test_only_metrics_of_both_that_differ_are_told() -> None:
    before = [code("same"), code("gone"), code("moved"), code("changed")]
    after = [code("same"), code("new"), code("moved", "other:f"), code("changed", digest="b" * 64)]
    found = metric_changes(before, after)
    assert [(one.kind, one.feature, one.fact) for one in found] == [
        ("metric changed", "moved", False),
        ("metric changed", "changed", False),
    ]
    assert "(own:f to other:f, the same file)" in found[0].message
    assert "file aaaaaaaa to bbbbbbbb" in found[1].message
