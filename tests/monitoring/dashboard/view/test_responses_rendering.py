from __future__ import annotations

import re
from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError

from monitoring.dashboard.view.responses import STATIC, _environment, render, static_text
from monitoring.dashboard.view.table import TableView, cell

TEMPLATES = files("monitoring.dashboard") / "templates"
FILES = sorted(path.name for path in TEMPLATES.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_no_template_escapes_less_or_has_a_style_or_script_of_its_own(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    assert not re.search(r"\|\s*safe|autoescape|Markup|\bstyle=|<style|\bon[a-z]+=|javascript:", text)
    own = {f'<script src="/static/{name}.js" defer>' for name in ("label", "live", "zone")}
    assert set(re.findall(r"<script[^>]*>", text)) <= own


def test_values_are_escaped() -> None:
    text = render("failed", lines=["<b>&\"'"], code=404)
    assert "&lt;b&gt;&amp;&#34;&#39;" in text
    assert "<b>&" not in text


def test_what_stands_between_backticks_is_a_command() -> None:
    coded = _environment().filters["coded"]
    assert str(coded("Run `a <b>` now.")) == "Run <code>a &lt;b&gt;</code> now."


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("failed", code=404)


@pytest.mark.parametrize("name", STATIC)
def test_files_load_nothing_from_elsewhere(name: str) -> None:
    text = static_text(name)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(|\beval\b|innerHTML|document\.write", text)


def test_a_moment_in_a_table_says_when_it_is_for_a_script() -> None:
    at = datetime(2026, 5, 1, 8, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    row = (cell("1 May <2026>", at), cell("1 May", at, href="/d"), cell("", at))
    table = TableView(name="t", title="T", columns=("a", "b", "c"), rows=(row,))
    environment = _environment()
    html = str(environment.filters["cells"](table.rows[0], table.numeric))
    assert '<time datetime="2026-05-01T06:30:00Z">1 May &lt;2026&gt;</time>' in html
    assert html.count("<time") == 1
