"""TensorFlow Serving's flags for features that do not exist here."""

from __future__ import annotations

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.unsupported_flags import IGNORED, REFUSED, check_unsupported


@pytest.mark.parametrize("name", REFUSED)
def test_a_missing_feature_is_refused_with_its_reason(name: str) -> None:
    reason, fix = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        check_unsupported({name: "true"})
    assert reason in str(caught.value)
    assert fix in str(caught.value)
    assert check_unsupported({name: "false"}) == ()


def test_a_tuning_flag_is_accepted_with_a_line() -> None:
    assert len(check_unsupported(dict.fromkeys(IGNORED, "1"))) == len(IGNORED)
