"""Regular nested lists of numbers, for property tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 1e-320, 255, 256]),
)


@st.composite
def regular(draw: st.DrawFn) -> Any:
    """Nested lists of one shape."""
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    flat = draw(st.lists(NUMBERS, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    value: list[Any] = flat
    for size in reversed(shape[1:]):
        value = [value[at : at + size] for at in range(0, len(value), size)]
    return value
