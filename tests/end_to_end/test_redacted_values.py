"""What is redacted is in no file: of the bundle, the log, its archive, the monitor, its reports, nor Evidently's."""

from __future__ import annotations

import http.client
import json
import sqlite3
import zlib
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pitfalls_tf.cli import pitfalls
from serving.export.export import Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles
from serving.export.manifest import Provenance
from tests.serving.server_process import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START = datetime(2013, 1, 1, tzinfo=UTC)
REFERENCE_DAYS, LIVE_DAYS, ROWS = 40, 16, 40
BROKEN_FROM = 6
PREDICT = "/v1/models/own:predict"
TOKEN = "a-token-of-the-tests"
PLANTED = b"planted"
#: A number that nothing else comes to, as text and as the bytes of a float32 and a float64.
NUMBER = 4242.4375
NUMBERS = (b"4242.4375", np.float32(NUMBER).tobytes(), np.float64(NUMBER).tobytes())
CONFIG = """\
[model]
bundle = "models/own"
[traffic]
path = "traffic"
slices = ["origin"]
[windows]
min_rows = 20
[store]
url = "sqlite:///pitfalls.db"
[[notify]]
route = "command"
command = ["/bin/sh", "-c", "cat >> notified.txt; echo >> notified.txt"]
level = "notice"
"""


def model() -> keras.Model:
    """Takes a mail address, a telephone number, a weight and an airport; its answer depends on the first two."""
    keras.utils.set_random_seed(3)
    mail, phone, origin = (keras.Input((1,), name=name, dtype="string") for name in ("mail", "phone", "origin"))
    weight, delay = keras.Input((1,), name="weight"), keras.Input((1,), name="delay")
    lookup = keras.layers.StringLookup(vocabulary=["JFK"], output_mode="one_hot")
    places = [lookup(one) for one in (mail, phone, origin)]
    numbers = keras.layers.Concatenate()([weight * 0.0, delay, *(one * 0.0 for one in places)])
    kernel = keras.initializers.Constant(np.array([[0.0, 0.0], [0.0, 2.0], *[[0.0, 0.0]] * 6]))
    answer = keras.layers.Dense(2, activation="softmax", kernel_initializer=kernel)(numbers)
    return keras.Model([mail, phone, origin, weight, delay], {"probabilities": answer})


