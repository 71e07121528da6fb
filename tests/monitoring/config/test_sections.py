from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.monitoring.config.configs import LEAST, load, problems


def test_the_folder_of_one_version_names_model_and_version(tmp_path: Path) -> None:
    model = load(tmp_path, LEAST.replace("models/flights", "models/flights/3")).model
    assert (model.name, model.version, model.folder) == ("flights", 3, tmp_path / "models/flights")


def test_nothing_can_be_changed_later(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    with pytest.raises(ValidationError):
        config.windows.min_rows = 1


@pytest.mark.parametrize("names", ['[""]', '["a", "a"]', "[3]", '"origin"', "[[]]"])
def test_slices_are_distinct_names(tmp_path: Path, names: str) -> None:
    (line,) = problems(tmp_path, f"{LEAST}slices = {names}\n")
    assert line.startswith("line 5, [traffic] slices")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (LEAST + 'predicted = " "\n', "line 5, [traffic] predicted: empty name."),
        (LEAST + 'scores = ["p"]\npredicted = "answer"\n', "either scores or predicted"),
        (LEAST.replace("[traffic]", 'baseline = "b"\n[traffic]'), "either bundle or baseline"),
        ('[model]\nclasses = ["a", "b"]\n[traffic]\n', "line 1, [model] bundle: missing. Got nothing"),
    ],
)
def test_what_does_not_go_together_is_one_problem(tmp_path: Path, text: str, part: str) -> None:
    (line,) = problems(tmp_path, text)
    assert part in line


def test_a_baseline_of_a_table_goes_by_the_name_of_its_folder(tmp_path: Path) -> None:
    config = load(
        tmp_path, '[model]\nbaseline = "watched/baseline"\n[traffic]\nscores = ["p"]\n[windows]\nrows = 500\n'
    )
    assert (config.model.name, config.model.version, config.traffic.path) == ("watched", None, None)
    assert config.traffic.label_log == tmp_path / "label-log"
    assert config.windows.rows == 500


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('name = "sale"\n', "line 5, [[expected]] 1: an event needs its days, in one way. Got nothing"),
        ('name = "sale"\ndates = [2024-01-01]\ncountry = "US"\n', 'Got "dates, country"'),
        ('name = "sale"\nfirst = 2024-01-02\nlast = 2024-01-01\n', "no span of days"),
        ('name = "sale"\nfirst = 2024-01-02\n', "no span of days"),
        ("dates = [2024-01-01]\n", "needs a name"),
        ('name = "sale"\ndates = ["2024-01-01"]\n', "expected a date without quotes"),
        ('country = "Germany"\n', "two capital letters"),
    ],
)
def test_an_expected_event_is_given_in_one_way(tmp_path: Path, text: str, part: str) -> None:
    found = problems(tmp_path, f"{LEAST}[[expected]]\n{text}")
    assert part in found[0]


def test_expected_events_are_sections_of_their_own(tmp_path: Path) -> None:
    config = load(
        tmp_path, LEAST + '[[expected]]\nname = "sale"\ndates = [2024-01-01]\n[[expected]]\nics = "events.ics"\n'
    )
    assert [one.name for one in config.expected] == ["sale", None]
    assert config.expected[1].ics == tmp_path / "events.ics"
    (line,) = problems(tmp_path, f"{LEAST}[expected]\nics = 'events.ics'\n")
    assert "a section of its own for each event, headed [[expected]]" in line
