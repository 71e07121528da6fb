"""Bodies are parsed by the fast parsers where they can be, and by the exact one where not."""

from __future__ import annotations

import pytest

from serving.status import Failure
from serving.transport.json_parsing import parse_object


def test_a_body_with_nan_takes_the_standard_librarys_road_and_keeps_its_rules() -> None:
    assert parse_object(b'{"instances": [NaN, 1]}')["instances"][1] == 1
    with pytest.raises(Failure, match="Number too big"):
        parse_object(b'{"instances": [NaN, 1e400]}')
    with pytest.raises(Failure, match="surrogate pair"):
        parse_object(b'{"instances": [NaN, "\\ud800"]}')


def test_a_large_broken_body_is_refused_without_the_slow_parser() -> None:
    with pytest.raises(Failure, match="JSON Parse error: Invalid value"):
        parse_object(b'{"instances": [' + b"1," * (3 << 20) + b"]}")


def test_the_top_must_be_an_object() -> None:
    with pytest.raises(Failure) as caught:
        parse_object(b"[1.5]")
    assert caught.value.message == "JSON Value: [\n    1.5\n] Is not object"