def rows(days: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    count = days * ROWS
    delay = rng.normal(0.0, 1.0, count)
    weight = rng.normal(70.0, 9.0, count)
    weight[::50] = NUMBER
    return {
        "mail": [f"planted-{place}@example.org" for place in range(count)],
        "phone": [f"+1 planted {place % 4}" for place in range(count)],
        "origin": rng.choice(["JFK", "EWR"], count).tolist(),
        "weight": weight.astype(np.float32).astype(float).tolist(),
        "delay": delay.astype(np.float32).astype(float).tolist(),
        "late": (rng.random(count) < 1.0 / (1.0 + np.exp(-2.0 * delay))).tolist(),
    }


def export(models: Path) -> None:
    found = rows(REFERENCE_DAYS, 1)
    times = [START + timedelta(days=place // ROWS, seconds=place % ROWS) for place in range(REFERENCE_DAYS * ROWS)]
    labels = ["late" if late else "on_time" for late in found.pop("late")]
    ids = [f"planted-row-{place}" for place in range(len(times))]
    table = pa.table({**found, "label": labels, "event_time": times, "prediction_id": ids})
    reference = Reference(table=table, roles=DeclaredRoles(ignore=("mail", "phone", "weight")))
    made = Provenance(classes=("on_time", "late"))
    export_bundle(model(), folder=models / "own", reference=reference, provenance=made, clock=lambda: datetime.now(UTC))


def post(connection: http.client.HTTPConnection, path: str, document: object, **headers: str) -> int:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request("POST", path, json.dumps(document), named)
    response = connection.getresponse()
    response.read()
    return response.status


def serve(folder: Path) -> str:
    """Answer a row of requests and a wrong one, log them, move the log to its archive; what the server said."""
    tokens = folder / "tokens"
    tokens.write_text(f"{TOKEN} labels shop\n", "utf-8")
    tokens.chmod(0o600)
    flags = ["--traffic", str(folder / "traffic"), "--traffic-archive", (folder / "archive").as_uri()]
    flags += ["--redact", "mail", "--redact", "weight", "--hash", "phone", "--hash-key-file", str(folder / "key")]
    flags += ["--token-file", str(tokens), "--audit-log", str(folder / "audit.jsonl"), "--any-event-time"]
    (folder / "key").write_text("0123456789abcdef", "utf-8")
    (folder / "archive").mkdir()
    found = rows(LIVE_DAYS, 2)
    late = found.pop("late")
    with ExitStack() as stack:
        server = stack.enter_context(serving(folder / "models", *flags))
        client = stack.enter_context(closing(http.client.HTTPConnection(server.http_target)))
        for day in range(LIVE_DAYS):
            mine = range(day * ROWS, (day + 1) * ROWS)
            instances = [{name: values[place] for name, values in found.items()} for place in mine]
            time = (START + timedelta(days=REFERENCE_DAYS + day, hours=12)).isoformat()
            assert post(client, PREDICT, {"instances": instances}, X_Request_Id=f"r{day}", X_Event_Time=time) == 200
            labels = [
                {
                    "prediction_id": f"r{day}:{row}",
                    "label": "late" if late[place] is (day < BROKEN_FROM) else "on_time",
                    "label_time": (START + timedelta(days=REFERENCE_DAYS + day, hours=18)).isoformat(),
                }
                for row, place in enumerate(mine)
            ]
            assert post(client, "/monitor/labels", {"labels": labels}, Authorization=f"Bearer {TOKEN}") == 200
        wrong = {**{name: values[0] for name, values in found.items()}, "delay": "planted-wrong"}
        assert post(client, PREDICT, {"instances": [wrong]}) == 400
        server.popen.terminate()
        server.popen.wait(60)
        said = server.said
    return "".join(said)


def contents(path: Path) -> bytes:
    """The bytes of a file; of a Parquet file with its values, of a picture inflated."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        data += str(table.to_pylist()).encode() + str(table.schema).encode()
    return data + b"".join(inflated(data))


def inflated(data: bytes) -> list[bytes]:
    """What is compressed inside a file, such as in a page of Evidently's."""
    found = []
    for mark in (b"\x1f\x8b\x08", b"x\x9c"):
        place = data.find(mark)
        while place >= 0:
            with suppress(zlib.error):
                found.append(zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data[place:]))
            place = data.find(mark, place + 1)
    return found


def traces(folder: Path) -> list[str]:
    """Files that hold a planted text or number."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        f"{path.relative_to(folder)}: {word!r}"
        for path in files
        for word in (PLANTED, *NUMBERS)
        if word in contents(path)
    ]


def test_no_file_has_a_redacted_value(tmp_path: Path) -> None:
    export(tmp_path / "models")
    assert traces(tmp_path) == []
    said = serve(tmp_path)
    assert PLANTED.decode() not in said
    assert len(list((tmp_path / "archive").rglob("*.parquet"))) == LIVE_DAYS
    config = tmp_path / "monitor.toml"
    config.write_text(CONFIG.replace("notified.txt", str(tmp_path / "notified.txt")), "utf-8")
    printed = []
    for words in (
        ("monitor", "run", "--config", config, "--json"),
        ("monitor", "report", "--config", config, "--out", tmp_path / "report", "--json"),
        ("monitor", "incidents", "show", "1", "--config", config, "--json"),
        ("monitor", "export", "--config", config, "--to", tmp_path / "results.csv"),
        ("traffic", tmp_path / "traffic", "--to", tmp_path / "rows.parquet"),
        ("traffic", tmp_path / "traffic", "--to", tmp_path / "rows.tfrecord"),
    ):
        result = CliRunner().invoke(pitfalls, [str(word) for word in words])
        assert result.exit_code in (0, 1), result.output
        printed.append(result.output)
    (tmp_path / "printed.txt").write_text("\n".join(printed), "utf-8")
    pages = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert any(name.startswith("drift-") and name.endswith(".html") for name in pages), pages
    assert (tmp_path / "notified.txt").stat().st_size > 0
    assert traces(tmp_path) == []


def test_a_value_that_is_there_would_be_found(tmp_path: Path) -> None:
    """The search itself: in a Parquet file, in one that is compressed, in a store."""
    pq.write_table(pa.table({"a": [["planted-1"]], "n": [1.0]}), tmp_path / "a.parquet", compression="zstd")
    pq.write_table(pa.table({"n": [NUMBER]}), tmp_path / "b.parquet", compression="zstd")
    (tmp_path / "c.html").write_bytes(b"<p>" + zlib.compress(b"planted" * 9))
    with closing(sqlite3.connect(tmp_path / "d.db")) as store:
        store.execute("create table t (x)")
        store.execute("insert into t values (?)", ("planted",))
        store.commit()
    assert sorted({one.partition(":")[0] for one in traces(tmp_path)}) == ["a.parquet", "b.parquet", "c.html", "d.db"]
