from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from monitoring.baseline.predictions import Predictions
from monitoring.records import IncidentRecord
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from tests.monitoring.judging.small_judge import BASELINE_DAYS, DAY_US, START, rows_of_days, small_judge, with_feature

HARM = BASELINE_DAYS + 4


def changed_from_day(rows: Predictions, days: int, share: float) -> Predictions:
    """The rows with every label another than the answer for some days from `HARM` on, then a share of them."""
    number = (rows.event_times - as_microseconds(START)) // DAY_US
    chance = np.random.default_rng(3).random(len(rows))
    wrong = ((number >= HARM) & (number < HARM + days)) | ((number >= HARM + days) & (chance < share))
    known = rows.labels != NO_LABEL
    return replace(rows, labels=np.where(wrong & known, 1 - rows.probabilities.argmax(axis=1), rows.labels))


def opened(rows: Predictions, days: int) -> list[IncidentRecord]:
    """Pages as they were last seen, in the order in which they were opened."""
    judge = small_judge()
    found = judge.run([judge.traffic(rows, BASELINE_DAYS + day) for day in range(days)])
    pages = {one.number: one for step in found for one in step.changed if one.level == "page"}
    return list(pages.values())


def test_labels_that_contradict_the_answers_and_the_losses_that_rise_with_them_are_one_page() -> None:
    [page] = opened(changed_from_day(rows_of_days(BASELINE_DAYS, 12, seed=5), 12, 0.0), 12)
    assert (page.watch, page.slice, page.cause) == ("schema", "labels", "labels contradict answers")
    evidence = page.message.partition("Evidence of the watches: ")[2]
    assert "the model is overconfident" in evidence
    assert evidence.endswith(
        "the page closes after 3 windows without this finding and with its losses near the baseline."
    )
    assert page.message.count("Next step: ") == 1
    assert page.detail.split is not None
    assert page.detail.rows


def test_a_fact_whose_losses_stay_high_is_not_over() -> None:
    [fact] = opened(changed_from_day(rows_of_days(BASELINE_DAYS, 30, seed=5), 4, 0.3), 30)
    assert (fact.watch, fact.state) == ("schema", "open")


def with_renamed_origin(rows: Predictions, share: float) -> Predictions:
    """The rows, all of origin JFK but for a share that is of EWR, which is written `ewr` from day `HARM` on."""
    number = (rows.event_times - as_microseconds(START)) // DAY_US
    rare = np.random.default_rng(4).random(len(rows)) < share
    origin = np.where(rare, np.where(number >= HARM, "ewr", "EWR"), "JFK").astype(object)
    return with_feature(rows, "origin", pa.array(origin, pa.string()))


def test_a_category_renamed_in_most_rows_is_a_fact_that_names_it() -> None:
    [page] = opened(with_renamed_origin(rows_of_days(BASELINE_DAYS, 8, seed=5), 0.5), 8)
    assert (page.watch, page.slice, page.cause) == ("schema", "origin", "values renamed")
    assert page.message.startswith("The category `EWR` of origin was renamed to `ewr`: ")


def test_a_category_renamed_in_few_rows_is_named_by_the_page_of_unseen_values() -> None:
    judge, rows = small_judge(), with_renamed_origin(rows_of_days(BASELINE_DAYS, 12, seed=5), 0.12)
    found = judge.run([judge.traffic(rows, BASELINE_DAYS + day) for day in range(12)])
    pages = [one for step in found for one in step.changed if one.watch == "unseen:origin" and one.state == "open"]
    assert "The category `EWR` of origin was renamed to `ewr`" in pages[0].message
    kinds = [{finding.kind for finding in step.window.findings} for step in found]
    assert ["values renamed" in each for each in kinds] == [False] * 4 + [True] * 8
