"""Which settings begin a new deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from monitoring.config import MonitorConfig, settings_digest
from monitoring.config.loading import parse_config
from monitoring.config.metric_section import MetricSection
from monitoring.config.section import UNCOUNTED, Section
from monitoring.config.settings_digest import counted_settings
from monitoring.config.table_section import OutputSection
from tests.monitoring.config.configs import LEAST, load

#: Configs of a release before the settings were marked, with the digests that it gave them.
EARLIER = json.loads(Path(__file__).with_name("earlier_digests.json").read_text("utf-8"))

TABLE = """\
[model]
baseline = "baseline"
[traffic]
path = "traffic"
outputs.price = { predicted = "price", label = "paid" }
[[metric]]
name = "missed"
function = "own:missed"
"""


def parsed(text: str) -> MonitorConfig:
    result = parse_config(text, Path("/srv"))
    assert isinstance(result, MonitorConfig), result
    return result


def places(section: Section) -> Iterator[tuple[str, str, FieldInfo]]:
    """Every setting of the config, by the name of its section; a section that is uncounted is one setting."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section) and UNCOUNTED not in field.metadata:
            yield from ((name, key, inner) for key, inner in type(value).model_fields.items())
        else:
            yield "", name, field


def other(value: Any, field: FieldInfo) -> Any:
    """Another value of a setting."""
    if value is None:
        return field.examples[0] if field.examples else "other"
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return "1 per 100 windows" if "windows" in value else f"{value}x"
    if isinstance(value, int | float | timedelta):
        return value * 2
    if isinstance(value, dict):
        return {"other": OutputSection(label="x", predicted="y")}
    return (*value, "other") if isinstance(value, tuple) else Path("/other")


def changed(config: MonitorConfig, section: str, name: str, field: FieldInfo) -> MonitorConfig:
    """The config with another value of a setting, whether or not the two fit."""
    holder = getattr(config, section) if section else config
    value = getattr(holder, name)
    if isinstance(value, Section):
        key, inner = next(iter(type(value).model_fields.items()))
        update: dict[str, Any] = {name: value.model_copy(update={key: other(getattr(value, key), inner)})}
    elif name == "metric":
        update = {name: ()}
    else:
        update = {name: other(value, field)}
    copy = holder.model_copy(update=update)
    return config.model_copy(update={section: copy}) if section else copy


SETTINGS = {f"{section}.{name}": (section, name, field) for section, name, field in places(parsed(TABLE))}


@pytest.mark.parametrize("place", SETTINGS)
def test_every_setting_counts_unless_its_field_says_otherwise(place: str) -> None:
    config = parsed(TABLE)
    section, name, field = SETTINGS[place]
    other_config = changed(config, section, name, field)
    assert other_config != config
    same = settings_digest(other_config) == settings_digest(config)
    assert same == (UNCOUNTED in field.metadata)


@pytest.mark.parametrize("name", MetricSection.model_fields)
def test_every_setting_of_a_metric_counts(name: str) -> None:
    config = parsed(TABLE)
    metric = config.metric[0]
    update = {name: other(getattr(metric, name), MetricSection.model_fields[name])}
    others = config.model_copy(update={"metric": (metric.model_copy(update=update),)})
    assert settings_digest(others) != settings_digest(config)


@pytest.mark.parametrize("name", OutputSection.model_fields)
def test_every_setting_of_an_output_counts(name: str) -> None:
    config = parsed(TABLE)
    output = config.traffic.outputs["price"]
    update = {name: other(getattr(output, name), OutputSection.model_fields[name])}
    traffic = config.traffic.model_copy(update={"outputs": {"price": output.model_copy(update=update)}})
    assert settings_digest(config.model_copy(update={"traffic": traffic})) != settings_digest(config)


def test_no_two_settings_that_count_have_one_key() -> None:
    counted = [name for _, name, field in SETTINGS.values() if UNCOUNTED not in field.metadata]
    assert sorted(counted) == sorted(counted_settings(parsed(TABLE)))


@pytest.mark.parametrize("name", EARLIER)
def test_a_config_of_before_has_the_digest_of_before(name: str) -> None:
    assert settings_digest(parsed(EARLIER[name]["config"])) == EARLIER[name]["digest"]


@pytest.mark.parametrize("setting", ['decimal = ","', 'separator = ";"', 'sheet = "April"', 'sheet = "May"'])
def test_how_files_are_read_counts(setting: str) -> None:
    text = '[model]\nbaseline = "baseline"\n[traffic]\npath = "live/*.csv"\n'
    digests = {settings_digest(parsed(text + more)) for more in ("", f"{setting}\n", 'sheet = "June"\n')}
    assert len(digests) == 3


def test_paths_schedule_store_notification_and_spelling_do_not_change_the_digest(tmp_path: Path) -> None:
    one = LEAST + 'slices = ["a", "b"]\n'
    other = (
        one.replace("models/", "elsewhere/").replace('["a", "b"]', '["b", "a"]')
        + '[windows]\nlateness = "360m"\n[budget]\npage = "1  in 365 Windows"\n[schedule]\ncron = "0 6 * * mon"\n'
        + '[store]\nurl = "sqlite:///other.db"\n[[notify]]\nwebhook = "https://h.example"\n'
        + '[deployment]\nteam = "credit"\ntags = ["eu"]\n'
    )
    (tmp_path / "other").mkdir()
    assert settings_digest(load(tmp_path / "other", other)) == settings_digest(load(tmp_path, one))
