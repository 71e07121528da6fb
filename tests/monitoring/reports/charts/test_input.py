"""One input as a picture for a notebook, which needs no other file and runs nothing."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.records import MonitorStatus
from monitoring.reports.charts.input import input_picture


def test_an_input_has_its_values_and_its_effects(status: MonitorStatus) -> None:
    found = input_picture(status, "temp")
    values, effects = found.svg
    assert found.titles == ("temp",)
    assert found.notes[0].startswith(
        "Mean quantile of temp 0.990, baseline 0.500: 2.9 standard deviations. 1 alarm. Above"
    )
    assert "Mean quantile of temp in" in values
    assert "1 notice began" in effects
    for text in found.svg:
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own text


def test_a_notebook_shows_images_with_their_words(status: MonitorStatus, tmp_path: Path) -> None:
    found = input_picture(status, "temp")
    shown = found._repr_html_()
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)
    assert [base64.b64decode(one).decode() for one in images] == list(found.svg)
    assert shown.count("alt=") == 2
    assert "<script" not in shown
    assert repr(found) == "InputPicture(temp)"
    assert shown in found.save(tmp_path / "temp.html").read_text("utf-8")


def test_all_inputs_together_and_answers_have_names(status: MonitorStatus) -> None:
    assert input_picture(status, "answers").titles == ("Predictions",)


def test_a_column_stands_for_the_inputs_that_describe_it(status: MonitorStatus) -> None:
    def renamed(name: str) -> str:
        return name.replace("temp", "note.words").replace("carrier", "note.script")

    windows = tuple(
        replace(one, scores=tuple(replace(score, watch=renamed(score.watch)) for score in one.scores))
        for one in status.windows
    )
    baseline = tuple(replace(one, watch=renamed(one.watch)) for one in status.baseline)
    found = input_picture(replace(status, windows=windows, baseline=baseline), "note")
    assert found.titles == ("note.script", "note.words")
    assert len(found.svg) == 4


def test_an_unknown_input_is_bad_input_with_the_nearest_name(status: MonitorStatus) -> None:
    with pytest.raises(BadInput, match="no such input") as raised:
        input_picture(status, "tempo")
    assert raised.value.fix == "Did you mean temp?"


def test_before_the_first_window_there_is_no_picture(status_of: Callable[..., MonitorStatus]) -> None:
    with pytest.raises(BadInput, match="No window has a score"):
        input_picture(status_of(windows=0, incidents=False), "temp")
