"""The page on which a person labels the rows that were drawn, as a browser without a script meets it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from monitoring.asking.ask import ask, labels_root
from monitoring.config import MonitorConfig, load_config
from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from monitoring.traffic.format.segments import segments_in
from monitoring.traffic.labels.asked_rows import AskedRows
from monitoring.traffic.labels.label_log import LabelLog
from tests import described_deployment
from tests.asked_deployment import (
    ASKED_AT,
    BUDGETED,
    MINUTES,
    OUTPUTS,
    asked_table,
    booked,
    minutes_of,
    send_one,
    stores_at,
    with_outputs,
)
from tests.dashboard_access import access_with
from tests.dashboard_store import described_stores

PAGE = "/d/flights/1/label"
HOSTILE = "<script>document.title = 'broken out'</script>"


def client_of(files: tuple[ConfigFile, ...], role: str = "act") -> TestClient:
    stores = stores_at(files)
    access = access_with({"act": "act", "read": "read", "rows": "rows"})
    client = TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)
    client.headers.update({"authorization": f"Bearer {role}"})
    return client


@pytest.fixture
def config(asked_files: tuple[ConfigFile, ...]) -> MonitorConfig:
    found = asked_files[0].config
    assert found is not None
    return found


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def give(client: TestClient, address: str, label: str, by: str = "ada") -> str:
    """Send the form of a page with a label. Returns the next address."""
    page = client.get(address).text
    form = {"id": field(page, "id"), "before": field(page, "before"), "label": label, "by": by}
    answer = client.post(address, data=form)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def labels(config: MonitorConfig) -> list[tuple[str, str]]:
    table = LabelLog(labels_root(config)).read()
    return list(zip(table["prediction_id"].to_pylist(), table["label"].to_pylist(), strict=True))


def test_a_label_is_kept_before_the_next_row_is_shown(
    asked_files: tuple[ConfigFile, ...], config: MonitorConfig
) -> None:
    client = client_of(asked_files)
    assert "person's label: <b>50</b>" in client.get("/d/flights/1").text
    page = client.get(PAGE).text
    assert "Row 1 of 50" in page
    first = field(page, "id")
    address = give(client, PAGE, "late")
    assert address == f"{PAGE}?last=1&row=2"
    assert labels(config) == [(first, "late")]
    page = client.get(address).text
    assert "Row 2 of 50" in page
    assert field(page, "id") != first
    assert field(page, "by") == "ada"
    for _ in range(3):
        address = give(client, address, "on_time")
    assert "person's label: <b>46</b>" in client.get("/d/flights/1").text
    assert len(segments_in(labels_root(config) / "labels")) == 1
    with Store.open(config.store.url) as store:
        assert [(one.by, one.labels) for one in store.added_labels.latest(1)] == [("ada", 1)] * 4
    assert {model for model, _ in LabelLog(labels_root(config)).models_named()} == {"flights"}


def test_undo_shows_the_last_row_and_a_later_label_takes_its_place(
    asked_files: tuple[ConfigFile, ...], config: MonitorConfig
) -> None:
    client = client_of(asked_files)
    address = give(client, PAGE, "late")
    undo = re.search(r'href="([^"]*)" data-key="u"', client.get(address).text)
    assert undo is not None
    page = client.get(undo[1]).text
    assert "It has the label <b>late</b>. Another one takes its place" in page
    give(client, undo[1], "on_time")
    given = labels(config)
    assert [label for _, label in given] == ["late", "on_time"]
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: ASKED_AT + timedelta(days=1))
        assert store.windows.recent(1, latest=1)[0].labels_conflicting == 1
    assert "A run has counted it" in client.get(f"{PAGE}?row=1").text
    give(client, f"{PAGE}?row=1", "late")
    assert "Row 2 of 50" in client.get(PAGE).text


def test_a_skipped_row_comes_again_at_the_end(asked_files: tuple[ConfigFile, ...]) -> None:
    client = client_of(asked_files)
    skip = re.search(r'href="([^"]*)" data-key="s"', client.get(PAGE).text)
    assert skip is not None
    address = skip[1]
    for _ in range(49):
        address = give(client, address, "late")
    assert address == f"{PAGE}?last=50&row=1"
    address = give(client, address, "late")
    page = client.get(address).text
    assert "All rows have a label" in page
    assert 'row=1" data-key="u"' in page
    assert "person's label" not in client.get("/d/flights/1").text


def test_the_answer_is_folded_away_and_nowhere_else(asked_files: tuple[ConfigFile, ...]) -> None:
    page = client_of(asked_files).get(PAGE).text
    shown, answer = page.split('<details class="answer">')
    assert re.search(r"<b>(late|on_time), 0\.\d+</b>", answer)
    assert not re.search(r"(late|on_time), 0\.\d+", shown)
    assert "origin" in shown


def test_who_may_not_act_labels_nothing_and_who_may_not_see_rows_sees_none(
    asked_files: tuple[ConfigFile, ...], config: MonitorConfig
) -> None:
    page = client_of(asked_files).get(PAGE).text
    name = field(page, "id")
    form = {"id": name, "before": "", "label": "late"}
    reader = client_of(asked_files, "read")
    answer = reader.get(PAGE)
    assert answer.status_code == 403
    assert "may not see rows" in answer.text
    for text in (answer.text, reader.get(f"{PAGE}?row=3").text, reader.get("/d/flights/1").text):
        (draw,) = AskedRows(labels_root(config), config.name).draws()
        assert not [each for each in draw.ids.to_pylist() if each in text]
        assert f'"{PAGE}"' not in text
    assert reader.post(PAGE, data=form).status_code == 403
    rows = client_of(asked_files, "rows")
    assert "You are signed in to read" in rows.get(PAGE).text
    assert rows.post(PAGE, data=form).status_code == 403
    actor = client_of(asked_files)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert actor.post(PAGE, data=form, headers=headers).status_code == 403
    assert labels(config) == []


def test_what_is_no_label_of_the_model_or_of_no_asked_row_is_not_added(
    asked_files: tuple[ConfigFile, ...], config: MonitorConfig
) -> None:
    client = client_of(asked_files)
    name = field(client.get(PAGE).text, "id")
    for form in (
        {"id": name, "before": "", "label": "never <b>"},
        {"id": name, "before": "", "label": " "},
        {"id": "another:0", "before": "", "label": "late"},
        {},
    ):
        answer = client.post(PAGE, data=form or {"x": "y"})
        assert answer.status_code == 400
        assert "never <b>" not in answer.text
    assert labels(config) == []


def test_a_name_is_cut_and_printable(asked_files: tuple[ConfigFile, ...], config: MonitorConfig) -> None:
    client = client_of(asked_files)
    address = give(client, PAGE, "late", by="ada\0" + "a" * 60_000)
    assert field(client.get(address).text, "by") == "ada\ufffd" + "a" * 196 + "…"
    with Store.open(config.store.url) as store:
        assert [one.by for one in store.added_labels.latest(1)] == ["ada\ufffd" + "a" * 196 + "…"]


def test_two_people_at_one_row_do_not_replace_each_other_unseen(
    asked_files: tuple[ConfigFile, ...], config: MonitorConfig
) -> None:
    client = client_of(asked_files)
    name = field(client.get(PAGE).text, "id")
    give(client, PAGE, "late", by="ada")
    answer = client.post(f"{PAGE}?row=1", data={"id": name, "before": "", "label": "on_time", "by": "bob"})
    assert answer.status_code == 400
    assert "Somebody else labelled this row meanwhile" in answer.text
    assert client.post(PAGE, data={"id": name, "before": "", "label": "late", "by": "bob"}).status_code == 303
    assert labels(config) == [(name, "late")]


def test_text_of_a_row_is_text(deployed: Path, send: Callable[..., None]) -> None:
    (deployed / "monitor.toml").write_text(BUDGETED.replace("50 per week", "50 per day"))
    send_one(deployed, origin=HOSTILE, at=timedelta(days=6, hours=3))
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: ASKED_AT)
    assert len(ask(config, clock=lambda: ASKED_AT).rows) == 1
    page = client_of(read_files([deployed / "monitor.toml"])).get(PAGE).text
    assert HOSTILE not in page
    assert "&lt;script&gt;document.title" in page


def test_without_a_budget_or_a_config_the_page_says_so(asked_files: tuple[ConfigFile, ...], deployed: Path) -> None:
    text = (deployed / "monitor.toml").read_text()
    (deployed / "monitor.toml").write_text(text.replace('[labels]\nbudget = "50 per week"\n', ""))
    page = client_of(read_files([deployed / "monitor.toml"])).get(PAGE).text
    assert "The config has no budget of labels." in page
    assert 'name="label"' not in page


def test_a_number_of_a_table_is_written_into_its_label_log(tmp_path: Path) -> None:
    files = asked_table(tmp_path, minutes_of, **MINUTES)
    config = files[0].config
    assert config is not None
    client = client_of(files)
    page = f"/d/{config.name}/1/label"
    assert 'type="number" step="any"' in client.get(page).text
    form = {"id": field(client.get(page).text, "id"), "before": ""}
    assert client.post(page, data={**form, "label": "12,5 min"}).status_code == 400
    give(client, page, "12.5")
    assert labels(config) == [(form["id"], "12.5")]
    assert labels_root(config) == config.traffic.label_log


def test_ticked_classes_are_the_label_and_a_label_is_shown_ticked(tmp_path: Path) -> None:
    files = asked_table(tmp_path, booked, task="multilabel")
    config = files[0].config
    assert config is not None
    client = client_of(files)
    page = f"/d/{config.name}/1/label"
    shown = client.get(page).text
    assert re.search(r"<th[^>]*>booked</th><td[^>]*>\d+ (Mar|Apr) 2013</td>", shown)
    assert "checked" not in shown
    form = {"id": field(shown, "id"), "before": ""}
    assert client.post(page, data={**form, "has-2": "yes"}).status_code == 400
    assert client.post(page, data={**form, "has-1": "yes", "has-2": "yes", "give": "yes"}).status_code == 303
    assert client.get(f"{page}?row=1").text.count(" checked") == 2
    assert client.post(page, data={**form, "before": "on_time|late", "give": "yes"}).status_code == 303
    shown = client.get(f"{page}?row=1").text
    assert "It has the label <b>none of the classes</b>" in shown
    assert "checked" not in shown
    assert labels(config) == [(form["id"], "on_time|late"), (form["id"], "[]")]


def test_of_several_outputs_those_that_are_known_are_written(tmp_path: Path) -> None:
    files = asked_table(tmp_path, with_outputs, **OUTPUTS)
    config = files[0].config
    assert config is not None
    client = client_of(files)
    page = f"/d/{config.name}/1/label"
    shown = client.get(page).text
    assert "An object with each output that is known: {&#34;delay&#34;: …, &#34;minutes&#34;: …}" in shown
    form = {"id": field(shown, "id"), "before": ""}
    for label in ("late", '{"delay": "never"}', "{}", '{"delay":' + " " * 1024 + '"late"}'):
        answer = client.post(page, data={**form, "label": label})
        assert answer.status_code == 400
        assert "expected an object with each output" in answer.text
        assert f'value="{html.escape(label).replace("&quot;", "&#34;")}" required' in answer.text
    give(client, page, '{"minutes": 12.5}')
    give(client, page, '{"delay": "late", "minutes": 3}')
    assert [label for _, label in labels(config)] == ['{"minutes": 12.5}', '{"delay": "late", "minutes": 3}']
    assert "Row 3 of 50" in client.get(page).text
    later = ASKED_AT + timedelta(days=1)
    assert len(ask(config, clock=lambda: later).labelled) == 2


@pytest.mark.parametrize("are_files", [False, True])
def test_images_and_texts_are_shown_and_files_are_named(tmp_path: Path, are_files: bool) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "brown").save(file, "PNG")
    described_stores(tmp_path, comments=(f"one\n{HOSTILE}",), files=(file.getvalue(),) if are_files else ())
    path = tmp_path / "monitor.toml"
    text = '[labels]\nbudget = "20 per day"\n[windows]\nlabel_horizon = "28d"'
    path.write_text(path.read_text().replace("[windows]", text))
    for segment in segments_in(tmp_path / "traffic" / "labels"):
        segment.unlink()
    found, now = read_files([path]), described_deployment.FIRST + timedelta(days=4, hours=7)
    assert found[0].config is not None
    ask(found[0].config, clock=lambda: now)
    stores = replace(stores_at(found), clock=lambda: now)
    client = TestClient(dashboard_app(lambda: stores, access_with({}), Changes(stores.fingerprint)))
    page = client.get(f"/d/{stores.stores[0].name}/1/label").text
    assert "one\n&lt;script&gt;" in page
    assert page.count("data:image/png") == (0 if are_files else 1)
    assert ("these images are files: photo. The prediction is p" in page) == are_files
