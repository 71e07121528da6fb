from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.drills import drills_view
from monitoring.store.store import Store
from monitoring.watches.descriptions import NOTHING
from tests.dashboard_store import drill_of

COMMAND = "pitfalls drill run --config monitor.toml"


def test_the_last_drill_is_a_sentence_facts_and_a_scoreboard(shared_store: Store) -> None:
    view = drills_view([drill_of("flights")], shared_store.overview.summaries()[0], "/d/shop/1", COMMAND)
    assert (view.address, view.name, view.command) == ("/d/shop/1/drills", "flights", COMMAND)
    assert view.sentence == "1 of 3 faults detected; missed: labels stop."
    assert ("Without a fault", "no page, 1 notice in 58 windows") in view.facts
    assert ("Drawn from", "30 clean windows of the traffic, 2013-04-10 to 2013-05-10") in view.facts
    faults, replicates, unfit, drills = view.tables
    assert [[cell.text for cell in row][:7] for row in faults.rows] == [
        ["number times 100", "a page", "1 of 1", "detected", "2", "1 of 1", "gone UA"],
        ["labels stop", "a page", "0 of 1", "missed", NOTHING, NOTHING, NOTHING],
        ["5 % of labels wrong", "a page", "0 of 1", "smaller than detected", NOTHING, NOTHING, NOTHING],
    ]
    assert [row[3].style for row in faults.rows] == ["", "page", ""]
    assert [cell.text for cell in replicates.rows[0]] == ["number times 100", "1", "UA", "a page", "2", "gone UA", "UA"]
    assert [cell.value for cell in unfit.rows[0]] == ["renamed category", "needs a category"]
    assert drills.rows[0][-1].text == view.sentence


def test_a_drill_of_another_baseline_says_so(shared_store: Store) -> None:
    summary = shared_store.overview.summaries()[0]
    drill = drill_of("flights")
    assert "run it again" in drills_view([drill], summary, "/d/shop/1", "").stale
    mine = replace(drill, basis=summary.record.basis)
    assert drills_view([mine], summary, "/d/shop/1", "").stale == ""


def test_a_fault_that_was_noticed_only_says_how_often(shared_store: Store) -> None:
    drill = drill_of("flights")
    noticed = replace(drill.faults[0].runs[0], level="notice")
    drill = replace(drill, faults=(replace(drill.faults[0], runs=(noticed,)),))
    view = drills_view([drill], shared_store.overview.summaries()[0], "/d/shop/1", "")
    assert view.tables[0].rows[0][6].text == "a notice in 1 of 1"
    assert view.tables[1].rows[0][3].text == "a notice"


def test_without_a_drill_there_is_the_command_alone(shared_store: Store) -> None:
    view = drills_view([], shared_store.overview.summaries()[1], "/d/shop/2", COMMAND)
    assert (view.sentence, view.facts, view.tables, view.stale) == ("No drill was run yet.", (), (), "")
