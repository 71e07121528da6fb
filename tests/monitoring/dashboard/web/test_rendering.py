from __future__ import annotations

import re
from importlib.resources import files

import pytest
from jinja2 import UndefinedError

from monitoring.dashboard.web.rendering import STATIC, render, static_text

TEMPLATES = files("monitoring.dashboard") / "templates"
FILES = sorted(path.name for path in TEMPLATES.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_no_template_escapes_less_or_has_a_style_or_script_of_its_own(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    assert not re.search(r"\|\s*safe|autoescape|Markup|\bstyle=|<style|\bon[a-z]+=|javascript:", text)
    assert re.findall(r"<script[^>]*>", text) in ([], ['<script src="/static/live.js" defer>'])


def test_values_are_escaped() -> None:
    text = render("failed", lines=["<b>&\"'"], code=404)
    assert "&lt;b&gt;&amp;&#34;&#39;" in text
    assert "<b>&" not in text


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("failed", code=404)


@pytest.mark.parametrize("name", STATIC)
def test_files_load_nothing_from_elsewhere(name: str) -> None:
    text = static_text(name)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(|\beval\b|innerHTML|document\.write", text)
