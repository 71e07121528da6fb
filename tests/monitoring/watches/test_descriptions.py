from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.classification import Classification
from monitoring.watches.descriptions import (
    LONGEST,
    NOTHING,
    format_amount,
    format_change,
    format_value,
    lower_first,
    printable,
    slice_title,
    unit_of,
    watch_title,
)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("error", "Error rate"),
        ("surprise_brier", "Brier score above expectation"),
        ("estimated_error", "Estimated error rate"),
        ("missing:temp", "Missing values of temp"),
        ("unseen:carrier", "Unseen values of carrier"),
        ("unusable_answers", "Invalid predictions"),
        ("output:late", "Predicted probability of class late"),
        ("output:confidence", "Prediction confidence"),
        ("input:a:b:spread", "Spread of a:b"),
        ("input:carrier=UA", "Share of carrier = UA"),
        ("labelled:score=high", "Label coverage gap at score = high"),
        ('input:hall="3:spread"', 'Share of hall = "3:spread"'),
        ('label:"location"', 'Labels of class "location"'),
        ("joint", "Joint input drift"),
        ("embedding", "Embedding drift"),
        ("of:kind:error", "Error rate of kind"),
        ("surprise_of:price:absolute_error", "Absolute error of price above expectation"),
        ("of:kind:output:late", "Predicted probability of class late of kind"),
        ("of:price:prediction:location", "Mean quantile of predictions of price"),
        ("schema", "Schema"),
        ("stale", "stale"),
        ("input:", "Share of "),
    ],
)
def test_watches_have_titles(name: str, title: str) -> None:
    assert watch_title(name) == title


@pytest.mark.parametrize("name", ["location", "spread", "confidence", "new_ids", "a:spread"])
def test_a_class_is_never_read_as_another_watch(name: str) -> None:
    task = Classification(classes=("no", name, "other"))
    (shares,) = task.label_scores(np.array([0, 1, 2, 1]))
    answers = np.full((2, 3), 1 / 3)
    assert name in watch_title(shares.names[1])
    assert watch_title(shares.names[1]).startswith("Labels of class")
    assert unit_of(shares.names[1]) == "share"
    assert len(task.outputs(answers)) == 4 == len({watch.name for watch in task.output_watches})
    assert watch_title(task.output_watches[1].name).startswith("Predicted probability of class")


@given(st.text())
def test_every_name_has_a_bounded_title_without_control_characters(name: str) -> None:
    for kind in ("", "surprise_", "input:", "missing:", "output:"):
        title = watch_title(kind + name)
        assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in title)
        assert len(title) < LONGEST + 40


def test_bidirectional_overrides_and_escapes_are_shown_as_broken() -> None:
    assert printable("a\u202eb\x1b[31m\x00") == "a\ufffdb\ufffd[31m\ufffd"


def test_text_is_cut_where_it_is_too_long() -> None:
    assert printable("x" * 300) == "x" * LONGEST + "…"
    assert printable("x" * 3, 2) == "xx…"


def test_the_whole_traffic_has_a_title_and_only_the_first_equals_sign_of_a_slice_is_spaced() -> None:
    assert slice_title("") == "all traffic"
    assert slice_title("origin=a=b") == "origin = a=b"


def test_a_title_within_a_sentence_keeps_the_capital_of_a_name() -> None:
    assert lower_first("Brier score") == "Brier score"
    assert lower_first("Joint input drift") == "joint input drift"


@pytest.mark.parametrize(
    ("watch", "value", "text"),
    [
        ("error", 0.2, "20.0 %"),
        ("missing:temp", 1.0, "100.0 %"),
        ("brier", 0.1464, "0.146"),
        ("surprise_brier", -0.0464, "\N{MINUS SIGN}0.046"),
        ("surprise_error", 0.0464, "+4.6 points"),
        ("labelled:score=high", -0.3, "\N{MINUS SIGN}30.0 points"),
        ("input:temp:location", 0.5, "0.500"),
        ("joint", 0.75, "0.750"),
        ("brier", math.nan, NOTHING),
        ("brier", None, NOTHING),
    ],
)
def test_shares_are_percent_and_scores_are_plain_numbers(watch: str, value: float | None, text: str) -> None:
    assert format_value(watch, value) == text


@pytest.mark.parametrize(
    ("watch", "change", "text"),
    [
        ("error", 0.046, "+4.6 points"),
        ("error", -0.046, "\N{MINUS SIGN}4.6 points"),
        ("brier", 0.02, "+0.020"),
        ("brier", -0.0004, "+0.000"),
        ("error", -0.0004, "+0.0 points"),
    ],
)
def test_changes_have_a_sign_and_nothing_is_never_negative(watch: str, change: float, text: str) -> None:
    assert format_change(watch, change) == text


@given(st.sampled_from(["error", "brier"]), st.floats(-1, 1))
def test_a_change_is_its_sign_and_its_amount(watch: str, change: float) -> None:
    assert format_change(watch, change)[1:] == format_amount(watch, abs(change))
