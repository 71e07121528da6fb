from __future__ import annotations

import pytest

from monitoring.errors import CannotRun
from monitoring.onboarding.rebaseline import OneAtATime


def test_a_change_is_refused_while_another_is_made_and_not_after_one_that_failed() -> None:
    changes = OneAtATime()
    with changes.change(), pytest.raises(CannotRun, match="Another new baseline is being made"), changes.change():
        pass
    with pytest.raises(OSError, match="full"), changes.change():
        raise OSError("full")
    with changes.change():
        pass
