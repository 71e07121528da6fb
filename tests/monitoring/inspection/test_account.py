"""An account is checked by a file of plain Python alone, and thirty-one kinds of tampering with it are found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.account import CHECKER, FILES, Account, account, chained
from monitoring.records import ActionKind, IncidentAction
from monitoring.runs.run import run_due_windows
from monitoring.store.added_labels import AddedLabels
from monitoring.store.store import Store
from tests.dashboard_store import drill_of
from tests.own_table import NOW, own_rows, watch
from tests.small_deployment import Days

DOCS = Path(__file__).parents[3] / "docs"
Records = dict[str, list[dict[str, Any]]]
START, END = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 5, 15, tzinfo=UTC)
#: Kinds that a tamperer who makes the whole chain anew hides from all but its head.
BY_ITS_HEAD = "a head that was written down, or a signature"


@pytest.fixture(scope="module")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table that was adopted and judged, with a page, labels that people added, an action and two drills."""
    watched = watch(tmp_path_factory.mktemp("account"))
    watched.live("a.parquet", own_rows(Days(days=34, broken_from=25)))
    watched.run()
    config = load_config(watched.adopted.config)
    with Store.open(config.store.url) as store:
        for at, labels in ((START, 5), (START + timedelta(days=1), 7)):
            store.added_labels.add(1, AddedLabels(at=at, by="eve", labels=labels))
        page = next(one for one in store.incidents.read(1) if one.level == "page")
        kinds: tuple[ActionKind, ...] = ("acknowledge", "note")
        for days, kind in enumerate(kinds, start=26):
            act = IncidentAction(at=START + timedelta(days=days), by="eve", kind=kind, text="row 7-12:0")
            store.incidents.act(1, page.number, act)
        for day in (2, 3, 4):
            store.drills.save(replace(drill_of(config.name), at=START + timedelta(days=day)))
    return watched.adopted.config


@pytest.fixture(scope="module")
def made(config_path: Path) -> Account:
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        return account(config, store, start=START, end=END, now=NOW)


def records_of(made: Account) -> Records:
    return {name: [json.loads(line[65:]) for line in lines] for name, lines in made.files.items()}


