"""A config written for a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import ConfigDraft, load_config
from monitoring.errors import CannotRun
from monitoring.jobs.config_file import write_config


def test_a_bundle_may_be_named_from_a_folder_that_is_not_there_yet(deployed: Path) -> None:
    draft = ConfigDraft(bundle="../models/flights", traffic="../traffic", timezone="UTC")
    written = write_config(draft, deployed / "watched")
    assert load_config(written).model.folder.samefile(deployed / "models" / "flights")


def test_a_bundle_that_is_not_there_leaves_no_folder(deployed: Path) -> None:
    draft = ConfigDraft(bundle="../models/none", traffic="../traffic", timezone="UTC")
    with pytest.raises(CannotRun, match="bundle to watch is not there"):
        write_config(draft, deployed / "watched")
    assert not (deployed / "watched").exists()
