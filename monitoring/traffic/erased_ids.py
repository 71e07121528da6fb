"""The prediction ids that were erased from a log, as keyed hashes: what keeps their rows from coming back.

ROOT/erasures/key           32 random bytes, made with the first erasure
ROOT/erasures/NAME.json     the receipt of one erasure; `ids` has the hashes

A segment's rows are compared with them when it is converted, labels before they are appended.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.atomic import write_bytes
from monitoring.errors import CannotRun

FOLDER = "erasures"
SUFFIX = ".json"
_KEY = "key"
_KEY_BYTES = 32
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedIds:
    """Hashes of ids, and the log's key that they were made with.

    >>> erased = ErasedIds(key=b"0" * 32)
    >>> erased = ErasedIds(key=erased.key, hashes=frozenset(erased.hashed(["a:0"])))
    >>> erased.contains(pa.array(["a:0", "a:1"])).tolist()
    [True, False]
    """

    key: bytes = field(repr=False)
    hashes: frozenset[str] = frozenset()

    def hashed(self, texts: list[str]) -> list[str]:
        """Keyed BLAKE2b of each text, 32 hexadecimal digits: only who has the log's key can tell of which text."""
        return [
            hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES, key=self.key).hexdigest()
            for text in texts
        ]

    def contains(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Which ids were erased, bool [n]. Cost: a microsecond an id; nothing where none was erased."""
        if not self.hashes:
            return np.zeros(len(ids), dtype=np.bool_)
        return np.array([digest in self.hashes for digest in self.hashed(ids.to_pylist())], dtype=np.bool_)


def read_erased_ids(root: Path) -> ErasedIds:
    """The ids that were erased from a log, those of erasures that are under way or were interrupted included.

    Returns:
        The ids; none where nothing was erased.
    """
    names = erasure_names(root)
    if not names:
        return ErasedIds(key=b"")
    hashes: set[str] = set()
    path = root / FOLDER / _KEY
    try:
        key = path.read_bytes()
        for name in names:
            path = root / FOLDER / name
            hashes.update(map(str, json.loads(path.read_text("utf-8"))["ids"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRun(
            "The record of erased rows cannot be read.",
            got=f"{path}: {type(error).__name__}",
            expected=f"the key and the receipts in {root / FOLDER}, as they were written",
            fix="Restore that folder from a backup: without it erased rows could come back.",
        ) from error
    return ErasedIds(key=key, hashes=frozenset(hashes))


def erasure_names(root: Path) -> tuple[str, ...]:
    """The names of a log's receipts, sorted. Cost: one listing."""
    folder = root / FOLDER
    return tuple(sorted(path.name for path in folder.glob(f"*{SUFFIX}"))) if folder.is_dir() else ()


def log_key(root: Path) -> bytes:
    """The key of a log's hashes, made where there is none."""
    path = root / FOLDER / _KEY
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        write_bytes(path, secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()
