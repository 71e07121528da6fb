from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitoring.config.configs import LEAST, problems


def test_every_error_is_listed_with_its_line(tmp_path: Path) -> None:
    text = """\
[model]
bundel = "models/flights"

[traffic]   # comments do not count
path = 3
slices = [
  "origin",  # nor do arrays over many lines
  "origin",
]

[windows]
every = "1 day"
timezone = "Europe/Pariss"
slices = ["origin"]

[[notify]]
webhook = "https://hooks.example.org/one"
[[notify]]
webhook = "https://hooks.example.org/two"
level = "pager"

[budgets]
page = "1 per 365 windows"
"""
    found = problems(tmp_path, text)
    assert [line.split(":")[0] for line in found] == [
        "line 1, [model] bundle",
        "line 2, [model] bundel",
        "line 5, [traffic] path",
        "line 6, [traffic] slices",
        "line 12, [windows] every",
        "line 13, [windows] timezone",
        "line 14, [windows] slices",
        "line 20, [[notify]] 2 level",
        "line 22, [budgets]",
    ]
    assert found[1].endswith("Did you mean bundle?")
    assert 'Did you mean "Europe/Paris"?' in found[5]
    assert found[6].endswith("It belongs in [traffic].")
    assert found[8].endswith("Did you mean budget?")
    assert all("Got " in line and "; expected " in line for line in found)


@pytest.mark.parametrize(
    ("section", "setting", "part"),
    [
        ("windows", 'every = "5h"', "divide a day evenly"),
        ("windows", 'every = "36h"', "whole days"),
        ("windows", 'every = "0d"', "whole days"),
        ("windows", 'every = "367d"', "at most 366"),
        ("windows", 'every = "90s"', "minutes or hours"),
        ("windows", "every = 1", "text in quotes"),
        ("windows", "rows = 0", "at least 1"),
        ("windows", 'lateness = "6 hours"', "a whole number and a unit"),
        ("windows", "lateness = 6", "a whole number and a unit"),
        ("windows", 'lateness = "9999999d"', "at most 3,660 days"),
        ("windows", 'label_horizon = "0d"', "above zero"),
        ("windows", "min_rows = 0", "at least 1"),
        ("windows", "min_rows = 2.5", "a whole number"),
        ("windows", "min_rows = true", "a whole number"),
        ("windows", 'timezone = "Mars"', "IANA"),
        ("windows", 'timezone = "../etc/passwd"', "IANA"),
        ("budget", 'page = "365"', "N per W windows"),
        ("budget", 'notice = "30 per 30 windows"', "1 <= N < W"),
        ("tolerance", "error = 2", "at most 1.0"),
        ("tolerance", "error = -0.1", "at least 0.0"),
        ("tolerance", "brier = nan", "a finite number"),
        ("tolerance", 'integrity = "1 %"', "a number"),
        ("schedule", 'cron = "15 * * *"', "five fields"),
        ("schedule", 'cron = "61 * * * *"', "not a cron expression"),
        ("schedule", 'cron = "0 6 * * 1"', "as numbers are ambiguous"),
        ("schedule", 'cron = "0 0 31 2 *"', "never fires"),
        ("store", 'url = "mysql://me:secret@host/db"', "mysql://host/…"),
        ("store", 'url = "sqlite://"', "in-memory store"),
        ("store", 'url = "sqlite:///:memory:"', "in-memory store"),
        ("store", 'url = "pitfalls.db"', "not the URL of a store"),
    ],
)
def test_a_wrong_value_is_one_problem_on_its_own_line(tmp_path: Path, section: str, setting: str, part: str) -> None:
    (line,) = problems(tmp_path, f"{LEAST}\n[{section}]\n{setting}\n")
    assert line.startswith(f"line 7, [{section}] {setting.partition(' ')[0]}: ")
    assert part in line
    assert "secret" not in line


def test_sections_of_another_kind_are_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, 'windows = 3\n[notify]\nwebhook = "https://h.example"\n[model]\nbundle = "m"\n')
    assert "a section, headed [windows]" in found[0]
    assert found[1].startswith("line 2, [[notify]]: ")
    assert "headed [[notify]]" in found[1]
    assert found[2].startswith("line 5, [traffic]: missing.")


def test_a_key_with_a_line_break_stays_on_one_line(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, LEAST + '"a\\nb" = 1\n')
    assert line.startswith('line 5, [traffic] "a\\nb": unknown key.')
