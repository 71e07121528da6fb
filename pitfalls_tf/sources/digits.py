"""Digits from three sources: handwritten (MNIST), handwritten and scanned otherwise (UCI), and printed in fonts.

Data and licences: `pitfalls_tf/data/PROVENANCE.md`.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

import numpy as np

from pitfalls_tf.rows.examples import Examples

NAME: Final = "digits"
CLASSES: Final = tuple("0123456789")
DOMAINS: Final = ("mnist", "uci", "font")
SIDE: Final = 28


def load() -> Examples:
    """Load all images, domain after domain, each in the order of its file.

    Returns:
        8,177 examples with inputs float32 [n, 28, 28, 1], ink 1 on paper 0. The images have no dates: every time is
        NaT, and the order of rows has nothing to do with time.

    Cost: about 0.2 s and 25 MB.

    >>> digits = load()
    >>> digits.inputs.shape, digits.domain("uci").inputs.shape, float(digits.inputs.max())
    ((8177, 28, 28, 1), (1797, 28, 28, 1), 1.0)
    """
    with (
        as_file(files("pitfalls_tf.data") / "digits_3domains_28px.npz") as path,
        np.load(path, allow_pickle=False) as held,
    ):
        images = [held[f"{domain}_X"] for domain in DOMAINS]
        targets = [held[f"{domain}_y"].astype(np.int64) for domain in DOMAINS]
    counts = [len(part) for part in targets]
    grey = np.concatenate(images).astype(np.float32) / np.float32(255)
    return Examples(
        inputs=grey.reshape(-1, SIDE, SIDE, 1),
        targets=np.concatenate(targets),
        domains=np.repeat(np.array(DOMAINS), counts),
        times=np.full(sum(counts), "NaT", dtype="datetime64[us]"),
        classes=CLASSES,
    )
