"""What must not be stored is not: every byte that a server writes is searched for it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import orjson
import pyarrow.parquet as pq
import pytest

from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.redaction import Redaction, hashed
from serving.capture.traffic_log import TrafficSettings, open_traffic_log

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.conftest import OpenWebsite

KEY = b"a key of the tests, nobody else's"
ADDRESS = "ada.lovelace@example.org"
NUMBER = 1234.5
TRACES = [ADDRESS.encode(), struct.pack("<f", NUMBER), struct.pack("<d", NUMBER), b"1234.5"]


def everything(folder: Path) -> bytes:
    """The bytes of every file, and what is in those that are compressed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    parts = [path for path in files if path.suffix == ".parquet"]
    decoded = [repr(pq.read_table(path).to_pydict()) + str(pq.read_metadata(path).to_dict()) for path in parts]
    return b"".join([*(path.read_bytes() for path in files), *(text.encode() for text in decoded)])


@pytest.mark.parametrize("fate", ["redact", "hash", "store"])
def test_no_trace_of_it_is_in_any_file_nor_said(
    open_website: OpenWebsite, tmp_path: Path, capfd: pytest.CaptureFixture[str], fate: str
) -> None:
    names = frozenset({"s", "x"})  # the input of a model of strings, and a feature of tf.Examples
    redaction = {
        "redact": Redaction(dropped=names),
        "hash": Redaction(hashed=names, key=KEY),
        "store": None,
    }[fate]
    settings = TrafficSettings(folder=tmp_path / "traffic", redaction=redaction)
    with open_traffic_log(settings, report=lambda _: None) as (capture, _):
        with open_website(capture=capture) as site:
            lengths = {"signature_name": "length", "instances": [ADDRESS]}
            assert site.predict("strs", lengths).status == 200
            examples = {"signature_name": "regress_x_to_y", "examples": [{"x": NUMBER}]}
            answer = site.send("POST", "/v1/models/half_plus_two:regress", orjson.dumps(examples))
            assert answer.status == 200, answer.body
            broken = {"signature_name": "length", "instances": [ADDRESS, NUMBER]}
            assert site.predict("strs", broken).status == 400
        while_open = everything(tmp_path)
        assert list((tmp_path / "traffic" / "open").iterdir())
    said = "".join(capfd.readouterr()).encode()
    written = [while_open, everything(tmp_path), said]
    found = [trace for trace in TRACES for each in written if trace in each]
    if fate == "store":  # so the search can find something
        assert {ADDRESS.encode(), struct.pack("<f", NUMBER)} <= set(found)
        return
    assert found == []
    rows = TrafficLog(tmp_path / "traffic").read(model="strs")
    assert rows.num_rows == 1
    if fate == "hash":
        assert rows["input:s"].to_pylist() == [[hashed(ADDRESS, KEY)]]
    else:
        assert "input:s" not in rows.column_names
