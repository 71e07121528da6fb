"""The labels endpoint: only with the token, all labels or none, with their own times."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from serving.access.guard import Guard
from serving.access.tokens import Token
from serving.server.labels_endpoint import LabelsEndpoint, read_labels
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.serving.conftest import OpenWebsite, Reply, Website

GUARD = Guard([Token.of("secret")], delay_s=0.0)
TOKEN = {"Authorization": "Bearer secret"}


def post(website: Website, document: Any, headers: dict[str, str] | None = None) -> Reply:
    return website.send("POST", "/monitor/labels", orjson.dumps(document), TOKEN if headers is None else headers)


def label(prediction_id: str, time: Any = "2013-04-01T09:00:00Z", value: Any = "late") -> dict[str, Any]:
    return {"prediction_id": prediction_id, "label": value, "label_time": time}


def test_labels_reach_the_log(open_website: OpenWebsite, tmp_path: Path) -> None:
    writer = LabelWriter(tmp_path, clock=lambda: datetime.now(UTC))
    with open_website(labels_endpoint=LabelsEndpoint(writer=writer, guard=GUARD)) as website:
        assert post(website, {"labels": [label("a:0"), label("a:1", 1_364_806_800.5)]}).json == {"accepted": 2}
        assert post(website, {"labels": []}).json == {"accepted": 0}
        broken = {"labels": [label("b:0"), label("b:1", "noon")]}
        assert post(website, broken).error.startswith("labels[1].label_time must be ISO 8601")
        for document, error in (
            ({}, "Expecting {"),
            ({"labels": [1]}, "labels[0].prediction_id"),
            ({"labels": [label("x" * 161)]}, "labels[0].prediction_id"),
            ({"labels": [label("a:0", value=True)]}, "labels[0].label "),
            ({"labels": [label("a:0", value=[True, 2])]}, "labels[0].label "),
            ({"labels": [label("a:0", value=["a", 1])]}, "labels[0].label "),
            ({"labels": [label("a:0", value="")]}, "labels[0].label must be text of 1 to 1024 characters"),
            ({"labels": [label("a:0", value="x" * 1025)]}, "labels[0].label "),
            ({"labels": [label("a:0", True)]}, "labels[0].label_time"),
        ):
            reply = post(website, document)
            assert (reply.status, reply.error.startswith(error)) == (400, True), reply.body
    writer.close()
    labels = LabelLog(tmp_path).read()
    assert labels.column("prediction_id").to_pylist() == ["a:0", "a:1"], "of a wrong document none is taken"
    nine = datetime(2013, 4, 1, 9, tzinfo=UTC)
    assert labels.column("label_time").to_pylist() == [nine, nine + timedelta(seconds=0.5)]


def test_a_label_that_is_a_number_is_the_same_number_as_text() -> None:
    given = (3, -2.0, 0.1, 1e300, 1e-9, 10**400)
    entries = [label(f"a:{place}", value=value) for place, value in enumerate(given)]
    texts = [one.label for one in read_labels({"labels": entries})]
    assert texts[:3] == ["3", "-2", "0.1"]
    assert [float(text) for text in texts[:5]] == list(given[:5])
    for value in (float("nan"), float("inf")):
        with pytest.raises(InvalidArgument, match="a finite number, or an object"):
            read_labels({"labels": [label("a:0", value=value)]})


def test_a_label_may_be_a_set_of_classes() -> None:
    given: tuple[list[Any], ...] = (["sports", "Küche"], [1, 0, True], [], ["a"] * 200)
    entries = [label(f"a:{place}", value=value) for place, value in enumerate(given)]
    assert [one.label for one in read_labels({"labels": entries})] == [
        '["sports","Küche"]',
        "[1,0,1]",
        "[]",
        json.dumps(["a"] * 200).replace(" ", ""),
    ]
    with pytest.raises(InvalidArgument, match="as long a list of names"):
        read_labels({"labels": [label("a:0", value=["a"] * 300)]})


def test_a_request_without_the_token_is_refused(open_website: OpenWebsite) -> None:
    with open_website(labels_endpoint=LabelsEndpoint(guard=GUARD)) as website:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
            assert post(website, {"labels": []}, headers).status == 401
        reply = post(website, {"labels": []})
        assert (reply.status, "--traffic" in reply.error) == (400, True)


def test_without_a_token_the_answer_says_how_to_set_one(website: Website) -> None:
    reply = post(website, {"labels": []})
    assert (reply.status, "PITFALLS_TOKEN" in reply.error) == (403, True)


def test_a_full_disk_is_an_error_and_the_labels_can_be_sent_again(open_website: OpenWebsite) -> None:
    class FullDisk:
        def append(self, *_labels: Sequence[object], **_owners: object) -> int:
            raise OSError(28, "No space left on device")

    with open_website(labels_endpoint=LabelsEndpoint(writer=FullDisk(), guard=GUARD)) as website:
        reply = post(website, {"labels": [label("a:0")]})
    assert (reply.status, "No space left on device" in reply.error) == (503, True)


def test_bytes_that_are_no_text_are_refused_and_the_connection_goes_on(
    open_website: OpenWebsite, tmp_path: Path
) -> None:
    writer = LabelWriter(tmp_path, clock=lambda: datetime.now(UTC))
    with open_website(labels_endpoint=LabelsEndpoint(writer=writer, guard=GUARD)) as website:
        body = b'{"labels": [{"prediction_id": "a:0", "label": "\xff", "label_time": 0}]}'
        reply = website.send("POST", "/monitor/labels", body, TOKEN)
        assert (reply.status, "not valid UTF-8" in reply.error) == (400, True)
        half = website.send("POST", "/monitor/labels", body.replace(b"\xff", rb"\ud800"), TOKEN)
        assert (half.status, "labels[0].label has half a surrogate pair" in half.error) == (400, True)
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert post(website, {"labels": [label("a:0")]}).json == {"accepted": 1}
    writer.close()


def test_a_defect_is_answered(open_website: OpenWebsite, caplog: pytest.LogCaptureFixture) -> None:
    class Defect:
        def append(self, *_labels: Sequence[object], **_owners: object) -> int:
            raise ValueError("planted")

    with open_website(labels_endpoint=LabelsEndpoint(writer=Defect(), guard=GUARD)) as website:
        reply = post(website, {"labels": [label("a:0")]})
    assert (reply.status, reply.error) == (500, "Internal error: ValueError")
    assert "planted" in caplog.text


def test_a_label_may_have_a_part_for_each_of_several_outputs() -> None:
    entries = [label("a:0", value={"kind": "late", "price": 2.5})]
    assert [one.label for one in read_labels({"labels": entries})] == ['{"kind":"late","price":"2.5"}']
    for parts in ({}, {"kind": None}, {"kind": ["late"]}, {"price": float("inf")}):
        with pytest.raises(InvalidArgument, match="an object with a label for each output"):
            read_labels({"labels": [label("a:0", value=parts)]})


def test_a_label_may_say_which_model_version_and_output_it_is_for() -> None:
    entry = {**label("a:0", value=2.0), "model": "v", "version": 3, "output": "price"}
    (found,) = read_labels({"labels": [entry]})
    assert (found.label, found.model, found.version) == ('{"price":"2"}', "v", 3)


@pytest.mark.parametrize(
    ("owner", "error"),
    [
        ({"model": ""}, "model must be the name of a model"),
        ({"model": 3}, "model must be the name of a model"),
        ({"version": 3}, "version must be a whole number, beside the name of the model"),
        ({"model": "v", "version": "3"}, "version must be a whole number"),
        ({"model": "v", "version": True}, "version must be a whole number"),
        ({"output": 7}, "output must be the name of one of the model's outputs"),
        ({"output": "price", "label": {"price": 2}}, "label must be text"),
    ],
)
def test_what_names_no_model_version_or_output_is_refused(owner: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(f"labels[0].{error}")):
        read_labels({"labels": [{**label("a:0"), **owner}]})


def test_one_id_that_two_models_answered_has_a_label_for_each(open_website: OpenWebsite, tmp_path: Path) -> None:
    writer = LabelWriter(tmp_path, clock=lambda: datetime.now(UTC))
    with open_website(labels_endpoint=LabelsEndpoint(writer=writer, guard=GUARD)) as website:
        yes, no = {**label("same:0", value="yes"), "model": "cust"}, {**label("same:0", value="no"), "model": "v"}
        assert post(website, {"labels": [yes, no]}).json == {"accepted": 2}
    writer.close()
    for model, expected in (("cust", "yes"), ("v", "no")):
        assert LabelLog(tmp_path, model=model).latest()["label"].to_pylist() == [expected]


def test_a_number_for_one_of_several_outputs_is_refused_with_what_is_expected(
    open_website: OpenWebsite, tmp_path: Path
) -> None:
    def outputs(model: str | None) -> tuple[str, ...]:
        return () if model == "v" else ("sev", "vehage")

    writer = LabelWriter(tmp_path, clock=lambda: datetime.now(UTC))
    with open_website(labels_endpoint=LabelsEndpoint(writer=writer, guard=GUARD, outputs=outputs)) as website:
        fine = [
            {**label("a:0", value=3.0), "model": "v"},
            {**label("a:0", value=3.0), "output": "sev"},
            label("a:0", value={"sev": 3.0}),
        ]
        assert post(website, {"labels": fine}).json == {"accepted": 3}
        reply = post(website, {"labels": [*fine, label("b:0", value=10)]})
    writer.close()
    expected = '{"sev": ..., "vehage": ...}'
    error = (
        "labels[3].label must be an object with the label of each output that is known, "
        f"{expected}, or name its output; it is '10'."
    )
    assert (reply.status, reply.error) == (400, error)
    assert LabelLog(tmp_path).read().num_rows == 3, "of a wrong document none is taken"
