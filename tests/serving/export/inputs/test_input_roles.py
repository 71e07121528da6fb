"""Free text is described, ids are not watched, and no file of a bundle has either, unless their owner says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import predictions_from
from monitoring.baseline.schema import load_schema
from monitoring.config import parse_dictionary
from monitoring.errors import BadInput
from monitoring.traffic.descriptors.language import can_tell_languages
from serving.export.export import Bundle, Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles, input_roles
from serving.export.inputs.model_inputs import ModelInput
from serving.export.manifest import Provenance
from tests.serving.export_model import now

ROWS = 300
NOTES = [f"the parcel {place} of mrs planted{place} was late" for place in range(ROWS)]
INPUTS = (
    ModelInput(name="note", dtype="string", shape=()),
    ModelInput(name="ticket", dtype="string", shape=()),
    ModelInput(name="origin", dtype="string", shape=()),
    ModelInput(name="customer_id", dtype="int64", shape=()),
    ModelInput(name="zip", dtype="int64", shape=()),
    ModelInput(name="tokens", dtype="string", shape=(3,)),
)


#: The inputs that describe a note.
NOTE = {
    **{f"note.{name}": ("number", False) for name in ("characters", "words", "out_of_vocabulary")},
    **{f"note.{name}": ("number", False) for name in ("digits", "special_characters")},
    "note.script": ("category", False),
    **dict.fromkeys(["note.language"] * can_tell_languages(), ("category", False)),
}


def table(rows: int = ROWS) -> pa.Table:
    return pa.table(
        {
            "note": NOTES[:rows],
            "ticket": [f"planted-{place}" for place in range(rows)],
            "origin": ["JFK", "EWR", None] * (rows // 3),
            "customer_id": [987_000 + place for place in range(rows)],
            "zip": [10_000 + place % 7 for place in range(rows)],
            "tokens": [["a", "b", "c"]] * rows,
            "label": ["0", "1"] * (rows // 2),
            "prediction_id": [f"planted-row-{place}" for place in range(rows)],
        }
    )


def test_texts_at_times_in_nanoseconds_are_described() -> None:
    times = pa.array(np.arange(ROWS) + 10**18 + 1, pa.timestamp("ns", "UTC"))
    assert input_roles(table().append_column("event_time", times), INPUTS).described


def kinds(roles: Any) -> dict[str, tuple[str, bool]]:
    return {one.name: (one.kind, one.is_code) for one in roles.features}


def test_free_text_and_ids_are_recognised() -> None:
    roles = input_roles(table(), INPUTS)
    assert {**kinds(roles), **NOTE} == kinds(roles)
    assert {name for name in kinds(roles) if name not in NOTE} == {"origin", "zip"}
    assert [str(one) for one in roles.left_out] == [
        "ticket (an id: 300 values in 300 rows)",
        "customer_id (an id: 300 values in 300 rows)",
    ]
    described, remark = roles.remarks
    assert described.startswith("note is watched by what describes each text: note.characters, note.words")
    assert remark.startswith("Not watched, and in no file of the bundle: ticket (an id")
    assert remark.endswith("To watch and keep it all the same: --categorical ticket,customer_id.")


def test_the_owner_decides() -> None:
    declared = DeclaredRoles(categorical=("ticket", "zip"), ignore=("origin",), group="customer_id")
    roles = input_roles(table(), INPUTS, declared, table()["customer_id"])
    assert kinds(roles) == {"ticket": ("category", False), "zip": ("category", True), **NOTE}
    assert [one.why for one in roles.left_out] == ["ignored", "the group"]
    assert roles.groups is not None
    assert roles.groups[0].as_py() == "987000"
    assert input_roles(None, INPUTS).remarks == ()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (DeclaredRoles(categorical=("orign",)), r"no such input.*orign \(--categorical\).*Did you mean origin"),
        (DeclaredRoles(ignore=("label",)), r"no such input.*label \(--ignore\)"),
        (DeclaredRoles(group="customer"), r"no such column.*customer \(--group\).*Did you mean customer_id"),
        (DeclaredRoles(categorical=("zip",), ignore=("zip",)), "declared to be two things"),
        (DeclaredRoles(categorical=("zip",), group="zip"), "declared to be two things"),
    ],
)
def test_names_are_checked(declared: DeclaredRoles, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        declared.check([one.name for one in INPUTS if not one.shape], table().column_names)


def test_sampled_rows_have_no_raw_value_of_what_is_not_watched() -> None:
    rows = {
        "note": np.array([b"secret"], object),
        "ticket": np.array([b"secret"], object),
        "origin": np.array([b"JFK"], object),
        "customer_id": np.array([987_001]),
        "zip": np.array([10_001]),
        "tokens": np.array([[b"secret"] * 3], object),
    }
    kept = input_roles(table(), INPUTS).without_raw(INPUTS, rows)
    assert {name: values.tolist() for name, values in kept.items()} == {
        "note": [b""],
        "ticket": [b""],
        "origin": [b"JFK"],
        "customer_id": [0],
        "zip": [10_001],
        "tokens": [[b"", b"", b""]],
    }


def own_model() -> keras.Model:
    """Takes a note, a ticket, a code and a number; its answer depends on the last two."""
    keras.utils.set_random_seed(3)
    texts = [keras.Input((1,), name=name, dtype="string") for name in ("note", "ticket")]
    numbers = [keras.Input((1,), name=name, dtype=dtype) for name, dtype in (("zip", "int64"), ("dist", "float32"))]
    lengths = [keras.layers.StringLookup(vocabulary=["x"], output_mode="one_hot")(one) for one in texts]
    parts = [keras.ops.cast(one, "float32") / 1e4 for one in numbers]
    both = keras.layers.Concatenate()([*parts, *(one * 0.0 for one in lengths)])
    return keras.Model([*texts, *numbers], {"probabilities": keras.layers.Dense(2, activation="softmax")(both)})


def test_the_dictionary_counts_for_columns_that_no_flag_names() -> None:
    columns = parse_dictionary(
        {"zip": {"kind": "category"}, "origin": {"role": "ignored"}, "customer_id": {"role": "group"}, "label": {}}
    )
    names, there = [one.name for one in INPUTS], table().column_names
    found = DeclaredRoles(dictionary=columns).with_dictionary(names, there)
    assert found == DeclaredRoles(categorical=("zip",), ignore=("origin",), group="customer_id")
    flags = DeclaredRoles(ignore=("zip",), categorical=("origin",), dictionary=columns).with_dictionary(names, there)
    assert flags == DeclaredRoles(ignore=("zip",), categorical=("origin",), group="customer_id")
    with pytest.raises(BadInput, match="two groups"):
        DeclaredRoles(group="zip", dictionary=columns).with_dictionary(names, there)
    with pytest.raises(BadInput, match=r"orgin.*Did you mean origin\?"):
        DeclaredRoles(dictionary=parse_dictionary({"orgin": {}})).with_dictionary(names, there)


def own_table() -> pa.Table:
    rows = table().select(["note", "ticket", "zip", "label", "prediction_id"])
    return rows.append_column("dist", pa.array(np.linspace(0.0, 1.0, ROWS)))


def export(models: Path, **declared: Any) -> Bundle:
    reference = Reference(table=own_table(), roles=DeclaredRoles(**declared))
    made = Provenance(classes=("0", "1"))
    return export_bundle(own_model(), folder=models / "own", reference=reference, provenance=made, clock=now)


def found_in(folder: Path, word: bytes) -> list[str]:
    """Files with a word in their bytes, or in the cells of a Parquet file."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            data += str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else b""
            if word in data:
                found.append(path.relative_to(folder).as_posix())
    return found


