"""Nearly right files and labels: each is read, or refused in words; never a crash, a hang, or another error."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config.loading import parse_config
from monitoring.errors import BadInput, PitfallsError
from monitoring.traffic.labels.label_file import read_label_file
from monitoring.traffic.tables.files import pieces_of
from serving.export.keras_file import load_keras
from serving.export.table_file import read_table
from serving.server.labels_endpoint import read_labels
from serving.status import Failure
from serving.transport.json_parsing import parse_object
from tests.fuzzing.budget import SECONDS, seeded, seeds
from tests.serving.fuzzing.mutations import damage_bytes, damage_value, write

ROWS = {"prediction_id": ["a:0", "a:1"], "label": ["late", "on time"], "label_time": ["2013-04-01T09:00:00Z"] * 2}
CONFIG = """\
[model]
bundle = "models/flights"
classes = ["no", "yes"]
[traffic]
path = "traffic"
slices = ["carrier"]
[windows]
every = "6h"
label_horizon = "7d"
[budget]
page = "1 per 365 windows"
[[expected]]
name = "sale"
start = 2026-11-27
end = 2026-11-30
[[notify]]
route = "slack"
webhook_env = "SLACK"
[store]
url = "postgresql+pg8000://user:hunter2@db/pitfalls"
"""


def parquet() -> bytes:
    """A small Parquet file of labels."""
    sink = io.BytesIO()
    pq.write_table(pa.table(ROWS), sink)
    return sink.getvalue()


def csv() -> bytes:
    """The same labels as CSV."""
    lines = [",".join(ROWS), *(",".join(row) for row in zip(*ROWS.values(), strict=True))]
    return "\n".join(lines).encode()


def test_a_time_of_more_digits_than_a_float_has_is_refused() -> None:
    label = {"prediction_id": "a:0", "label": "late", "label_time": 10**400}
    with pytest.raises(Failure, match="label_time"):
        read_labels({"labels": [label]})


def test_names_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet().replace(b"label_time", b"lab\xc2l_time"))
    for read in (read_label_file, lambda file: [piece.read() for piece in pieces_of(file)]):
        with pytest.raises(PitfallsError):
            read(path)


def test_a_damaged_keras_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Sequential"}')
    path.write_bytes(path.read_bytes().replace(b"PK\x03\x04", b"PK\x03\x05"))
    with pytest.raises(BadInput, match=r"Not a \.keras file"):
        load_keras(path)


def test_labels_that_are_sent() -> None:
    document = {"labels": [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]}
    document["labels"] += [{**document["labels"][0], "label": label} for label in (1.5, ["a", "b"], [0, 1])]
    ends = {"read": 0, "refused": 0}
    for seed in seeds():
        random = seeded(seed)
        body = write(damage_value(random, document, chance=random.choice([0.0, 0.02, 0.1])))
        try:
            found = read_labels(parse_object(damage_bytes(random, body) if random.random() < 0.5 else body))
            assert all(one.prediction_id and one.label for one in found)
            ends["read"] += 1
        except Failure:
            ends["refused"] += 1
    assert min(ends.values()) > 0


@pytest.mark.parametrize("make", [csv, parquet])
def test_files_of_labels(tmp_path: Path, make: object) -> None:
    content = csv() if make is csv else parquet()
    path = tmp_path / "labels"
    for seed in seeds():
        path.write_bytes(damage_bytes(seeded(seed), content))
        with suppress(BadInput):
            assert read_label_file(path).column_names == [*ROWS, "model", "version"]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv"])
def test_tables(tmp_path: Path, name: str) -> None:
    content = parquet() if name.endswith("parquet") else csv()
    path = tmp_path / name
    for seed in seeds():
        path.write_bytes(damage_bytes(seeded(seed), content))
        with suppress(BadInput):
            assert read_table(path).num_columns > 0
        with suppress(PitfallsError):
            for piece in pieces_of(path):
                piece.read()


def test_configs(tmp_path: Path) -> None:
    for seed in seeds():
        random = seeded(seed)
        text = damage_bytes(random, CONFIG.encode()).decode("utf-8", "replace")
        found = parse_config(text, tmp_path)
        if isinstance(found, tuple):
            assert found
            assert "hunter2" not in "".join(map(str, found)), text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_keras_files(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    whole = path.read_bytes()
    for seed in seeds(max(SECONDS, 2.0)):
        random = seeded(seed)
        if random.random() < 0.5:
            path.write_bytes(damage_bytes(random, whole))
        else:
            chosen = random.choice(sorted(parts))
            with zipfile.ZipFile(path, "w") as archive:
                for name, part in parts.items():
                    archive.writestr(name, damage_bytes(random, part) if name == chosen else part)
        with suppress(BadInput):
            load_keras(path)
