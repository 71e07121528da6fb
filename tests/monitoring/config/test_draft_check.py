from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import ConfigDraft, TableDraft, check_draft
from monitoring.errors import InvalidSettings

TABLE = TableDraft(
    event_time="ts",
    prediction_id="id",
    label="y",
    label_time="known_at",
    scores=("p",),
    predicted=None,
    classes=("no", "yes"),
)


def test_a_good_draft_is_the_config_it_will_be(tmp_path: Path) -> None:
    config = check_draft(ConfigDraft(bundle="models/flights", traffic="traffic"), tmp_path)
    assert config.model.bundle == tmp_path / "models/flights"
    assert config.windows.every == "1d"


def test_a_table_needs_no_traffic_yet(tmp_path: Path) -> None:
    config = check_draft(ConfigDraft(bundle="baseline", traffic=None, table=TABLE), tmp_path)
    assert (config.model.baseline, config.traffic.path) == (tmp_path / "baseline", None)
    assert config.model.classes == ("no", "yes")


def test_all_errors_name_the_option_they_come_from(tmp_path: Path) -> None:
    draft = ConfigDraft(bundle="m", traffic="ftp://", every="1 day", timezone="Mars", slices=("a", "a"), min_rows=0)
    with pytest.raises(InvalidSettings) as caught:
        check_draft(draft, tmp_path)
    head, *lines = str(caught.value).splitlines()
    assert head == "5 errors in the command:"
    assert [line.strip().partition(":")[0] for line in lines] == [
        "--traffic",
        "--slices",
        "--every",
        "--timezone",
        "--min-rows",
    ]
    assert caught.value.settings == tuple(line.strip() for line in lines)


def test_columns_are_named_by_their_options(tmp_path: Path) -> None:
    table = TableDraft(
        event_time=" ",
        prediction_id="id",
        label="y",
        label_time="t",
        scores=("p", "p"),
        predicted=None,
        classes=("no", "yes"),
    )
    with pytest.raises(InvalidSettings, match=r"--event-time: empty name.*\n.*--score: duplicate name"):
        check_draft(ConfigDraft(bundle="baseline", traffic=None, table=table), tmp_path)
