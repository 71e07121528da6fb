"""docs/reference/monitor-toml.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from docs.reference_tables import entries, setting_rows
from monitoring.config import MonitorConfig, load_config
from monitoring.config.engine_section import ENGINE_KINDS
from monitoring.config.routes import ROUTES
from monitoring.config.section import UNCOUNTED
from monitoring.config.sections import SECTIONS
from monitoring.errors import BadInput
from monitoring.traffic.foreign_logs.formats import FORMATS

PAGE = (Path(__file__).parents[3] / "docs/reference/monitor-toml.md").read_text("utf-8")


def lines_of(name: str) -> list[str]:
    """The lines of the directive of a section, below that section's own heading."""
    lines: str
    (lines,) = re.findall(rf"^:::{{settings}} {re.escape(name)}\n(.*?)^:::$", PAGE, re.MULTILINE | re.DOTALL)
    return lines.splitlines()


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_describes_each_key_below_its_heading_in_order(section: str) -> None:
    head = f"[[{section}]]" if section in ("action", "expected", "metric", "notify", "rule") else f"[{section}]"
    assert PAGE.index(f"\n## {head}\n") < PAGE.index(f":::{{settings}} {section}\n")
    assert list(entries(lines_of(section))) == list(SECTIONS[section].model_fields)


@pytest.mark.parametrize("route", [*(route for route in ROUTES if route != "webhook"), "PLUGIN"])
def test_the_page_describes_each_key_of_a_route(route: str) -> None:
    assert setting_rows(f"notify.{route}", entries(lines_of(f"notify.{route}")))


def choices(annotation: Any) -> set[str]:
    """The texts that an annotated setting may be, where it may be some alone."""
    if get_origin(annotation) is Literal:
        return {value for value in get_args(annotation) if isinstance(value, str)}
    return set().union(*map(choices, get_args(annotation)))


def lists() -> dict[str, tuple[str, set[str]]]:
    """What the page says of each setting of some values, and these values."""
    found = {
        "[notify] route": (entries(lines_of("notify"))["route"].text, set(ROUTES)),
        "[traffic] log": (entries(lines_of("traffic"))["log"].text, set(FORMATS)),
        "[engine] kind": (entries(lines_of("engine"))["kind"].text, set(ENGINE_KINDS)),
    }
    for name, section in SECTIONS.items():
        said = entries(lines_of(name))
        found |= {
            f"[{name}] {key}": (said[key].text, choices(field.annotation))
            for key, field in section.model_fields.items()
            if len(choices(field.annotation)) > 2
        }
    return found


@pytest.mark.parametrize("setting", lists())
def test_a_list_of_values_on_the_page_has_them_all(setting: str) -> None:
    text, values = lists()[setting]
    named = set(re.findall(r"`\"?([\w ]+)\"?`", text))
    assert len(named & values) < 2 or values <= named, f"{sorted(values - named)} are not on the page"


def test_a_key_without_a_description_fails_the_build() -> None:
    with pytest.raises(ValueError, match="differ in cron"):
        setting_rows("schedule", {})


def test_values_and_defaults_come_from_the_records() -> None:
    rows = {key: (values, default) for key, values, default, _ in setting_rows("windows", entries(lines_of("windows")))}
    assert rows["`min_rows`"] == ("whole number >= 1, <= 1,000,000,000", "`200`")
    assert rows["`lateness`"] == ("duration", '`"6h"`')
    assert rows["`rows`"][1] == "none, e.g. `5000`"


def test_the_smallest_config_of_the_page_is_one(tmp_path: Path) -> None:
    example, *_ = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "monitor.toml"
    path.write_text(example, "utf-8")
    assert load_config(path).model.bundle == tmp_path / "models/flights"


def test_the_errors_on_the_page_are_in_these_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"```text\nError: (.*?)\n```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("monitor.toml").write_text(
        '[model]\nbundel = "x"\nbundle = "x"\n[traffic]\npath = "t"\n\n[windows]\nevery = "1 day"\n', "utf-8"
    )
    with pytest.raises(BadInput) as caught:
        load_config(Path("monitor.toml"))
    assert str(caught.value) == shown


def test_the_page_names_what_may_be_changed_without_losing_evidence() -> None:
    text = PAGE.split("These may change at any time:")[1].split("Every other setting")[0]
    named, section = set(), ""
    for of, name in re.findall(r"(of\s)?`([\w\[\]]+)`", text):
        section = name.strip("[]") if of else section
        if not of:
            named.add((section, name) if name.isidentifier() else ("", name.strip("[]")))
    settings = [(("", name), field) for name, field in MonitorConfig.model_fields.items()]
    settings += [((name, key), inner) for name in SECTIONS for key, inner in SECTIONS[name].model_fields.items()]
    of_baseline = {("baseline", "since")}  # it counts with the baseline, and not as a setting
    assert named | of_baseline == {place for place, field in settings if UNCOUNTED in field.metadata}
