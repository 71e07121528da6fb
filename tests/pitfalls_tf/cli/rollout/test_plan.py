"""``pitfalls rollout plan``, in words."""

from __future__ import annotations

from dataclasses import replace

from pitfalls_tf.cli.rollout.plan import plan_lines
from tests.monitoring.rollout.records import promised


def test_a_plan_says_who_gets_what() -> None:
    plan = promised((-0.02, "better", 8.0), (0.0, "no difference that matters", None))
    shadow, split = (list(plan_lines(42, 43, one)) for one in (plan, replace(plan, keys_per_day=(750.0, 250.0))))
    assert shadow[0].endswith("1,000 rows a day will be compared")
    assert split[0].endswith("of the keys of a day version 42 gets 750 and version 43 250")
    assert "keys" in split[2]
    assert [line.split()[0] for line in shadow[3:5]] == ["-0.0200", "+0.0000"]
    assert "later" in shadow[4]
