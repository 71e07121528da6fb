"""Redaction: what is dropped from answered rows, or replaced by a keyed hash, before anything is logged.

A name selects the tensor of that name, input or output, and the feature of that name inside a serialised tf.Example or
tf.SequenceExample, in any tensor. `examples.email` selects the feature in one tensor alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monitoring.errors import BadInput

KEY_BYTES = 16  # a shorter key could be found by trying all
DIGEST_BYTES = 16

Array = np.ndarray[Any, Any]


def hashed(value: object, key: bytes) -> bytes:
    """Keyed BLAKE2b of a value.

    Equal values have equal hashes, and only who has the key can compute them. A number is hashed as its text, so that
    7 and "7" have one hash.

    Source: RFC 7693, section 2.9 (keyed hashing).

    >>> hashed(7, b"0123456789abcdef") == hashed(b"7", b"0123456789abcdef")
    True
    >>> len(hashed("ada@example.org", b"0123456789abcdef"))
    32

    Args:
        key: 16 to 64 bytes.
    """
    if isinstance(value, str):
        value = value.encode()
    plain = value if isinstance(value, bytes) else repr(value).encode()
    return hashlib.blake2b(plain, digest_size=DIGEST_BYTES, key=key).hexdigest().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Which tensors and features are dropped, and which are hashed with `key` (16 to 64 bytes)."""

    dropped: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    key: bytes = field(default=b"", repr=False)
    _needles: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        both = sorted(self.dropped & self.hashed)
        if both:
            raise BadInput(
                "A column cannot be both dropped and hashed.",
                got=", ".join(both),
                expected="one of the two",
                fix="Name it once.",
            )
        if self.hashed and not KEY_BYTES <= len(self.key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise BadInput(
                "Hashing needs a key.",
                got=f"{len(self.key)} bytes" if self.key else "none",
                expected=f"{KEY_BYTES} to {hashlib.blake2b.MAX_KEY_SIZE} bytes that nobody can guess",
                fix="Make one with `openssl rand -hex 32` and keep it as a secret.",
            )
        names = {name.rpartition(".")[2].encode() for name in self.dropped | self.hashed}
        object.__setattr__(self, "_needles", tuple(sorted(names | {n.encode() for n in self.dropped | self.hashed})))

    def apply(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """The tensors as they may be logged. A hashed tensor keeps its shape; its elements become strings.

        >>> redaction = Redaction(dropped=frozenset({"email"}))
        >>> redaction.apply({"email": np.array([b"ada@example.org"], object), "temp": np.array([3.0])})
        {'temp': array([3.])}

        Returns:
            The same without the dropped ones; tensors without redacted values are not copied.
        """
        result: dict[str, Array] = {}
        for name, tensor in tensors.items():
            if name in self.dropped:
                continue
            if name in self.hashed:
                result[name] = _each(tensor, lambda value: hashed(value, self.key))
            elif tensor.dtype.kind in "OS":
                result[name] = self._inside(name, tensor)
            else:
                result[name] = tensor
        return result

    def text(self, name: str, value: str) -> str:
        """A text as it may be logged under a name: itself, its hash, or, where it is dropped or empty, nothing."""
        if name in self.dropped or not value:
            return ""
        return hashed(value, self.key).decode() if name in self.hashed else value

    def unmatched(self, names: Iterable[str]) -> tuple[str, ...]:
        """The redacted names that are not among the tensor names given: features of tf.Examples, or misspelt."""
        there = set(names)
        return tuple(sorted(name for name in self.dropped | self.hashed if name not in there))

    def _inside(self, tensor_name: str, tensor: Array) -> Array:
        """A tensor of bytes, without the redacted features of the tf.Examples in it."""
        values = tensor.reshape(-1).tolist()
        if not any(needle in value for value in values if isinstance(value, bytes) for needle in self._needles):
            return tensor
        return _each(tensor, lambda value: self._stripped(tensor_name, value))

    def _stripped(self, tensor_name: str, value: object) -> object:
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - needed only where something is redacted
        from tensorflow.core.example import example_pb2  # noqa: PLC0415 - imports TensorFlow, which a server has loaded

        if not isinstance(value, bytes) or not any(needle in value for needle in self._needles):
            return value
        # An Example's features stand where a SequenceExample has its context, so that one parser reads both.
        message = example_pb2.SequenceExample()
        try:
            message.ParseFromString(value)
        except DecodeError:
            return value
        changed = self._strip_map(tensor_name, message.context.feature, self._hash_feature)
        changed |= self._strip_map(tensor_name, message.feature_lists.feature_list, self._hash_list)
        return message.SerializeToString(deterministic=True) if changed else value

    def _strip_map(self, tensor_name: str, features: Any, hash_one: Callable[[Any], None]) -> bool:
        changed = False
        for name in list(features):
            both = {name, f"{tensor_name}.{name}"}
            if both & self.dropped:
                del features[name]
                changed = True
            elif both & self.hashed:
                hash_one(features[name])
                changed = True
        return changed

    def _hash_feature(self, feature: Any) -> None:
        kind = feature.WhichOneof("kind")
        values = [] if kind is None else list(getattr(feature, kind).value)
        feature.bytes_list.value[:] = [hashed(value, self.key) for value in values]

    def _hash_list(self, features: Any) -> None:
        for feature in features.feature:
            self._hash_feature(feature)


def _each(tensor: Array, change: Callable[[object], object]) -> Array:
    changed = np.empty(tensor.size, object)
    changed[:] = [change(value) for value in tensor.reshape(-1).tolist()]
    return changed.reshape(tensor.shape)
