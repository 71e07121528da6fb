"""Groups of rows of the traffic as a page shows them: their images, their texts, and a table of everything else."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from monitoring.baseline.predictions import Predictions
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.inspection.incident_rows import ExampleRows, ReadableRows
from monitoring.reports.sections.formatting import format_moment
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.timestamps import as_datetime
from monitoring.traffic.cells import is_list
from monitoring.traffic.descriptors.encoded_image import opened, small_pixels
from monitoring.watches.descriptions import NOTHING, format_value, printable

#: The longest side of a thumbnail in pixels: the first with which all of them together are small enough.
SIDES = (128, 96, 64, 48, 32)

#: All thumbnails of a page together, in bytes.
MOST_BYTES = 150_000

#: Ranges of values that models take; others are stretched from the least to the largest value of all images.
_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


def thumbnails(images: Sequence[NDArray[Any]]) -> tuple[bytes, ...]:
    r"""Images as PNG files, all on one scale of brightness, so that they can be compared.

    Returns:
        One file for each, with `SIDES[0]` pixels at most on a side, and together `MOST_BYTES` unless the smallest of
        `SIDES` is still too large.

    >>> thumbnails([np.zeros((8, 8, 1))])[0][:4]
    b'\x89PNG'
    """
    scale = _range(images)
    pixels = [_pixels(image, *scale) for image in images]
    pngs: tuple[bytes, ...] = ()
    for side in SIDES:
        pngs = tuple(_png(picture, side) for picture in pixels)
        if sum(map(len, pngs)) <= MOST_BYTES:
            break
    return pngs


def _range(images: Sequence[NDArray[Any]]) -> tuple[float, float]:
    finite = [image[np.isfinite(image)] for image in images]
    ends = [(float(values.min()), float(values.max())) for values in finite if values.size]
    if not ends:
        return 0.0, 1.0
    low, high = min(lower for lower, _ in ends), max(upper for _, upper in ends)
    fitting = ((first, last) for first, last in _RANGES if first <= low and high <= last)
    return next(fitting, (low, high))


def _pixels(image: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    values = (np.nan_to_num(image.astype(np.float64), nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-300)
    return np.asarray(np.rint(255.0 * np.clip(values, 0.0, 1.0)), dtype=np.uint8)


def _png(pixels: NDArray[np.uint8], side: int) -> bytes:
    """The pixels in a file; of large images only some."""
    step = max(1, math.ceil(max(pixels.shape[:2]) / side))
    some = np.ascontiguousarray(pixels[::step, ::step])
    file = io.BytesIO()
    Image.fromarray(some[:, :, 0] if some.shape[2] == 1 else some).save(file, format="PNG", optimize=True)
    return file.getvalue()


#: What is said of rows of a ranking whose ids are known by their hashes alone.
_HASHED = "Ids of the form #1a2b3c are parts of hashes: a baseline keeps no ids but those that often stand first."

#: Characters of an id that stand on one line.
SHORT_ID = 16

#: Characters of a text that are shown.
LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of a row: its address, which holds the file itself, and what it is of."""

    address: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A text of a row, and what it is of."""

    text: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsGroup:
    """Some rows: their images, their texts, and a table of everything else."""

    title: str
    note: str
    pictures: tuple[Picture, ...]
    quotes: tuple[Quote, ...]
    table: TableView | None


def rows_groups(
    named: Sequence[tuple[str, str, ExampleRows]],
    readable_rows: ReadableRows,
    inputs: Sequence[str],
    zone: ZoneInfo,
    scored_by: str = "",
) -> tuple[RowsGroup, ...]:
    """Groups of rows, with images on one scale."""
    pictures = _pictures([examples for *_, examples in named], readable_rows)
    return tuple(
        RowsGroup(
            title=title,
            note=" ".join(filter(None, (examples.note, _undecodable(examples)))),
            pictures=some,
            quotes=_quotes(examples, readable_rows),
            table=_table((name, title), examples, readable_rows, inputs, (zone, scored_by))
            if len(examples.rows)
            else None,
        )
        for (name, title, examples), some in zip(named, pictures, strict=True)
    )


def _words(examples: ExampleRows, readable_rows: ReadableRows) -> list[str]:
    """Of each row what it was answered, and its label."""
    task = readable_rows.spec.task
    answers = answer_words(task, examples.rows.probabilities, examples.ids)
    labels = label_words(task, examples.rows.labels, examples.ids)
    if examples.others is not None:
        others = answer_words(task, examples.others, examples.ids)
        answers = tuple(f"{answer}; the other {other}" for answer, other in zip(answers, others, strict=True))
    return [f"{answer}; label {label}" for answer, label in zip(answers, labels, strict=True)]


def _quotes(examples: ExampleRows, readable_rows: ReadableRows) -> tuple[Quote, ...]:
    """The texts of rows; an input that is absent is one of `problems`, and has none."""
    words = _words(examples, readable_rows)
    there = set(examples.rows.features.column_names)
    return tuple(
        Quote(text=printable(text, LONGEST_TEXT), words=f"{printable(name)}: {words[place]}")
        for name in readable_rows.texts
        if name in there
        for place, text in enumerate(examples.rows.features[name].to_pylist())
        if text is not None
    )


def _pictures(groups: Iterable[ExampleRows], readable_rows: ReadableRows) -> list[tuple[Picture, ...]]:
    """The images of each group; those of numbers are all on one scale, and so are those of files."""
    numbers = [
        [
            (image, f"{printable(name)}: {words}")
            for name, shape in readable_rows.images.items()
            for image, words in zip(
                _images(group.rows.features, name, shape), _words(group, readable_rows), strict=False
            )
            if image is not None
        ]
        for group in groups
    ]
    files = [
        [
            (image, f"{printable(name)}: {words}")
            for name, cells in group.files.items()
            for image, words in zip(map(_decoded, cells), _words(group, readable_rows), strict=True)
            if image is not None
        ]
        for group in groups
    ]
    return [(*some, *others) for some, others in zip(_thumbnails(numbers), _thumbnails(files), strict=True)]


def row_pictures(row: Predictions, readable_rows: ReadableRows) -> tuple[tuple[str, Picture], ...]:
    """The images of one row that are numbers, with the names of their columns; what they are of is not said."""
    found = [
        (name, image)
        for name, shape in readable_rows.images.items()
        for image in _images(row.features, name, shape)
        if image is not None
    ]
    (pictures,) = _thumbnails([[(image, "") for _, image in found]])
    return tuple(zip((name for name, _ in found), pictures, strict=True))


def _thumbnails(groups: Sequence[Sequence[tuple[NDArray[Any], str]]]) -> list[tuple[Picture, ...]]:
    """Images with their words, small and on one scale."""
    files = iter(thumbnails([image for some in groups for image, _ in some]))
    return [
        tuple(
            Picture(address=f"data:image/png;base64,{b64encode(next(files)).decode()}", words=words)
            for _, words in some
        )
        for some in groups
    ]


def _decoded(cell: bytes | None) -> NDArray[Any] | None:
    """The pixels of a file, made small; None where it cannot be decoded."""
    image = None if cell is None else opened(cell, side=SIDES[0])
    return None if image is None else small_pixels(image[0], SIDES[0])


def _undecodable(examples: ExampleRows) -> str:
    """How many of the files of rows show nothing; empty where all do."""
    cells = [cell for some in examples.files.values() for cell in some if cell is not None]
    bad = sum(_decoded(cell) is None for cell in cells)
    return f"{bad} of {len(cells)} images cannot be decoded." if bad else ""


def _images(rows: pa.Table, name: str, shape: tuple[int, int, int]) -> list[NDArray[Any] | None]:
    """The images of a column, [height, width, channels]; None for one of another size."""
    if name not in rows.column_names:
        return []
    images: list[NDArray[Any] | None] = []
    for scalar in rows[name].combine_chunks():
        leaves = scalar.values if scalar.is_valid and is_list(scalar.type) else None
        while leaves is not None and is_list(leaves.type):
            leaves = leaves.flatten()
        numbers = np.zeros(0) if leaves is None else np.asarray(leaves.cast(pa.float64(), safe=False), dtype=np.float64)
        images.append(numbers.reshape(shape) if numbers.size == np.prod(shape) else None)
    return images


def _table(
    named: tuple[str, str],
    examples: ExampleRows,
    readable_rows: ReadableRows,
    inputs: Sequence[str],
    shown: tuple[ZoneInfo, str],
) -> TableView:
    (name, title), rows = named, examples.rows
    texts = tuple(column for column in readable_rows.texts if column in rows.features.column_names)
    columns = {
        column: rows.features[column].to_pylist()
        for column in (*inputs, *texts)
        if column in rows.features.column_names
    }
    fixed = _fixed(examples, readable_rows, *shown)
    absent = [
        column for column in readable_rows.images if column not in rows.features.column_names and name != "baseline"
    ]
    absent += [column for column, cells in examples.files.items() if not any(cells)]
    missing = [printable(column) for column in (*(column for column, _ in rows.problems), *absent)]
    total = len(readable_rows.spec.features) - len(readable_rows.texts)
    notes = [
        f"{len(inputs)} of {total:,} inputs; the CSV file has all." if len(inputs) < total else "",
        _HASHED if readable_rows.spec.task.answers_are_hashes and not examples.ids and len(rows) else "",
        f"Not in these rows, as they are redacted or absent: {', '.join(missing)}." if missing else "",
    ]
    return TableView(
        name=name,
        title=title,
        columns=(*fixed, *(printable(column) for column in columns)),
        rows=tuple(
            (
                *(column[place] for column in fixed.values()),
                *(_cell(values[place], text=column in texts) for column, values in columns.items()),
            )
            for place in range(len(rows))
        ),
        numeric=frozenset(_numeric(list(fixed), list(columns), texts, readable_rows)),
        note=" ".join(filter(None, notes)),
    )


def _numeric(fixed: list[str], inputs: list[str], texts: tuple[str, ...], readable_rows: ReadableRows) -> list[int]:
    """The places of the columns of numbers: that of the score, and those of inputs that are numbers."""
    numbers = (column not in texts and readable_rows.spec.feature(column).kind == "number" for column in inputs)
    return [place for place, yes in enumerate((*(title == "Score" for title in fixed), *numbers)) if yes]


def _fixed(examples: ExampleRows, readable_rows: ReadableRows, zone: ZoneInfo, scored_by: str) -> dict[str, list[Cell]]:
    """The columns that are no inputs."""
    rows, task = examples.rows, readable_rows.spec.task
    times = [as_datetime(time) for time in rows.event_times.tolist()]
    columns = {
        "Prediction": [
            cell(printable(prediction_id), prediction_id, style="id" if len(prediction_id) > SHORT_ID else "when")
            for prediction_id in rows.ids.to_pylist()
        ],
        "Event time": [cell(format_moment(time, zone), time, style="when") for time in times],
        "Answer": [cell(answer, style="when") for answer in answer_words(task, rows.probabilities, examples.ids)],
    }
    if examples.others is not None:
        words = answer_words(task, examples.others, examples.ids)
        columns["The other's answer"] = [cell(answer, style="when") for answer in words]
    columns["Label"] = [cell(label, style="when") for label in label_words(task, rows.labels, examples.ids)]
    if examples.scores:
        columns["Score"] = [cell(format_value(scored_by, score), score) for score in examples.scores]
    return columns


def _cell(value: float | str | None, *, text: bool) -> Cell:
    shown = value_words(value)
    cell_value = value if isinstance(value, str) or value == value else None  # noqa: PLR0124 - NaN alone differs from itself
    return Cell(text=printable(shown, 60) if text else shown, value=cell_value, style="text" if text else "")


#: Numbers of an answer that are shown.
_NUMBERS = 4

NO_IDS: Mapping[int, str] = MappingProxyType({})

#: Characters of the hash by which an id is shown.
_HASH = 6


def answer_words(task: Task, answers: Floats, ids: Mapping[int, str] = NO_IDS) -> tuple[str, ...]:
    """What each row was answered; of one class a row with its probability. Returns [n].

    >>> from monitoring.tasks.classification import Classification
    >>> answer_words(Classification(classes=("on_time", "late")), np.array([[0.25, 0.75]]))
    ('late, 0.75',)
    """
    usable = np.asarray(np.isfinite(answers).all(axis=1), dtype=np.bool_)
    words = iter(_words_of(task.read_answers(answers[usable]), task, ids))
    texts = [next(words) if is_usable else "invalid" for is_usable in usable.tolist()]
    if task.exclusive:
        texts = [
            f"{text}, {probability:.2g}" if fine else text
            for text, probability, fine in zip(texts, answers.max(axis=1).tolist(), usable.tolist(), strict=True)
        ]
    return tuple(texts)


def label_words(task: Task, labels: Whole, ids: Mapping[int, str] = NO_IDS) -> tuple[str, ...]:
    """The label of each row. Returns [n]; a dash where there is none."""
    is_labelled = has_label(labels) if task.metrics else np.zeros(len(labels), dtype=np.bool_)
    unknown = is_labelled & task.unknown(labels) if task.metrics else is_labelled
    words = iter(_words_of(task.read_labels(labels[is_labelled & ~unknown]), task, ids))
    return tuple(
        (("unknown class" if odd else next(words)) if has else NOTHING)
        for has, odd in zip(is_labelled.tolist(), unknown.tolist(), strict=True)
    )


def value_words(value: float | str | None) -> str:
    """A value of an input. Returns six digits of a number; a dash for what is missing.

    >>> value_words(1234.5678), value_words("EWR")
    ('1,234.57', 'EWR')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    return printable(value) if isinstance(value, str) else f"{value:,.6g}"


def _id_words(codes: Sequence[int], task: Ranking, ids: Mapping[int, str]) -> list[str]:
    """The ids of an answer or a label, by name as far as it is known, the others by a part of their hash."""
    names = {**dict(task.first), **ids}
    return [names.get(code, f"#{code % 16**_HASH:0{_HASH}x}") for code in codes if code > 0]


def _words_of(values: NDArray[Any], task: Task, ids: Mapping[int, str]) -> list[str]:
    """Answers or labels as `Task.read_answers` gives them."""
    if not len(values):
        return []
    ranking = ranking_of(task)
    if ranking is not None:
        return [printable(", ".join(_id_words(row, ranking, ids))) for row in values.tolist()]
    if values.dtype.kind == "b":
        named = [[name for name, has in zip(task.classes, row, strict=True) if has] for row in values.tolist()]
        return [printable(", ".join(names)) or "none" for names in named]
    if values.dtype.kind == "f":
        rows = values.reshape(len(values), -1)
        more = f" and {rows.shape[1] - _NUMBERS} more" if rows.shape[1] > _NUMBERS else ""
        return [", ".join(f"{number:,.4g}" for number in row[:_NUMBERS]) + more for row in rows.tolist()]
    return [printable(str(value)) for value in values.tolist()]
