"""Which two versions are compared, and why some cannot be."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.rollout.log.versions import find_versions
from tests.monitoring.rollout.two_bundles import two_bundles

LABELS = 'model_config_list { config { name: "flights" version_labels { key: "stable" value: 1 } } }'


def test_the_newest_version_is_held_against_the_one_below(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    found = find_versions(config)
    assert (found.champion, found.candidate) == (1, 2)
    assert found.bundle == tmp_path / "models/flights/2"
    assert found.config.model.version == 1
    assert found.task.classes == ("on_time", "late")
    assert found.slices == {"origin": ("EWR", "JFK")}
    assert found.trained_until == datetime(2013, 4, 3, tzinfo=UTC)
    assert find_versions(config, champion=2, candidate=1).candidate == 1


def test_a_label_names_the_champion(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text(LABELS, "utf-8")
    section = '[rollout]\nchampion = "stable"\nmodel_config_file = "models.config"\nserver = "http://127.0.0.1:1"\n'
    assert find_versions(two_bundles(tmp_path, section)).champion == 1


def test_a_manifest_says_until_when_a_model_was_trained(tmp_path: Path) -> None:
    config = two_bundles(tmp_path, "")
    assert find_versions(config).trained_until is None
    manifest = tmp_path / "models/flights/2/assets.extra/manifest.json"
    document = json.loads(manifest.read_text("utf-8"))
    document["data"] = {"trained_until": "2013-03-01T00:00:00+00:00"}
    manifest.write_text(json.dumps(document), "utf-8")
    assert find_versions(config).trained_until == datetime(2013, 3, 1, tzinfo=UTC)
    document["data"] = {"trained_until": "some day"}
    manifest.write_text(json.dumps(document), "utf-8")
    assert find_versions(config).trained_until is None


@pytest.mark.parametrize(
    ("section", "chosen", "message"),
    [
        ("", {"candidate": 7}, r"no such version.*with 1, 2.*version 7"),
        ("", {"champion": 2}, r"one version"),
        ("", {"candidate": 1}, r"no such version.*one below 1"),
        ('[rollout]\nchampion = "stable"\n', {}, r"A label names a version"),
        (
            '[rollout]\nchampion = "stable"\nmodel_config_file = "no.config"\nserver = "http://127.0.0.1:1"\n',
            {},
            r"model config file cannot be read",
        ),
    ],
)
def test_versions_that_are_not_there_are_refused(
    tmp_path: Path, section: str, chosen: dict[str, int], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        find_versions(two_bundles(tmp_path, section), **chosen)


def test_a_version_of_other_classes_is_refused(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    path = tmp_path / "models/flights/2/assets.extra/baseline/baseline.json"
    path.write_text(path.read_text("utf-8").replace("on_time", "in_time"), "utf-8")
    with pytest.raises(BadInput, match=r"do not answer the same.*in_time, late"):
        find_versions(config)


def test_a_version_without_a_baseline_is_read_by_the_champions(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    shutil.rmtree(tmp_path / "models/flights/2/assets.extra/baseline")
    assert find_versions(config).candidate_spec.task == find_versions(config).task


def test_a_tables_baseline_has_no_versions(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    model = config.model.model_copy(update={"bundle": None, "baseline": tmp_path / "table/baseline"})
    with pytest.raises(BadInput, match="needs the versions' bundles"):
        find_versions(config.model_copy(update={"model": model}))