def test_a_bundle_has_no_free_text_and_no_id_in_any_file(tmp_path: Path) -> None:
    bundle = export(tmp_path, categorical=("zip",))
    assert found_in(bundle.path, b"planted") == []
    assert any(one.startswith("note is watched by what describes each text") for one in bundle.remarks)
    baseline = load_baseline(bundle.path / "assets.extra/baseline")
    assert kinds(baseline.spec) == {"zip": ("category", True), "dist": ("number", False), **NOTE}
    assert [each.source for each in baseline.spec.described] == ["note"]
    assert baseline.reference.ids.to_pylist()[:2] == ["reference-000:0", "reference-001:0"]
    codes = next(one.categories for one in baseline.bins if one.feature == "zip")
    assert codes == tuple(str(10_000 + place) for place in range(7))
    schema = load_schema(bundle.path / "assets.extra/schema.pbtxt")
    assert sorted(feature.name for feature in schema.feature) == sorted(["dist", "label", "zip", *NOTE])
    live = own_table().append_column("probabilities", pa.array([[0.5, 0.5]] * ROWS))
    live = live.append_column("event_time", pa.array([now()] * ROWS, pa.timestamp("us", "UTC"))).drop(["label"])
    rows = predictions_from(live, replace(baseline.spec, features=baseline.spec.features[:2], described=()))
    assert rows.problems == ()
    assert rows.features["zip"][8].as_py() == "10001"


