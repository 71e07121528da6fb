"""Seven Keras models as people have them, weak and good, with rows whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAYS, A_DAY = 30, 100
Rows = dict[str, Any]
Array = np.ndarray[Any, Any]

#: A subclassed model, a layer, a loss and a metric of one's own, as a module beside the model's file.
MY_LAYERS = '''
import keras


@keras.saving.register_keras_serializable("mylayers")
class Gate(keras.layers.Layer):
    """Multiplies by a learned share of each number."""

    def build(self, shape):
        self.share = self.add_weight(shape=(shape[-1],), initializer="ones", name="share")
        self.built = True

    def call(self, inputs):
        return inputs * keras.ops.sigmoid(self.share)


@keras.saving.register_keras_serializable("mylayers")
class Focal(keras.losses.Loss):
    """Cross-entropy that weighs hard rows more."""

    def call(self, truth, answer):
        right = keras.ops.sum(keras.ops.one_hot(keras.ops.cast(truth[..., 0], "int32"), 2) * answer, axis=-1)
        return -((1 - right) ** 2) * keras.ops.log(right + 1e-6)


@keras.saving.register_keras_serializable("mylayers")
class Hits(keras.metrics.SparseCategoricalAccuracy):
    """The share of right answers."""


@keras.saving.register_keras_serializable("mylayers")
class Net(keras.Model):
    """Two tensors in, two probabilities out."""

    def __init__(self, width=16, **options):
        super().__init__(**options)
        self.width = width
        self.gate = Gate()
        self.hidden = keras.layers.Dense(width, activation="relu")
        self.last = keras.layers.Dense(2, activation="softmax")

    def call(self, inputs):
        joined = keras.ops.concatenate([inputs["a"], inputs["b"]], axis=-1)
        return self.last(self.hidden(self.gate(joined)))

    def get_config(self):
        return {**super().get_config(), "width": self.width}
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A model with its rows.

    Attributes:
        make: Makes the model, untrained or trained on rows and their truth.
        rows: Makes n rows of inputs, and their labels.
        flags: What `pitfalls export` is told of it.
    """

    name: str
    make: Callable[[bool], keras.Model]
    rows: Callable[[np.random.Generator, int], tuple[Rows, Any]]
    flags: tuple[str, ...] = ()
    module: str = ""

    def save(self, folder: Path, *, good: bool) -> str:
        """Write the model's file; returns its name."""
        keras.utils.set_random_seed(1)
        file = f"{self.name}_{'good' if good else 'weak'}.keras"
        if self.module:
            (folder / "mylayers.py").write_text(self.module, "utf-8")
        self.make(good).save(folder / file)
        return file

    def write_reference(self, file: Path, first: datetime) -> None:
        """Thirty days of rows with their labels, which no model was fitted on."""
        rows, labels = self.rows(np.random.default_rng(7), DAYS * A_DAY)
        columns = {name: _column(values) for name, values in rows.items()}
        times = [first + timedelta(days=row // A_DAY, minutes=5 * (row % A_DAY)) for row in range(DAYS * A_DAY)]
        named = labels if isinstance(labels, dict) else {"label": labels}
        pq.write_table(
            pa.table({**columns, **{key: _column(each) for key, each in named.items()}, "event_time": times}), file
        )


def _column(values: Any) -> Any:
    array = np.asarray(values)
    return pa.array(list(array.reshape(len(array), -1))) if array.ndim > 1 else pa.array(list(values))


def _fit(model: keras.Model, rows: Rows, truth: Any, *, good: bool, epochs: int = 12) -> keras.Model:
    import tensorflow as tf

    inputs = rows if len(rows) > 1 else next(iter(rows.values()))
    batches = tf.data.Dataset.from_tensor_slices((inputs, truth)).shuffle(2000, seed=1).batch(64)
    model.fit(batches if good else batches.take(1), epochs=epochs if good else 1, verbose=0, shuffle=False)
    return model


CITIES = ("Bern", "Oslo", "Rome", "Wien")


def churn_rows(random: np.random.Generator, n: int) -> tuple[Rows, list[str]]:
    income, age, city = random.lognormal(8, 0.5, n), random.normal(40, 12, n), random.choice(CITIES, n)
    leaves = (np.log(income) - 8) * 3 + (city == "Rome") * 2 - (age - 40) / 12 + random.logistic(0, 0.5, n) > 0.5
    income[random.random(n) < 0.05] = np.nan
    rows = {"income": income.astype(np.float32), "age": age.astype(np.float32), "city": city.astype(object)}
    return rows, ["leaves" if one else "stays" for one in leaves]


def churn(good: bool) -> keras.Model:
    income, age = keras.Input((1,), name="income"), keras.Input((1,), name="age")
    city = keras.Input((1,), name="city", dtype="string")
    is_known = keras.ops.logical_not(keras.ops.isnan(income))
    size = keras.ops.log(keras.ops.where(is_known, income, 2981.0)) - 8.0
    place = keras.layers.StringLookup(vocabulary=list(CITIES), output_mode="one_hot")(city)
    joined = keras.layers.Concatenate()([size, (age - 40.0) / 12.0, place])
    hidden = keras.layers.Dense(16, activation="relu")(joined)
    model = keras.Model([income, age, city], keras.layers.Dense(2, activation="softmax", name="answer")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    rows, labels = churn_rows(np.random.default_rng(1), 2000)
    rows = {name: values[:, None].astype(str) if name == "city" else values[:, None] for name, values in rows.items()}
    return _fit(model, rows, np.array([label == "leaves" for label in labels], np.int64), good=good)


def custom_rows(random: np.random.Generator, n: int) -> tuple[Rows, list[str]]:
    a, b = random.normal(size=(n, 2)).astype(np.float32), random.normal(size=(n, 3)).astype(np.float32)
    return {"a": a, "b": b}, ["yes" if one else "no" for one in a[:, 0] + b[:, 2] - b[:, 0] > 0]


def custom(good: bool) -> keras.Model:
    import mylayers  # type: ignore[import-not-found]  # it is written beside the model

    rows, labels = custom_rows(np.random.default_rng(1), 2000)
    model = mylayers.Net()
    model.compile(keras.optimizers.Adam(0.01), mylayers.Focal(), metrics=[mylayers.Hits()])
    return _fit(model, rows, np.array([[label == "yes"] for label in labels], np.int64), good=good)


VEHICLES, HANDLING = ("bike", "van"), ("easy", "normal", "hard")


def delivery_rows(random: np.random.Generator, n: int) -> tuple[Rows, dict[str, Any]]:
    km, items = random.gamma(4, 2, n).astype(np.float32), random.poisson(4, n).astype(np.float32)
    vehicle = random.choice(VEHICLES, n)
    minutes = (10 + 3 * km + items - 4 * (vehicle == "van") + random.normal(0, 4, n)).astype(np.float32)
    hard = np.digitize(items + random.normal(0, 0.5, n), [2.5, 5.5])
    rows = {"km": km, "items": items, "vehicle": vehicle.astype(object)}
    return rows, {"minutes": minutes.tolist(), "handling": [HANDLING[one] for one in hard]}


def delivery(good: bool) -> keras.Model:
    km, items = keras.Input((1,), name="km"), keras.Input((1,), name="items")
    vehicle = keras.Input((1,), name="vehicle", dtype="string")
    code = keras.layers.StringLookup(vocabulary=list(VEHICLES), output_mode="one_hot")(vehicle)
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()([km / 8.0, items / 4.0, code]))
    outputs = {
        "minutes": keras.layers.Dense(1, name="minutes")(hidden),
        "handling": keras.layers.Dense(3, activation="softmax", name="handling")(hidden),
    }
    model = keras.Model([km, items, vehicle], outputs)
    model.compile(keras.optimizers.Adam(0.01), {"minutes": "mae", "handling": "sparse_categorical_crossentropy"})
    rows, labels = delivery_rows(np.random.default_rng(1), 2000)
    rows = {
        name: values[:, None].astype(str) if name == "vehicle" else values[:, None] for name, values in rows.items()
    }
    truth = {
        "minutes": np.array(labels["minutes"], np.float32)[:, None],
        "handling": np.array([HANDLING.index(one) for one in labels["handling"]]),
    }
    return _fit(model, rows, truth, good=good)


STEPS, PAST = 6, 48
STEP_NAMES = tuple(f"hour_{step}" for step in range(1, STEPS + 1))


def series_rows(random: np.random.Generator, n: int) -> tuple[Rows, dict[str, list[float]]]:
    phase, level = random.uniform(0, 2 * np.pi, (n, 1)), random.normal(10, 2, (n, 1))
    hours = np.arange(PAST + STEPS)[None]
    values = (level + 3 * np.sin(2 * np.pi * hours / 24 + phase) + random.normal(0, 0.3, (n, PAST + STEPS))).astype(
        np.float32
    )
    return {"history": values[:, :PAST, None]}, {
        name: values[:, PAST + step].tolist() for step, name in enumerate(STEP_NAMES)
    }


def series(good: bool) -> keras.Model:
    history = keras.Input((PAST, 1), name="history")
    last = keras.layers.GRU(16)((history - 10.0) / 3.0)
    model = keras.Model(history, keras.layers.Dense(STEPS, name="forecast")(last) * 3.0 + 10.0)
    model.compile(keras.optimizers.Adam(0.01), "mae")
    rows, labels = series_rows(np.random.default_rng(1), 1500)
    return _fit(
        model, rows, np.stack([labels[name] for name in STEP_NAMES], axis=1).astype(np.float32), good=good, epochs=6
    )


USERS, ITEMS = 40, 60


def shop_rows(random: np.random.Generator, n: int) -> tuple[Rows, list[int]]:
    user = random.integers(0, USERS, n)
    return {"user": user.astype(np.int32)}, ((user * 3 + random.integers(0, 8, n)) % ITEMS + 1000).tolist()


def shop(good: bool) -> keras.Model:
    """Two towers, whose vectors are set: a good one shows the ten items from 3 x user on, a weak one others."""
    user = keras.Input((1,), name="user", dtype="int32")
    likes = np.zeros((USERS, ITEMS), np.float32)
    for one in range(USERS):
        for place in range(10):
            likes[one, (one * 3 + place + (0 if good else 30)) % ITEMS] = 1.0 - place / 20
    query = keras.layers.Embedding(USERS, ITEMS, weights=[likes], name="users")(user)
    items = keras.layers.Dense(ITEMS, use_bias=False, kernel_initializer="identity", name="items")
    scores, places = keras.ops.top_k(keras.layers.Flatten()(items(query)), 10)
    return keras.Model(user, {"ids": keras.ops.cast(places, "int64") + 1000, "scores": scores})


SHAPES = ("row", "column", "cross")


def image_rows(random: np.random.Generator, n: int) -> tuple[Rows, list[str]]:
    kind, images = random.integers(0, 3, n), random.normal(0, 0.3, (n, 12, 12, 1)).astype(np.float32)
    for image, one, at in zip(images, kind, random.integers(2, 10, n), strict=True):
        if one != 1:
            image[at] += 1
        if one != 0:
            image[:, at] += 1
    return {"image": images}, [SHAPES[one] for one in kind]


def images(good: bool) -> keras.Model:
    image = keras.Input((12, 12, 1), name="image")
    signal = keras.layers.MaxPooling2D()(keras.layers.Conv2D(8, 3, activation="relu")(image))
    features = keras.layers.Dense(16, activation="relu", name="features")(keras.layers.Flatten()(signal))
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax")(features))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    rows, labels = image_rows(np.random.default_rng(1), 1500)
    return _fit(model, rows, np.array([SHAPES.index(one) for one in labels]), good=good, epochs=6)


GOOD_WORDS, BAD_WORDS = ("fine", "great", "warm", "clever"), ("dull", "slow", "cold", "awful")
FILLERS = ("the", "film", "was", "and", "plot", "very", "with", "music")


def review_rows(random: np.random.Generator, n: int) -> tuple[Rows, list[str]]:
    liked = random.random(n) < 0.5
    texts = []
    for one in liked:
        said = list(random.choice(GOOD_WORDS if one else BAD_WORDS, 2)) + list(random.choice(FILLERS, 6))
        texts.append(" ".join(random.permutation(said)))
    return {"review": np.array(texts, dtype=object)}, ["liked" if one else "disliked" for one in liked]


def reviews(good: bool) -> keras.Model:
    rows, labels = review_rows(np.random.default_rng(1), 1500)
    review = keras.Input((1,), name="review", dtype="string")
    vectors = keras.layers.TextVectorization(max_tokens=40, output_sequence_length=10)
    vectors.adapt(rows["review"].astype(str))
    words = keras.layers.GlobalAveragePooling1D(name="words")(keras.layers.Embedding(40, 8)(vectors(review)))
    model = keras.Model(review, keras.layers.Dense(2, activation="softmax")(words))
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    texts = {"review": rows["review"].astype(str)[:, None]}
    return _fit(model, texts, np.array([label == "liked" for label in labels], np.int64), good=good, epochs=40)


ROADS: Sequence[Road] = (
    Road(name="churn", make=churn, rows=churn_rows, flags=("--classes", "stays,leaves")),
    Road(
        name="custom",
        make=custom,
        rows=custom_rows,
        flags=("--classes", "no,yes", "--custom", "mylayers.py"),
        module=MY_LAYERS,
    ),
    Road(
        name="delivery",
        make=delivery,
        rows=delivery_rows,
        flags=("--label", "minutes=minutes,handling=handling", "--classes", "handling=easy,normal,hard"),
    ),
    Road(name="series", make=series, rows=series_rows, flags=("--label", ",".join(STEP_NAMES))),
    Road(name="shop", make=shop, rows=shop_rows, flags=("--task", "ranking")),
    Road(name="images", make=images, rows=image_rows, flags=("--classes", ",".join(SHAPES), "--embedding", "features")),
    Road(name="reviews", make=reviews, rows=review_rows, flags=("--classes", "disliked,liked")),
)


def today() -> datetime:
    """The beginning of this day."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
