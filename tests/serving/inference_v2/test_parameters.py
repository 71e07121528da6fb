"""Parameters of requests: what is read, what is ignored, and what is refused."""

from __future__ import annotations

import pytest

from serving.inference_v2.parameters import (
    check_id,
    check_parameters,
    read_flag,
    read_signature_name,
    read_text,
    read_timeout_s,
)
from serving.status import InvalidArgument


def test_unknown_parameters_are_ignored_and_extensions_refused() -> None:
    check_parameters({"priority": 3}, "the request")
    with pytest.raises(InvalidArgument, match=r'output "y": The classification extension \(classification\)'):
        check_parameters({"classification": 2}, 'output "y"')


def test_what_is_not_there_has_a_default() -> None:
    assert (read_signature_name({}), read_timeout_s({}), read_flag({}, "a"), read_text({}, "a")) == (
        "serving_default",
        None,
        None,
        "",
    )


@pytest.mark.parametrize("value", [True, 1.5, -1, 2**63, "1"])
def test_a_timeout_is_a_number_of_microseconds(value: object) -> None:
    with pytest.raises(InvalidArgument, match="microseconds"):
        read_timeout_s({"timeout": value})


def test_an_id_can_be_logged() -> None:
    assert check_id("a:1") == "a:1"
    for text in ("two words", "é", "a" * 129):
        with pytest.raises(InvalidArgument, match="visible ASCII"):
            check_id(text)
