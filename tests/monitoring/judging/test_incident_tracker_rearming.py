from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.evidence.betting import RecoveryState
from monitoring.evidence.level import LevelState
from monitoring.incidents.life_cycle import begin_recovery
from monitoring.incidents.rearm import LOSS_GROUP, harm_group
from monitoring.judging.judge import Judgement
from monitoring.judging.judge_state import JudgeState, last_closed
from monitoring.records import IncidentEvent, IncidentRecord, IncidentState, WatchKey
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.task import NO_LABEL
from tests.incident_words import worded
from tests.monitoring.judging.small_judge import BASELINE_DAYS, ROWS_A_DAY, day, rows_of_days, small_judge, with_feature

HARM = 5
MORE_HARM = 30


def day_of_rows(rows: Predictions) -> np.ndarray:
    return np.repeat(np.arange(len(rows) // ROWS_A_DAY), ROWS_A_DAY)


def flipped(rows: Predictions, share: float, days: Iterable[int], *, origin: str = "", seed: int = 0) -> Predictions:
    """The rows with a share of the labels of some days inverted, on one origin or all: harm that no model expects."""
    drawn = np.random.default_rng(seed).random(len(rows)) < share
    mine = drawn & (rows.labels != NO_LABEL) & np.isin(day_of_rows(rows), list(days))
    if origin:
        mine &= np.asarray(rows.features["origin"].to_pylist()) == origin
    return replace(rows, labels=np.where(mine, 1 - rows.labels, rows.labels))


def harder(rows: Predictions, first: int, *, factor: float = 0.7, moved: bool = True) -> Predictions:
    """The rows with probabilities nearer to a half from a day on, and labels drawn by them: the model is right.

    Temperatures move with it, unless they do not.
    """
    later, before = day_of_rows(rows) >= first, rows.probabilities[:, 1]
    late = np.where(later, 0.5 + factor * (before - 0.5), before)
    drawn = (np.random.default_rng(0).random(len(rows)) < late).astype(np.int64)
    labels = np.where(later & (rows.labels != NO_LABEL), drawn, rows.labels)
    temps = np.asarray(rows.features["temp"]) + 15.0 * (later & moved)
    harder_rows = replace(rows, labels=labels, probabilities=np.stack([1.0 - late, late], axis=1))
    return with_feature(harder_rows, "temp", pa.array(temps))


def judged(rows: Predictions, days: Sequence[int], state: JudgeState | None = None) -> list[Judgement]:
    judge = small_judge()
    return judge.run([judge.traffic(rows, BASELINE_DAYS + number) for number in days], state)


def events(
    found: Sequence[Judgement], state: IncidentState, *, level: str = "page"
) -> list[tuple[int, IncidentRecord]]:
    """The windows in which an incident entered a state, and the incident as it then was."""
    return [
        (place, incident)
        for place, one in enumerate(found)
        for incident in one.changed
        if incident.level == level
        and incident.history
        and incident.history[-1].at == one.window.end
        and incident.history[-1].state == state
    ]


def opened_incidents(found: Sequence[Judgement], *, level: str = "page") -> list[tuple[int, IncidentRecord]]:
    """The windows in which an incident was opened for the first time, and the incident."""
    return [(place, incident) for place, incident in events(found, "open", level=level) if len(incident.history) == 1]


def is_about_loss(incident: IncidentRecord) -> bool:
    watches = small_judge().catalogue.watches
    return incident.watch in watches and harm_group(watches[incident.watch]) == LOSS_GROUP


def loss_offsets(state: JudgeState) -> dict[str, float]:
    """The offsets of losses, surprises and estimates on the whole traffic."""
    watches = small_judge().catalogue.watches
    return {
        key.watch: offset
        for key, offset in state.levels["page"].offsets.items()
        if not key.slice and harm_group(watches[key.watch]) == LOSS_GROUP
    }


@pytest.fixture(scope="module")
def steady() -> list[Judgement]:
    """Half of the labels inverted from day `HARM` on, for 25 days."""
    return judged(flipped(rows_of_days(BASELINE_DAYS, 60, seed=2), 0.5, range(HARM, 60)), range(MORE_HARM))


@pytest.mark.parametrize("seed", [2, 3])
def test_an_open_page_mutes_nothing_and_more_harm_makes_it_worse(seed: int) -> None:
    rows = flipped(rows_of_days(BASELINE_DAYS, 50, seed=seed), 0.3, range(HARM, 50))
    rows = flipped(rows, 0.8, range(MORE_HARM, 50), seed=9)
    found = judged(rows, range(50))
    pages = {incident.number: incident for place, incident in opened_incidents(found) if place < MORE_HARM}
    place, incident = next((place, one) for place, one in events(found, "worse") if place >= MORE_HARM)
    assert place <= MORE_HARM + 8
    assert incident_text(incident).message.startswith(
        incident_text(pages[incident.number]).message.partition(" Next step: ")[0]
    )
    assert "Worse since: " in incident_text(incident).message
    assert incident.history[0].state == "open"
    assert found[-1].window.status == "page"


def test_worse_is_to_be_acknowledged_again(steady: list[Judgement]) -> None:
    before = steady[-1].state
    seen = tuple(
        replace(one, acknowledged_at=day(0).end).entered("acknowledged", day(0).end) for one in before.incidents
    )
    rows = flipped(rows_of_days(BASELINE_DAYS, 60, seed=2), 1.0, range(60))
    found = judged(rows, range(MORE_HARM, MORE_HARM + 10), replace(before, incidents=seen))
    [(_, incident), *_] = events(found, "worse")
    assert incident.acknowledged_at is None
    assert incident.state == "worse"


def test_what_a_person_closed_is_tested_against_the_baseline_again_and_comes_back(steady: list[Judgement]) -> None:
    before = steady[-1].state
    assert loss_offsets(before)
    closed = tuple(
        replace(one, closed_at=day(0).end, closed_from=one.state).entered("closed", day(0).end)
        for one in before.incidents
    )
    state = replace(before, incidents=closed, closed=last_closed(closed, before.closed))
    rows = flipped(rows_of_days(BASELINE_DAYS, 60, seed=2), 0.5, range(60))
    found = judged(rows, range(MORE_HARM, MORE_HARM + 10), state)
    assert loss_offsets(found[0].state) == {}
    assert [(one.state, one.closed_at, one.closed_from) for one in found[0].changed] == [
        ("closed", day(0).end, "") for _ in closed
    ]
    again = next(one for _, one in opened_incidents(found) if one.previous is not None)
    assert again.previous in {one.number for one in closed}
    assert f" It came back, see #{again.previous}. Next step: " in incident_text(again).message


def open_page(part: str) -> IncidentRecord:
    """A page of a slice's error that has been open for some days, and whose harm goes on."""
    when = day(BASELINE_DAYS - 10)
    return IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=when.end,
        window_start=when.start,
        window_end=when.end,
        watch="error",
        slice=part,
        diagnoses=worded("It rose"),
        recovery=begin_recovery(small_judge().fit.tests["page"].tests[WatchKey(watch="error", slice=part)], 0.0, 0.0),
        history=(IncidentEvent(at=when.end, state="open"),),
    )


@pytest.mark.parametrize(("share", "closed"), [(0.0, True), (0.5, False)])
def test_a_page_of_a_loss_is_not_closed_while_losses_are_harm(share: float, closed: bool) -> None:
    page = open_page("")
    almost = RecoveryState.from_text(page.recovery).updated(np.log(np.full(6, 1e9)), 0.0)
    page = replace(page, recovery=almost.to_text())
    rows = flipped(rows_of_days(BASELINE_DAYS, 9, seed=2), share, range(9))
    found = judged(rows, range(9), JudgeState(incidents=(page,), next_number=2))
    assert bool(events(found, "closed")) == closed


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
@pytest.mark.parametrize("part", ["origin=JFK", "origin=EWR"])
def test_harm_opens_an_incident_next_to_one_of_another_slice_and_worsens_one_of_its_own(seed: int, part: str) -> None:
    rows = flipped(rows_of_days(BASELINE_DAYS, 12, seed=seed), 0.5, range(12), origin="EWR")
    found = judged(rows, range(12), JudgeState(incidents=(open_page(part),), next_number=2))
    opened, worse = opened_incidents(found), events(found, "worse")
    if part == "origin=JFK":
        assert [incident.slice for _, incident in opened] == ["origin=EWR"]
        assert opened[0][1].number in (2, 3), "beside twelve windows a notice may come first"
    else:
        assert not opened
        assert worse[0][1].number == 1


@pytest.mark.parametrize("seed", [2, 3])
def test_a_harder_season_with_a_model_as_right_as_before_is_a_notice(seed: int) -> None:
    found = judged(harder(rows_of_days(BASELINE_DAYS, 40, seed=seed), HARM), range(40))
    assert not events(found, "open")
    notices = [incident for _, incident in opened_incidents(found, level="notice")]
    harder_traffic = [
        one for one in notices if incident_text(one).cause.endswith(": harder traffic, model as right as before")
    ]
    assert len(harder_traffic) == 1
    assert " rows). Harder traffic, model as right as before. " in incident_text(harder_traffic[0]).message
    statuses = [judgement.window.status for judgement in found]
    assert "page" not in statuses
    assert statuses[:HARM].count("suspected") == 0
    assert "suspected" in statuses, "a loss has risen, whatever explains it"


def test_harder_traffic_is_not_said_where_no_input_moved() -> None:
    """The model's probabilities alone explain the rise: they excuse a dead model as well."""
    found = judged(harder(rows_of_days(BASELINE_DAYS, 40, seed=2), HARM, moved=False), range(40))
    opened = [incident for level in ("notice", "page") for _, incident in opened_incidents(found, level=level)]
    assert any(is_about_loss(incident) for incident in opened)
    assert not any("as right as before" in incident_text(incident).cause for incident in opened)


@pytest.mark.parametrize("moved", [True, False])
def test_a_loss_that_rose_by_half_of_the_benchmark_pages_whatever_explains_it(moved: bool) -> None:
    rows = harder(rows_of_days(BASELINE_DAYS, 40, seed=2), HARM, factor=0.1, moved=moved)
    found = judged(rows, range(40))
    place, page = opened_incidents(found)[0]
    assert HARM <= place <= HARM + 8
    assert is_about_loss(page)


def test_answers_that_say_nothing_are_no_harder_traffic() -> None:
    """Every score is .5 while the labels go on as before: the loss that scores promise rises as much as the loss."""
    rows = rows_of_days(BASELINE_DAYS, 40, seed=2)
    dead = np.where((day_of_rows(rows) >= HARM)[:, None], 0.5, rows.probabilities)
    found = judged(replace(rows, probabilities=dead), range(40))
    assert opened_incidents(found)[0][0] <= HARM + 6
    told = [
        incident_text(incident).cause
        for level in ("page", "notice")
        for _, incident in opened_incidents(found, level=level)
    ]
    assert not any("as right as before" in cause for cause in told)


def test_harm_that_stays_is_one_incident_however_long(steady: list[Judgement]) -> None:
    [(opened, page)] = opened_incidents(steady)
    assert HARM <= opened <= HARM + 5
    assert [one.number for one in steady[-1].state.incidents if one.level == "page"] == [page.number]
    assert steady[-1].state.next_number == page.number + 1


def test_every_alarm_rearms_the_level_from_where_it_stands(steady: list[Judgement]) -> None:
    [(opened, _)] = opened_incidents(steady)
    assert loss_offsets(steady[opened - 1].state) == {}
    assert set(loss_offsets(steady[opened].state)) >= {"error", "brier", "surprise_error", "surprise_brier"}
    rising = {name: offset for name, offset in loss_offsets(steady[opened].state).items() if "calibration" not in name}
    assert min(rising.values()) > 0.0
    assert loss_offsets(steady[opened].state)["calibration_slope"] < 0.0, "labels contradict confident answers"
    assert steady[opened].state.levels["page"].windows == 0
    assert steady[opened + 1].window.page_log_evidence < steady[opened].window.page_log_evidence


@pytest.mark.parametrize("seed", [2, 3])
def test_closing_an_incident_rearms_its_watches_against_the_baseline(seed: int) -> None:
    rows = flipped(rows_of_days(BASELINE_DAYS, 90, seed=seed), 0.5, [*range(HARM, 20), *range(70, 90)])
    found = judged(rows, range(90))
    [(closed, incident)] = events(found, "closed")
    assert 20 < closed < 70
    assert incident.closed_at == found[closed].window.end
    assert loss_offsets(found[closed - 1].state)
    assert loss_offsets(found[closed].state) == {}
    again = [place for place, one in opened_incidents(found) if one.number != incident.number]
    assert 70 <= again[0] <= 73, "the same harm after its end is as new as it was the first time"


def test_after_an_upgrade_with_an_open_incident_nothing_is_told_again(steady: list[Judgement]) -> None:
    before = steady[-1].state
    levels = {level: LevelState(log_scale=one.log_scale) for level, one in before.levels.items()}
    anew = replace(before, levels=levels)
    rows = flipped(rows_of_days(BASELINE_DAYS, 60, seed=2), 0.5, range(60))
    days = range(MORE_HARM, MORE_HARM + 20)
    forgotten = judged(rows, days, anew)
    assert events(forgotten, "worse"), "without the offsets, the same harm is told within days"
    rearmed = small_judge().judge.rearmed(anew)
    assert loss_offsets(rearmed)
    assert rearmed.incidents == before.incidents
    found = judged(rows, days, rearmed)
    assert not events(found, "worse")
    assert not events(found, "open")


def test_an_upgrade_without_open_incidents_starts_at_the_baseline() -> None:
    found = judged(rows_of_days(BASELINE_DAYS, 5, seed=2), range(5))
    rearmed = small_judge().judge.rearmed(found[-1].state)
    assert {level: dict(one.offsets) for level, one in rearmed.levels.items()} == {"page": {}, "notice": {}}
    assert replace(rearmed, levels={}) == replace(found[-1].state, levels={})


def test_labels_that_contradict_answers_page_at_once_and_only_where_no_page_of_a_loss_is_open(
    steady: list[Judgement],
) -> None:
    rows = rows_of_days(BASELINE_DAYS, 60, seed=2)
    inverted = replace(rows, labels=1 - rows.probabilities.argmax(axis=1))
    [first] = judged(inverted, [0])
    facts = [incident for incident in first.changed if incident_text(incident).cause == "labels contradict answers"]
    assert [(one.level, one.state) for one in facts] == [("page", "open")]
    [again] = judged(inverted, [MORE_HARM], steady[-1].state)
    assert "labels contradict answers" in {finding.kind for finding in again.window.findings}
    assert not [incident for incident in again.changed if incident_text(incident).cause == "labels contradict answers"]
