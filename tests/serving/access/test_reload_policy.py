"""A client's list of models may name only folders below the roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.access.reload_policy import ReloadPolicy
from serving.status import Code, Failure

if TYPE_CHECKING:
    from pathlib import Path


def check(policy: ReloadPolicy, base: str, prefix: str = "") -> None:
    logging = f'logging_config {{ log_collector_config {{ filename_prefix: "{prefix}" }} }}'
    text = f'model_config_list {{ config {{ name: "m" base_path: "{base}" {logging} }} }}'
    policy.check(text_format.Parse(text, model_server_config_pb2.ModelServerConfig()))


def test_urls_lie_below_a_root_that_is_a_url(tmp_path: Path) -> None:
    policy = ReloadPolicy(model_roots=(tmp_path, "s3://bucket/models"))
    check(policy, "s3://bucket/models/m")
    check(policy, str(tmp_path / "m"))
    for base in ("s3://bucket/models-2/m", "s3://bucket/models/../m", "gs://bucket/models/m", f"local://{tmp_path}/m"):
        with pytest.raises(Failure, match="may not name") as raised:
            check(policy, base)
        assert raised.value.code is Code.PERMISSION_DENIED


def test_folders_lie_below_a_root(tmp_path: Path) -> None:
    models, logs = tmp_path / "models", tmp_path / "logs"
    models.mkdir()
    policy = ReloadPolicy(model_roots=(models,), log_roots=(logs,))
    check(policy, f"{models}/m", f"{logs}/m")
    check(policy, f"file://{models}")
    check(policy, "relative")  # what reads the list refuses it in TensorFlow Serving's words
    (models / "link").symlink_to(tmp_path)
    for base, prefix in (
        (f"{tmp_path}/other", ""),
        (f"{models}-2/m", ""),
        (f"{models}/../other", ""),
        (f"{models}/link/other", ""),
        ("file:///etc", ""),
        (f"{models}/m", f"{models}/m"),
        (f"{models}/m", "relative"),
    ):
        with pytest.raises(Failure, match="may not name") as caught:
            check(policy, base, prefix)
        assert caught.value.code is Code.PERMISSION_DENIED


def test_without_a_root_for_logs_a_list_names_none(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="--log-root allows no folder"):
        check(ReloadPolicy(model_roots=(tmp_path,)), f"{tmp_path}/m", "/logs")