def check(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the checker as an outsider does: a copy of the file, isolated, in a folder without this package."""
    (folder / "c.py").write_bytes(CHECKER.read_bytes())
    ran = subprocess.run(
        [sys.executable, "-I", "c.py", "account.zip", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert not ran.stderr
    return ran.returncode, ran.stdout


def test_what_is_as_it_was_follows_to_the_bit_by_a_short_file_of_plain_python(tmp_path: Path, made: Account) -> None:
    assert made.write(tmp_path / "account.zip") < 60_000
    code, text = check(tmp_path, "--head", made.head)
    assert (code, "DOES NOT FOLLOW" in text) == (0, False), text
    assert "34 windows" in text
    assert f"{3 * 34} levels" in text
    lines = CHECKER.read_text().splitlines()
    assert len(lines) <= 200
    assert not [line for line in lines if "import" in line and "monitoring" in line]


def test_it_has_no_row_no_id_and_no_text_of_a_person(tmp_path: Path, made: Account) -> None:
    text = "\n".join(line for lines in made.files.values() for line in lines)
    assert "eve" in text
    assert "row 7-12:0" not in text
    assert "201304" not in text  # how ids begin


def test_the_same_store_gives_the_same_bytes(tmp_path: Path, config_path: Path, made: Account) -> None:
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        again = account(config, store, start=START, end=END, now=NOW)
    assert again == made
    made.write(tmp_path / "a.zip")
    again.write(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_part_of_the_time_follows_as_well_and_one_without_windows_is_refused(
    tmp_path: Path, config_path: Path
) -> None:
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        part = account(config, store, start=START + timedelta(days=9), end=START + timedelta(days=30), now=NOW)
        with pytest.raises(BadInput, match="No window of that time"):
            account(config, store, start=END, end=END + timedelta(days=9), now=NOW)
    part.write(tmp_path / "account.zip")
    code, text = check(tmp_path)
    assert code == 0, text
    assert "21 windows" in text


def test_windows_of_an_earlier_version_are_counted_anew_beside_those_of_the_newest(
    tmp_path: Path, deployed: Path, bundle: Path, send: Callable[..., None]
) -> None:
    (deployed / "models").unlink()
    shutil.copytree(bundle / "models", deployed / "models")
    config = load_config(deployed / "monitor.toml")
    send(deployed, Days(days=10))
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: START + timedelta(days=10, hours=3))
        shutil.copytree(deployed / "models" / "flights" / "1", deployed / "models" / "flights" / "2")
        send(deployed, Days(days=10, start=START + timedelta(days=10), seed=5, version=2))
        run_due_windows(config, store, clock=lambda: START + timedelta(days=21))
        of_both = account(config, store, start=START, end=END, now=NOW)
        (deployed / "models" / "flights" / "1").rename(deployed / "away")
        of_one = account(config, store, start=START, end=END, now=NOW)
    of_both.write(tmp_path / "account.zip")
    code, text = check(tmp_path)
    assert (code, of_both.header["not_recounted"]) == (0, None), text
    assert "20 windows" in text
    assert sorted(plan["version"] for plan in records_of(of_both)["plan"]) == [1, 2]
    of_one.write(tmp_path / "account.zip")
    code, text = check(tmp_path)
    assert (code, "version 1 cannot be read" in of_one.header["not_recounted"]) == (3, True), text
    assert "NOT COUNTED ANEW: 30 of 60" in text


def test_the_sample_of_the_docs_is_checked_as_its_page_says(tmp_path: Path) -> None:
    (tmp_path / "account.zip").write_bytes((DOCS / "_static" / "account.zip").read_bytes())
    code, text = check(tmp_path)
    assert code == 0
    assert f"```text\n{text}```" in (DOCS / "how-to" / "account.md").read_text()


def _alarm(records: Records) -> dict[str, Any]:
    return next(one for one in records["incidents"] if one["alarm"])


def _page(records: Records) -> dict[str, Any]:
    return next(one for one in records["incidents"] if one["level"] == "page")


def _lower_threshold(records: Records) -> None:
    records["plan"][0]["page"]["threshold"] = (10.0).hex()


def _lower_budget(records: Records) -> None:
    records["plan"][0]["notice"] = {"budget": "1 per 900 windows", "threshold": (900.0).hex()}


def _raised_sum(records: Records) -> None:
    records["windows"][9]["scores"][0][4] += 1


def _level(records: Records) -> None:
    records["windows"][9]["page"] = (-1.0).hex()


def _watch_evidence(records: Records) -> None:
    score = next(one for one in records["windows"][9]["scores"] if one[1] == "surprise_error")
    score[6] = (float.fromhex(score[6]) - 0.5).hex()


def _gone_watch(records: Records) -> None:
    scores = records["windows"][9]["scores"]
    scores.remove(next(one for one in scores if one[1] == "surprise_error"))


def _status(records: Records) -> None:
    next(one for one in records["windows"] if one["status"] == "page")["status"] = "ok"


def _closing(records: Records) -> None:
    _status(records)
    _page(records)["actions"].append(["2013-05-14T00:00:00Z", "eve", "close", None, None])


def _fewer_rows(records: Records) -> None:
    records["windows"][9]["rows"] -= 1


def _fewer_labels(records: Records) -> None:
    records["windows"][9]["labels"] -= 1


def _earlier_labels(records: Records) -> None:
    records["windows"][9]["labels_by_delay"][0] += 1


def _swapped(name: str) -> Callable[[Records], None]:
    def swap(records: Records) -> None:
        records[name][:2] = records[name][1::-1]

    return swap


def _gone(name: str, place: int) -> Callable[[Records], None]:
    def remove(records: Records) -> None:
        del records[name][place]

    return remove


def _no_page(records: Records) -> None:
    records["incidents"].remove(_page(records))


def _later(records: Records) -> None:
    _alarm(records)["opened_at"] = records["windows"][-1]["end"]


def _less_sure(records: Records) -> None:
    _alarm(records)["alarm"]["log_evidence"] = (0.5).hex()


def _closed(records: Records) -> None:
    _page(records)["state"] = "closed"


def _moved_action(records: Records) -> None:
    _page(records)["actions"].reverse()


def _told(records: Records) -> None:
    fault = next(one for one in records["drills"][1]["faults"] if one["outcome"] == "missed")
    fault["outcome"] = "detected"


def _lost(records: Records) -> None:
    records["windows"][9]["lost"] += 4


def _erased(records: Records) -> None:
    records["erasures"].append({"begun_at": "2013-04-02T00:00:00+00:00", "removed": 1})


def _actor(records: Records) -> None:
    _page(records)["actions"][0][1] = "adam"


def _wider(records: Records) -> None:
    records["plan"][0]["tolerances"][0][6] = (0.5).hex()


def _rise(records: Records) -> None:
    records["plan"][0]["smallest_harm"] = [["error", "", 30, (0.01).hex()]]


def _shares(records: Records) -> None:
    records["plan"][0]["recount"]["levels"]["page"]["shares"][0][2] = (0.9).hex()


def _scale(records: Records) -> None:
    records["plan"][0]["recount"]["levels"]["page"]["log_scale"] = (0.0).hex()


#: What was done, and what finds it where the chain was made anew; every kind breaks a chain that was not.
TAMPERING: dict[str, tuple[Callable[[Records], None], str]] = {
    "a window in the middle is removed": (_gone("windows", 9), "is followed by"),
    "the last window is removed": (_gone("windows", -1), BY_ITS_HEAD),
    "two windows are exchanged": (_swapped("windows"), "is followed by"),
    "a sum of a window is raised by one": (_raised_sum, "the mean of"),
    "the evidence of a level is lowered": (_level, "log evidence of page"),
    "the evidence of a watch is lowered": (_watch_evidence, "log evidence of page"),
    "a watch of a window is removed": (_gone_watch, "log evidence of page"),
    "a page becomes ok": (_status, "its status is ok"),
    "rows of a window become fewer": (_fewer_rows, "rows before it"),
    "labels of a window become fewer": (_fewer_labels, "labels before it"),
    "a label arrives earlier": (_earlier_labels, "labels by delay"),
    "lost rows are added": (_lost, BY_ITS_HEAD),
    "a threshold is changed later": (_lower_threshold, "threshold of page"),
    "a budget and its threshold are changed later": (_lower_budget, "threshold is not the plan's"),
    "a tolerance is changed later": (_wider, BY_ITS_HEAD),
    "the smallest harm is changed later": (_rise, BY_ITS_HEAD),
    "the share of a watch is changed": (_shares, "shares of page"),
    "the calibration of a level is changed": (_scale, "log evidence of page"),
    "an incident of a page is dropped": (_no_page, "0 pages open"),
    "a page becomes ok, and a person's closing is invented": (_closing, BY_ITS_HEAD),
    "an incident is opened later": (_later, "opened at another time"),
    "an alarm becomes less sure": (_less_sure, "its evidence is not that of its window"),
    "an incident becomes closed": (_closed, "its state"),
    "actions are in another order": (_moved_action, "its actions are not in order"),
    "an action is another person's": (_actor, BY_ITS_HEAD),
    "labels are in another order": (_swapped("labels"), "not in order"),
    "a drill is missing": (_gone("drills", 1), "one before it is not here"),
    "the last drill is removed": (_gone("drills", -1), BY_ITS_HEAD),
    "what a drill missed was told": (_told, "was missed"),
    "an erasure is invented": (_erased, BY_ITS_HEAD),
    "the plan is missing": (_gone("plan", 0), "windows without a plan"),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_breaks_the_chain_and_does_not_follow_where_the_chain_is_made_anew(
    tmp_path: Path, made: Account, kind: str
) -> None:
    tamper, found = TAMPERING[kind]
    records = deepcopy(records_of(made))
    tamper(records)
    header = {key: value for key, value in made.header.items() if key != "records"}
    anew = chained(header, records)
    anew.write(tmp_path / "account.zip")
    code, text = check(tmp_path, "--head", made.head)
    assert code == 1
    assert f"is not {made.head}" in text
    code, text = check(tmp_path)
    assert (found in text, code) == ((False, 0) if found == BY_ITS_HEAD else (True, 1)), text
    # The same without making the chain anew: lines keep the hashes that they had.
    hashes = {one: line[:64] for name, lines in made.files.items() for line in lines for one in [name + line[65:]]}
    kept = {
        name: tuple(hashes.get(name + line[65:], "0" * 64) + line[64:] for line in anew.files[name]) for name in FILES
    }
    replace(anew, files=kept, header=made.header).write(tmp_path / "account.zip")
    code, text = check(tmp_path)
    assert (code, "chain breaks" in text or "not as many records" in text) == (1, True), text


def _without_recount(records: Records) -> None:
    records["plan"][0]["recount"] = None


def _without_scores(records: Records) -> None:
    for one in records["windows"]:
        one["scores"] = []


def _all_in_burn_in(records: Records) -> None:
    for one in records["windows"]:
        one["burn_in"] = True


@pytest.mark.parametrize("hide", [_without_recount, _without_scores, _all_in_burn_in])
def test_what_is_hidden_from_counting_anew_is_said_and_is_no_success(
    tmp_path: Path, made: Account, hide: Callable[[Records], None]
) -> None:
    records = deepcopy(records_of(made))
    hide(records)
    chained({key: value for key, value in made.header.items() if key != "records"}, records).write(
        tmp_path / "account.zip"
    )
    code, text = check(tmp_path)
    assert (code, "NOT COUNTED ANEW: 102 of 102" in text) == (3, True), text


def test_a_damaged_file_is_a_fault(tmp_path: Path, made: Account) -> None:
    made.write(tmp_path / "account.zip")
    whole = (tmp_path / "account.zip").read_bytes()
    for place in range(40, len(whole), len(whole) // 12):
        (tmp_path / "account.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        assert check(tmp_path, "--head", made.head)[0] in (0, 1)


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_what_is_no_account_is_said_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "account.zip").write_bytes(content)
    code, text = check(tmp_path)
    assert code == 1
    assert "no account that can be read" in text
    with zipfile.ZipFile(tmp_path / "account.zip", "w") as archive:
        archive.writestr("account.json", "{}")
    assert check(tmp_path)[0] == 1
