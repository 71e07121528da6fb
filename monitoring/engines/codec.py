"""Partials as bytes and back, to the last bit: Arrow's stream format, of this package's version, without code in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.moments import Moments
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import FeatureCounts, Profile
from monitoring.baseline.sketch import Sketch
from monitoring.distribution import installed_version
from monitoring.engines.partial import CountedRows, Partial
from monitoring.engines.recipe import Recipe
from monitoring.errors import CannotRun
from monitoring.judging.window.label_findings import UnknownClassLabels
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowSums
from monitoring.records.finding_nodes import finding_node, finding_of
from monitoring.traffic.tables.read_sums import ReadSums
from monitoring.watches.tally import Tally

#: The version of the format. Bytes of another are refused: a partial lives as long as a run, or is made again.
FORMAT = 2

#: An earlier format whose bytes are read: its samples were drawn by event time, and of one time by the smallest ids.
DRAWN_BY_TIME = 1

_NAME = b"pitfalls partial"
_SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("data", pa.binary(), nullable=False)])
_HEAD, _SAMPLE, _COUNTED = "head", "sample", "counted"
_INPUT = "input:"

#: The samples of a partial, of which several are often one.
_SAMPLES = ("answered", "usable", "labelled")


def encoded(partial: Partial, recipe: Recipe) -> bytes:
    """A partial as bytes: the same bytes for the same rows of the same tasks, on every machine.

    Args:
        recipe: What it was made by: its digest goes into the bytes.

    Returns:
        A stream of Arrow: a JSON document, and each different sample as a stream of its own.
    """
    answered, labelled = partial.sums.answered, partial.sums.labelled
    samples = {"answered": answered.sample, "usable": answered.usable, "labelled": labelled.usable}
    parts: list[tuple[str, bytes]] = []
    same: dict[str, int] = {}
    for name in _SAMPLES:
        written = _sample_bytes(samples[name])
        streams = [data for _, data in parts]
        same[name] = streams.index(written) if written in streams else len(parts)
        if written not in streams:
            parts.append((_SAMPLE, written))
    document = {
        "window": [partial.start, partial.end],
        "rows": answered.rows,
        "newest": answered.newest,
        "profile": _profile_node(answered.counts),
        "answers": _tally_node(answered.tally),
        "labels": labelled.rows,
        "delays": labelled.delays,
        "losses": [[start, _tally_node(tally)] for start, tally in labelled.tallies.items()],
        "read": _read_node(partial.read),
        "unknown": _unknown_node(partial.unknown),
        "samples": same,
        "counted": [part.file for part in partial.counted],
    }
    parts += [(_COUNTED, _counted_bytes(part)) for part in partial.counted]
    head = json.dumps(document, separators=(",", ":")).encode()
    table = pa.table(
        {"name": [_HEAD, *(name for name, _ in parts)], "data": [head, *(data for _, data in parts)]}, schema=_SCHEMA
    )
    return _stream(table.replace_schema_metadata(_metadata(recipe)), "zstd")


def decoded(data: bytes | pa.Buffer, recipe: Recipe) -> Partial:
    """The partial that `encoded` wrote.

    Args:
        data: The bytes.
    """
    try:
        table = pa.ipc.open_stream(data).read_all()
        _check(table.schema.metadata or {}, recipe)
        names, contents = table["name"].to_pylist(), table["data"].to_pylist()
        document: dict[str, Any] = json.loads(contents[0])
        samples = [_sample(part) for name, part in zip(names, contents, strict=True) if name == _SAMPLE]
        counted = [part for name, part in zip(names, contents, strict=True) if name == _COUNTED]
        answered, usable, labelled = (samples[document["samples"][name]] for name in _SAMPLES)
        tallies = {start: _tally(node) for start, node in document["losses"]}
        return Partial(
            start=document["window"][0],
            end=document["window"][1],
            sums=WindowSums(
                answered=AnsweredSums(
                    rows=document["rows"],
                    newest=document["newest"],
                    counts=_profile(document["profile"]),
                    tally=_tally(document["answers"]),
                    sample=answered,
                    usable=usable,
                ),
                labelled=LabelledSums(
                    rows=document["labels"],
                    delays=tuple(document["delays"]),
                    tallies=tallies,
                    whole=sum(tallies.values(), start=Tally()),
                    usable=labelled,
                ),
            ),
            read=_read(document["read"]),
            unknown=_unknown(document["unknown"]),
            counted=tuple(_counted(file, part) for file, part in zip(document["counted"], counted, strict=True)),
        )
    except (pa.ArrowException, ValueError, LookupError, TypeError, OSError) as error:
        raise CannotRun(
            "What a task sent back cannot be read.",
            got=f"{len(data):,} bytes: {(str(error) or type(error).__name__).splitlines()[0]}",
            expected="a partial, whole",
            fix="Run again; if it comes back, look at the memory and the network of the machines that run tasks.",
        ) from error


def _metadata(recipe: Recipe) -> dict[bytes, bytes]:
    return {
        b"name": _NAME,
        b"format": str(FORMAT).encode(),
        b"version": installed_version().encode(),
        b"recipe": recipe.digest.encode(),
        b"edges": recipe.edges_digest.encode(),
    }


def _check(metadata: Mapping[bytes, bytes], recipe: Recipe) -> None:
    """Raises CannotRun for what is no partial of this recipe, of this version."""
    expected, others = _metadata(recipe), {b"format": (str(DRAWN_BY_TIME).encode(),)}
    for key, name in (
        (b"name", "bytes of another kind"),
        (b"format", "another version of the format"),
        (b"version", "another version of pitfalls"),
        (b"edges", "counts on other bins"),
        (b"recipe", "sums by another baseline or other settings"),
    ):
        if metadata.get(key) not in (expected[key], *others.get(key, ())):
            raise CannotRun(
                "A partial is not of these windows' tasks.",
                got=f"{name}: {metadata.get(key, b'none').decode(errors='replace')[:64]}",
                expected=expected[key].decode(),
                fix="Install the same version of pitfalls wherever tasks run, and let one run judge at a time.",
            )


def _stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _sample_bytes(rows: Predictions) -> bytes:
    labels = rows.labels.reshape(len(rows), -1) if len(rows) else rows.labels.reshape(0, 1)
    columns = {
        "prediction_id": rows.ids.cast(pa.string()),
        "event_time": pa.array(rows.event_times),
        "label_time": pa.array(rows.label_times),
        **{f"answer:{place}": pa.array(rows.probabilities[:, place].copy()) for place in _places(rows.probabilities)},
        **{f"label:{place}": pa.array(labels[:, place].copy()) for place in _places(labels)},
        **{f"{_INPUT}{name}": rows.features[name] for name in rows.features.column_names},
    }
    return _stream(pa.table(columns).replace_schema_metadata({b"label": str(rows.labels.ndim).encode()}))


def _places(values: NDArray[Any]) -> range:
    return range(values.shape[1])


def _sample(data: bytes) -> Predictions:
    table = pa.ipc.open_stream(data).read_all().combine_chunks()

    def numbers(prefix: str, kind: type[Any]) -> NDArray[Any]:
        columns = [np.asarray(table[name]) for name in table.column_names if name.startswith(prefix)]
        return np.stack(columns, axis=1).astype(kind) if columns else np.zeros((table.num_rows, 0), dtype=kind)

    labels = numbers("label:", np.int64)
    features = {n.removeprefix(_INPUT): table[n] for n in table.column_names if n.startswith(_INPUT)}
    return Predictions(
        ids=table["prediction_id"].combine_chunks(),
        event_times=np.asarray(table["event_time"]),
        features=pa.table(features),
        probabilities=numbers("answer:", np.float64),
        labels=labels[:, 0] if table.schema.metadata[b"label"] == b"1" else labels,
        label_times=np.asarray(table["label_time"]),
    )


def _counted_bytes(part: CountedRows) -> bytes:
    return _stream(pa.table({"row": pa.array(part.rows), "label": pa.array(part.labels)}))


def _counted(file: str, data: bytes) -> CountedRows:
    table = pa.ipc.open_stream(data).read_all()
    return CountedRows(file=file, rows=table["row"].to_numpy(), labels=table["label"].to_numpy())


def _tally_node(tally: Tally) -> list[Any]:
    """Each sum's name, shape and numbers: Python's own, which have no bound."""
    return [[name, list(counts.shape), counts.reshape(-1).tolist()] for name, counts in tally.counts.items()]


def _tally(node: Sequence[Any]) -> Tally:
    return Tally({name: _whole(values).reshape(shape) for name, shape, values in node})


def _whole(values: Sequence[int]) -> NDArray[np.int64]:
    fits = all(-(2**63) <= value < 2**63 for value in values)
    return np.array(values, dtype=np.int64 if fits else object)


def _profile_node(profile: Profile) -> list[Any]:
    return [
        profile.rows,
        [
            [
                feature.counts,
                feature.missing,
                feature.unseen,
                feature.characters,
                [getattr(feature.moments, field.name) for field in fields(Moments)],
                [
                    feature.others.rows,
                    feature.others.word_counts,
                    feature.others.error,
                    feature.others.hashes,
                    feature.others.examples,
                ],
            ]
            for feature in profile.features
        ],
    ]


def _profile(node: Sequence[Any]) -> Profile:
    rows, features = node
    return Profile(rows=rows, features=tuple(_feature(*feature) for feature in features))


def _feature(
    counts: list[int], missing: int, unseen: int | None, characters: int, moments: list[Any], others: list[Any]
) -> FeatureCounts:
    rows, word_counts, error, hashes, examples = others
    return FeatureCounts(
        tuple(counts),
        missing,
        Moments(**{field.name: value for field, value in zip(fields(Moments), moments, strict=True)}),
        Sketch(
            rows=rows,
            word_counts=tuple((word, count) for word, count in word_counts),
            error=error,
            hashes=tuple(hashes),
            examples=tuple(examples),
        ),
        characters,
        unseen=unseen,
    )


def _read_node(read: ReadSums) -> dict[str, Any]:
    return {
        "rows": read.rows,
        "repeats": read.repeats,
        "unusable": read.unusable,
        "invalid_label_times": read.invalid_label_times,
        "without_answer": [[name, like, rows] for (name, like), rows in read.without_answer.items()],
        "unreadable": dict(read.unreadable),
        "problems": [[name, problem, rows] for (name, problem), rows in read.problems.items()],
        "columns": [finding_node(finding) for finding in read.columns.values()],
    }


def _read(node: dict[str, Any]) -> ReadSums:
    findings = [finding_of(entry) for entry in node.pop("columns")]
    problems = {(name, problem): rows for name, problem, rows in node.pop("problems")}
    without = node.pop("without_answer")  # of partials of before with a sentence in place of the column's name
    absent = {(name, "" if like.startswith("It may be ") else like): rows for name, like, rows in without}
    columns = {(finding.kind, finding.feature): finding for finding in findings}
    return ReadSums(problems=problems, without_answer=absent, columns=columns, **node)


def _unknown_node(unknown: UnknownClassLabels) -> list[Any]:
    return [unknown.labels, sorted(unknown.words), unknown.respelled, sorted(unknown.respelled_words)]


def _unknown(node: Sequence[Any]) -> UnknownClassLabels:
    labels, words, respelled, respelled_words = node
    return UnknownClassLabels(
        labels=labels, words=frozenset(words), respelled=respelled, respelled_words=frozenset(respelled_words)
    )
