"""Small damages to values and bytes, drawn from a seeded generator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

STRANGE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31 - 1,
    2**31,
    2**32,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    -(2**63) - 1,
    1.5,
    -0.0,
    1e-320,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    "a",
    "\x00",
    "é\U0001f600",
    "\ud800",
    "a" * 300,
    [],
    [[]],
    [[], [[]]],
    {},
    {"b64": "YQ=="},
    {"b64": "?"},
    {"b64": "YQ==", "x": 1},
    {"": 1},
]
STRANGE_BYTES = [b"\x00", b"\xff", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u", b"\\ud800", b",", b":", b"\r\n", b"\n"]
STRANGE_BYTES += [b"NaN", b"-Infinity", b"1e999", b"1e-999", b"-", b"0" * 40, b"9" * 400, b"null", b"true", b" " * 50]
STRANGE_BYTES += [b"[" * 200, b'{"a":' * 50, b"\xed\xa0\x80", b"\x80" * 9 + b"\x01", b"\x7f\xff\xff\xff"]


def damage_value(random: Random, value: Any, *, chance: float = 0.15) -> Any:
    """The value with some of its parts replaced, dropped, doubled, wrapped or renamed."""
    if random.random() < chance:
        return _replaced(random, value)
    if isinstance(value, list):
        damaged = [damage_value(random, one, chance=chance) for one in value]
        if damaged and random.random() < chance:
            damaged.insert(random.randrange(len(damaged) + 1), random.choice(damaged))
        if damaged and random.random() < chance:
            del damaged[random.randrange(len(damaged))]
        return damaged
    if isinstance(value, dict):
        members = {}
        for name, one in value.items():
            fate = random.random()
            if fate > chance / 3:
                renamed = random.choice(["", "x", "b64", name + "x", name.upper()]) if fate < chance / 2 else name
                members[renamed] = damage_value(random, one, chance=chance)
        return members
    return value


def _replaced(random: Random, value: Any) -> Any:
    kind = random.randrange(5)
    if kind == 0:
        return [value]
    if kind == 1 and isinstance(value, list) and value:
        return value[0]
    return deep(random, value) if kind == 2 else random.choice(STRANGE)


def deep(random: Random, value: Any) -> Any:
    """The value at the bottom of a well."""
    for _ in range(random.choice([2, 33, 70, 300])):
        value = {"a": value} if random.random() < 0.1 else [value]
    return value


def write(value: Any) -> bytes:
    """JSON, with the words for numbers that are not finite, and halves of surrogate pairs as escapes."""
    return json.dumps(value).encode()


def damage_bytes(random: Random, data: bytes) -> bytes:
    """The bytes with a few of them flipped, cut out, doubled, or strange ones put in."""
    damaged = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        at = random.randrange(len(damaged) + 1)
        kind = random.randrange(6)
        if kind == 0 and at < len(damaged):
            damaged[at] ^= 1 << random.randrange(8)
        elif kind == 1 and at < len(damaged):
            damaged[at] = random.randrange(256)
        elif kind == 2:
            del damaged[at : at + random.choice([1, 1, 2, 8])]
        elif kind == 3:
            damaged[at:at] = random.choice(STRANGE_BYTES)
        elif kind == 4:
            damaged[at:at] = damaged[at : at + random.randrange(20)]
        else:
            del damaged[at:]
    return bytes(damaged)