def test_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    bundle = export(tmp_path, categorical=("note",), group="zip")
    assert found_in(bundle.path, NOTES[3].encode()) != []
    assert found_in(bundle.path, b"planted-3") == []
    kept = load_baseline(bundle.path / "assets.extra/baseline")
    assert [one.name for one in kept.spec.features] == ["note", "dist"]
    numbers = np.asarray(kept.reference.features["dist"]) * (ROWS - 1)
    groups = np.rint(numbers).astype(int) % 7
    assert int((np.diff(groups) != 0).sum()) == 6, "rows of a group stay together"


def test_images_are_described_and_only_where_there_is_a_reference() -> None:
    images = (
        ModelInput(name="photo", dtype="uint8", shape=(16, 12, 3)),
        ModelInput(name="matrix", dtype="float32", shape=(16, 12)),
        ModelInput(name="origin", dtype="string", shape=()),
    )
    pixels = np.random.default_rng(1).integers(0, 256, (6, 16, 12, 3), dtype=np.uint8)
    rows = pa.table({"photo": pixels.tolist(), "matrix": pixels[..., 0].tolist(), "origin": ["JFK"] * 6})
    roles = input_roles(rows, images)
    names = [f"photo.{name}" for name in ("brightness", "contrast", "sharpness", "saturation")]
    axes = [f"matrix.{name}" for name in ("norm", "residual", *(f"axis_{place}" for place in range(1, 6)))]
    assert list(kinds(roles)) == ["origin", *names, *axes]
    assert roles.remarks == (
        f"photo is watched by what describes each image: {', '.join(names)}.",
        f"matrix is watched by what describes each vector: {', '.join(axes)}.",
    )
    found = roles.describe(rows)
    assert found["photo.brightness"].to_pylist() == pytest.approx(pixels.mean(axis=(1, 2, 3)))
    assert list(kinds(input_roles(None, images))) == ["origin"]


def test_a_series_in_another_order_lies_off_the_axes_and_a_larger_tensor_is_not_watched() -> None:
    random = np.random.default_rng(1)
    rows = (np.linspace(0, 5, 48) + random.normal(size=(200, 1)) + random.normal(0, 0.1, (200, 48)))[..., None]
    history = ModelInput(name="history", dtype="float32", shape=(48, 1))
    usual, backwards = (pa.table({"history": values.tolist()}) for values in (rows, rows[:, ::-1]))
    roles = input_roles(usual, (history,))
    off = [np.asarray(roles.describe(each)["history.residual"]) for each in (usual, backwards)]
    assert off[1].min() > 3 * off[0].max()
    large = ModelInput(name="history", dtype="float32", shape=(48, 48))
    assert list(kinds(input_roles(usual, (large,)))) == []


def test_texts_in_lists_of_one_are_described_as_they_are_alone() -> None:
    alone = input_roles(table(), INPUTS[:1])
    listed = table().set_column(0, "note", pa.array([[text] for text in NOTES]))
    as_lists = input_roles(listed, INPUTS[:1])
    assert as_lists.describe(listed)["note.words"].equals(alone.describe(table())["note.words"])
