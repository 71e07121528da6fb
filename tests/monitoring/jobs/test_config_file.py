"""A config written for a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import ConfigDraft, load_config
from monitoring.errors import CannotRun
from monitoring.jobs.config_file import write_config


def test_a_bundle_may_be_named_from_a_folder_that_is_not_there_yet(deployed: Path) -> None:
    draft = ConfigDraft(bundle="../models/flights", traffic="../traffic", timezone="UTC")
    written = write_config(draft, deployed / "watched")
    assert load_config(written.config).model.folder.samefile(deployed / "models" / "flights")


def test_what_a_bundles_baseline_cannot_carry_is_said(deployed: Path) -> None:
    draft = ConfigDraft(bundle="../models/flights", traffic="../traffic", timezone="UTC", slices=("origin",))
    notes = write_config(draft, deployed / "watched").notes
    assert any("less than a year: it cannot tell a season from drift" in note for note in notes)
    few = write_config(replace(draft, every="7d"), deployed / "weekly").notes
    assert any("windows are few" in note for note in few)


def test_a_bundle_that_is_not_there_leaves_no_folder(deployed: Path) -> None:
    draft = ConfigDraft(bundle="../models/none", traffic="../traffic", timezone="UTC")
    with pytest.raises(CannotRun, match="bundle to watch is not there"):
        write_config(draft, deployed / "watched")
    assert not (deployed / "watched").exists()
