"""What may not be known is not known: names, features within tf.Examples, keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.log.redaction import Redaction, hashed

KEY = b"a key of the tests, nobody else's"


def redaction(*dropped: str, hashes: tuple[str, ...] = ()) -> Redaction:
    return Redaction(dropped=frozenset(dropped), hashed=frozenset(hashes), key=KEY if hashes else b"")


@given(st.text(), st.text())
def test_equal_values_and_no_others_have_equal_hashes(one: str, other: str) -> None:
    assert (hashed(one, KEY) == hashed(other.encode(), KEY)) == (one == other)
    assert hashed(one, KEY) != hashed(one, KEY[::-1])


def test_a_hashed_tensor_keeps_its_shape_and_a_left_out_one_is_gone() -> None:
    ids = np.array([[7, 8], [7, 9]], np.int64)
    kept = redaction("email", hashes=("user_id",)).apply(
        {"user_id": ids, "email": np.array([b"a@b.c", b"d@e.f"], object), "temp": np.zeros(2, np.float32)}
    )
    assert list(kept) == ["user_id", "temp"]
    assert kept["user_id"].tolist() == [[hashed(7, KEY), hashed(8, KEY)], [hashed(7, KEY), hashed(b"9", KEY)]]
    assert "nobody" not in repr(redaction(hashes=("user_id",)))


def example(**features: Any) -> bytes:
    from tensorflow.core.example import example_pb2

    message = example_pb2.Example()
    for name, value in features.items():
        if isinstance(value, bytes):
            message.features.feature[name].bytes_list.value.append(value)
        elif isinstance(value, int):
            message.features.feature[name].int64_list.value.append(value)
        else:
            message.features.feature[name].float_list.value.append(value)
    serialised: bytes = message.SerializeToString(deterministic=True)
    return serialised


def test_features_within_serialised_examples_are_found_whatever_tensor_holds_them() -> None:
    given_ = np.array([example(email=b"ada@example.org", user_id=7, temp=3.0), example(temp=4.0)], object)
    kept = redaction("email", hashes=("user_id",)).apply({"examples": given_})["examples"]
    assert kept.tolist() == [example(user_id=hashed(7, KEY), temp=3.0), example(temp=4.0)]
    one_tensor = redaction("examples.email").apply({"examples": given_, "others": given_})
    assert b"ada@" not in one_tensor["examples"][0]
    assert one_tensor["others"].tolist() == given_.tolist()


def test_sequence_examples_too() -> None:
    from tensorflow.core.example import example_pb2

    message = example_pb2.SequenceExample()
    message.context.feature["email"].bytes_list.value.append(b"ada@example.org")
    message.feature_lists.feature_list["user_id"].feature.add().int64_list.value.append(7)
    [kept] = (
        redaction("email", hashes=("user_id",)).apply({"x": np.array([message.SerializeToString()], object)}).values()
    )
    message.ParseFromString(kept[0])
    assert not message.context.feature
    assert message.feature_lists.feature_list["user_id"].feature[0].bytes_list.value == [hashed(7, KEY)]


@pytest.mark.parametrize("value", [b"", b"email", b"my email is \xff", "email", b"\n\x05email"])
def test_bytes_that_are_no_example_stay_as_they_are(value: object) -> None:
    tensor = np.array([value], object)
    assert redaction("email").apply({"text": tensor})["text"].tolist() == [value]


def test_names_that_name_no_tensor_are_told() -> None:
    assert redaction("emial", hashes=("user_id",)).unmatched(["email", "user_id"]) == ("emial",)


def test_a_column_has_one_fate_and_a_hash_has_a_key() -> None:
    with pytest.raises(BadInput, match=r"both dropped and hashed.*email"):
        redaction("email", hashes=("email",))
    with pytest.raises(BadInput, match=r"needs a key.*none"):
        Redaction(hashed=frozenset({"email"}))
    with pytest.raises(BadInput, match="5 bytes"):
        Redaction(hashed=frozenset({"email"}), key=b"short")
