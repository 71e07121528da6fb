from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.config import MonitorConfig, check_settings, render_config
from monitoring.config.loading import parse_config
from monitoring.config.routes import WebhookRoute
from monitoring.errors import InvalidSettings
from tests.monitoring.config.configs import LEAST, load

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and "://" not in text
)
unit = st.floats(0.0, 1.0)


@given(
    bundle=texts,
    names=st.lists(texts, max_size=3, unique=True),
    numbers=st.tuples(unit, unit, st.none() | unit),
    rows=st.integers(1, 10**9),
    webhooks=st.lists(st.sampled_from(["https://h.example/a?b=c", "http://localhost:1"]), max_size=2),
)
def test_rendered_settings_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    bundle: str,
    names: list[str],
    numbers: tuple[float, float, float | None],
    rows: int,
    webhooks: list[str],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    values: dict[str, Any] = {
        "model": {"bundle": bundle, "probabilities": bundle},
        "traffic": {"path": "traffic", "slices": names, "exclude_callers": names},
        "windows": {"min_rows": rows},
        "tolerance": dict(zip(("error", "integrity"), numbers, strict=False)),
        "notify": [{"webhook": url, "level": "notice"} for url in webhooks],
    }
    if numbers[2] is not None:
        values["tolerance"]["brier"] = numbers[2]
    config = load(folder, render_config(values))
    assert config == check_settings(values, folder)
    assert config.model.bundle == (folder / bundle).absolute()
    assert config.model.probabilities == bundle
    assert config.traffic.slices == config.traffic.exclude_callers == tuple(names)
    assert config.windows.min_rows == rows
    assert (config.tolerance.error, config.tolerance.integrity, config.tolerance.brier) == numbers
    assert config.notify == tuple(WebhookRoute(webhook=url, level="notice") for url in webhooks)


def test_a_new_config_without_more_means_the_defaults_and_one_page_in_five_years_of_days(tmp_path: Path) -> None:
    text = render_config({"model": {"bundle": "models/flights"}, "traffic": {"path": "traffic"}})
    assert load(tmp_path, text) == load(tmp_path, LEAST + f'[budget]\npage = "1 per {5 * 365} windows"\n')


COLUMN_NAMES = st.text(min_size=1, max_size=9).filter(str.strip)


@settings(max_examples=25)
@given(st.dictionaries(COLUMN_NAMES, st.sampled_from(["EUR", '"', "%"]), max_size=4))
def test_columns_of_any_name_are_one_line_each(units: dict[str, str]) -> None:
    columns = {name: {"kind": "number", "unit": unit} for name, unit in units.items()}
    text = render_config({"model": {"bundle": "m"}, "traffic": {"path": "t"}, "columns": columns})
    lines = text.partition("[columns]\n")[2].split("\n")[:-1]
    assert len(lines) == len(units)
    found = parse_config(text, Path("/srv"))
    assert isinstance(found, MonitorConfig)
    assert {name: section.model_dump(exclude_none=True) for name, section in found.columns.items()} == columns


TABLE = {
    "model": {"baseline": "baseline", "classes": ("no", "yes")},
    "traffic": {"event_time": "ts", "prediction_id": "id", "label": "y", "label_time": "known_at", "scores": ("p",)},
}


def test_good_settings_are_the_config_they_will_be(tmp_path: Path) -> None:
    config = check_settings({"model": {"bundle": "models/flights"}, "traffic": {"path": "traffic"}}, tmp_path)
    assert config.model.bundle == tmp_path / "models/flights"
    assert config.windows.every == "1d"


def test_a_table_needs_no_traffic_yet(tmp_path: Path) -> None:
    config = check_settings(TABLE, tmp_path)
    assert (config.model.baseline, config.traffic.path) == (tmp_path / "baseline", None)
    assert config.model.classes == ("no", "yes")


def test_all_errors_name_the_option_they_come_from(tmp_path: Path) -> None:
    wrong = {
        "model": {"bundle": "m"},
        "traffic": {"path": "ftp://", "slices": ("a", "a")},
        "windows": {"every": "1 day", "timezone": "Mars", "min_rows": 0},
    }
    with pytest.raises(InvalidSettings) as caught:
        check_settings(wrong, tmp_path)
    head, *lines = str(caught.value).splitlines()
    assert head == "5 errors in the command:"
    assert [line.strip().partition(":")[0] for line in lines] == [
        "--traffic",
        "--slices",
        "--every",
        "--timezone",
        "--min-rows",
    ]
    assert caught.value.settings == tuple(line.strip() for line in lines)


def test_columns_are_named_by_their_options(tmp_path: Path) -> None:
    table = {**TABLE, "traffic": {"event_time": " ", "scores": ("p", "p")}}
    with pytest.raises(InvalidSettings, match=r"--event-time: empty name.*\n.*--score: duplicate name"):
        check_settings(table, tmp_path)
