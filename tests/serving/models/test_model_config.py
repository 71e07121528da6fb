"""TensorFlow Serving's model config file: read whole, or refused with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.config import model_server_config_pb2

from monitoring.errors import BadInput
from serving.models.model_cache import model_at
from serving.models.model_config import check_config, read_config_file, sources_of
from serving.models.version_folders import ModelSource, RequestLogging, VersionPolicy

WHOLE = """
model_config_list {
  config {
    name: "flights"
    base_path: "/models/flights"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 7 versions: 9 } }
    version_labels { key: "stable" value: 7 }
    version_labels { key: "canary" value: 9 }
    logging_config {
      log_collector_config { type: "traffic" filename_prefix: "/logs/flights" }
      sampling_config { sampling_rate: 0.25 }
    }
  }
  config: { name: "every", base_path: "file:///models/every", model_type: TENSORFLOW, model_version_policy: { all {} } }
  config {
    name: "two" base_path: "/m/two" model_platform: "tensorflow" model_version_policy { latest { num_versions: 2 } }
  }
  config { name: "one" base_path: "/m/one" model_platform: "tensorflow" model_version_policy { latest { } } }
}
"""

WRONG = """
model_config_list {
  config { base_path: "models/a" }
  config { name: "b" base_path: "nowhere://bucket/b" model_platform: "caffe" model_version_policy { specific { } } }
  config { name: "b" base_path: "/b" model_platform: "tensorflow" model_type: TENSORFLOW
           version_labels { key: "a/b" value: -1 }
           logging_config { sampling_config { sampling_rate: 2 } } }
}
"""


def test_a_config_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    file.write_text(WHOLE)
    assert read_config_file(file) == (
        ModelSource(
            name="flights",
            base=Path("/models/flights"),
            policy=VersionPolicy(kind="specific", numbers=(7, 9)),
            labels={"stable": 7, "canary": 9},
            logging=RequestLogging(collector="traffic", prefix="/logs/flights", sampling_rate=0.25),
        ),
        ModelSource(name="every", base=Path("/models/every"), policy=VersionPolicy(kind="all")),
        ModelSource(name="two", base=Path("/m/two"), policy=VersionPolicy(count=2)),
        ModelSource(name="one", base=Path("/m/one"), policy=VersionPolicy(count=1)),
    )


def test_a_base_path_may_be_a_url(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    entry = 'name: "m" base_path: "local:///bucket/m" model_platform: "tensorflow" model_version_policy { all {} }'
    file.write_text(f"model_config_list {{ config {{ {entry} }} }}")
    (source,) = read_config_file(file)
    assert source == replace(model_at("local:///bucket/m", name="m"), policy=VersionPolicy(kind="all"))


def test_every_problem_is_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    file.write_text(WRONG)
    with pytest.raises(BadInput) as caught:
        read_config_file(file)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"11 errors in {file}:"
    for what in (
        "config[0]: no name",
        "config[0]: Expected model  to have an absolute path or URI: got 'models/a'",
        "config[0]: Illegal setting neither ModelServerConfig::model_type (deprecated) nor",
        "config[1] (b): Illegal to list model b multiple times in config list",
        "config[1] (b): base_path is a URL that no installed driver opens: got nowhere://bucket/b",
        "config[1] (b): an unsupported model_platform: got 'caffe'",
        "config[1] (b): a specific policy without valid versions",
        "config[2] (b): Illegal to list model b multiple times in config list",
        "config[2] (b): Illegal setting both ModelServerConfig::model_type (deprecated) and",
        "config[2] (b): an invalid version label",
    ):
        assert any(what in line for line in lines)
    assert "a sampling_rate outside of 0 to 1: got 2;" in lines[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'model_config_list {\n  config { nome: "a" }\n}', "line:column 2:12"),
        (b"model_config_list {\n\xff", "line 2 of which is not UTF-8"),
        (b"custom_model_config { }", "a config that this server does not have"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_not_a_config_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "models.config"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read_config_file(file)


@given(
    names=st.lists(st.text(min_size=1, max_size=5), max_size=4, unique=True),
    count=st.integers(0, 2**32 - 1),
    labels=st.dictionaries(st.text("abc", min_size=1), st.integers(0, 2**63 - 1), max_size=3),
)
def test_every_entry_of_a_config_is_read(names: list[str], count: int, labels: dict[str, int]) -> None:
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        one = config.model_config_list.config.add(name=name, base_path="/base", model_platform="tensorflow")
        one.model_version_policy.latest.num_versions = count
        one.version_labels.update(labels)
    assert not list(check_config(config))
    assert [(one.name, one.policy.count, one.labels) for one in sources_of(config)] == [
        (name, max(1, count), labels) for name in names
    ]
