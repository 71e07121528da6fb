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
    assert any("not known for too few days or labels" in line for line in shadow)
    assert any("not known before a split" in line for line in split)


def test_a_plan_says_how_much_days_differ_and_which_guard_passes_last_and_when() -> None:
    plan = replace(
        promised((-0.02, "better", 8.0)),
        day_spread=(0.018, 0.027),
        days_seen=14,
        last_guard="origin=JFK",
        last_guard_days=31.0,
    )
    said = "\n".join(plan_lines(42, 43, plan))
    assert "days differ by about 0.018 beyond what their rows explain, with nine tenths by less than 0.027" in said
    assert "the last guard to pass, if it is as good as before, is origin=JFK: nine times of ten 31 days" in said
