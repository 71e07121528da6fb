"""A candidate's process that does harm once it is given rows: ``python bad_candidate.py HARM``."""

from __future__ import annotations

import os
import sys
import time
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from monitoring.rollout.scoring import CandidateAnswers
from serving.shadow.frames import ALONE_KEY, EMPTY_KEY, LENGTH, READY_KEY, framed, scored_table, unframed


def received(source: BinaryIO) -> tuple[pa.Table, bool] | None:
    """The next rows, and whether they are to be answered; None at the end."""
    head = source.read(LENGTH)
    if not head:
        return None
    rows, metadata = unframed(source.read(int.from_bytes(head, "little")))
    return rows, ALONE_KEY in metadata


def answer(harm: str, rows: pa.Table) -> bytes:
    """Answer as a bad candidate does, or never."""
    if harm == "crashes":
        os.abort()
    if harm == "hangs":
        time.sleep(600.0)
    if harm == "eats memory":
        held = [bytearray(os.urandom(1 << 20)) for _ in range(400)]
        time.sleep(600.0 + len(held))
    nothing = np.full((rows.num_rows, 2), np.nan)
    scored = CandidateAnswers(outputs={"probabilities": nothing}, answered=np.ones(rows.num_rows, np.bool_))
    return framed(*scored_table(scored))


def main() -> None:
    sizes = b'{"serving_default": {"probabilities": ["<f4", [2]]}}'
    ready = framed(pa.table({}), {READY_KEY: b"1", EMPTY_KEY: sizes})
    sys.stdout.buffer.write(ready)
    sys.stdout.flush()
    while (asked := received(sys.stdin.buffer)) is not None:
        rows, answers = asked
        sys.stdout.buffer.write(answer(sys.argv[1], rows) if answers else ready)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
