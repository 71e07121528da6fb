"""A config written for a bundle."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.config import load_config
from monitoring.errors import CannotRun
from monitoring.onboarding.config_file import as_written, write_config
from tests.small_deployment import FIRST, SPEC, Days, table_of

BUNDLE = {"model": {"bundle": "../models/flights"}, "traffic": {"path": "../traffic"}}


def test_a_bundle_may_be_named_from_a_folder_that_is_not_there_yet(deployed: Path) -> None:
    written = write_config(BUNDLE, deployed / "watched")
    assert load_config(written.config).model.folder.samefile(deployed / "models" / "flights")


def test_what_a_bundles_baseline_cannot_carry_is_said(deployed: Path) -> None:
    draft = {**BUNDLE, "traffic": {"path": "../traffic", "slices": ("origin",)}}
    notes = write_config(draft, deployed / "watched").notes
    assert any("less than a year: it cannot tell a season from drift" in note for note in notes)
    few = write_config({**draft, "windows": {"every": "7d"}}, deployed / "weekly").notes
    assert any("windows are few" in note for note in few)


def test_windows_and_label_horizon_are_those_of_the_bundles_reference(tmp_path: Path) -> None:
    extras = tmp_path / "models" / "flights" / "1" / "assets.extra"
    thin = table_of(Days(days=9, start=FIRST, seed=1))
    month = pc.add(thin["event_time"], pa.scalar(timedelta(days=30), pa.duration("us")))
    delayed = thin.set_column(thin.column_names.index("label_time"), "label_time", month)
    write_baseline(delayed, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(thin.select(["temp", "origin", "label"]), label="label"), extras / "schema.pbtxt")
    windows = load_config(write_config(BUNDLE, tmp_path / "watched").config).windows
    assert (windows.min_rows, windows.label_horizon) == (thin.num_rows // 20, timedelta(days=45))
    own = {**BUNDLE, "windows": {"min_rows": 50, "label_horizon": "60d"}}
    windows = load_config(write_config(own, tmp_path / "own").config).windows
    assert (windows.min_rows, windows.label_horizon) == (50, timedelta(days=60))


def test_a_bundle_that_is_not_there_leaves_no_folder(deployed: Path) -> None:
    draft = {**BUNDLE, "model": {"bundle": "../models/none"}}
    with pytest.raises(CannotRun, match="bundle to watch is not there"):
        write_config(draft, deployed / "watched")
    assert not (deployed / "watched").exists()


def test_a_path_beside_a_folder_that_is_a_link_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    monkeypatch.chdir(tmp_path)
    assert as_written(Path("models"), Path("real/deep")) == "../../models"
    assert as_written(Path("models"), Path("link")) == str(tmp_path / "models")
    assert as_written(Path("../models"), Path("real/new")) == "../../../models"
