"""Model config files of TensorFlow Serving: models, their folders, version policies and labels.

Source: ``tensorflow_serving/config/model_server_config.proto``; the checks are those of its ``server_core.cc``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitoring.errors import BadInput, InvalidSettings
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.urls import is_url
from serving.models.model_cache import model_at
from serving.models.version_folders import ModelSource, RequestLogging, VersionPolicy
from serving.tf_serving.text_format import read_text_file

FLAG = "--model_config_file"
PLATFORM = "tensorflow"
TENSORFLOW_TYPE = 1  # ModelType.TENSORFLOW, the deprecated field for the platform


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfigProblem:
    """One error in a model config.

    >>> str(ModelConfigProblem(place="config[0]", what="no name", got="''", expected="a name", fix="Give it one."))
    "config[0]: no name: got ''; expected a name. Give it one."
    """

    place: str
    what: str
    got: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: got {self.got}; expected {self.expected}. {self.fix}"


def read_config_file(path: Path) -> tuple[ModelSource, ...]:
    """Read the models of a config file. Returns the models, in the file's order."""
    from tensorflow_serving.config import model_server_config_pb2  # noqa: PLC0415 - loaded only to read such a file

    config = read_text_file(path, model_server_config_pb2.ModelServerConfig(), flag=FLAG)
    problems = tuple(check_config(config))
    if problems:
        raise InvalidSettings(str(path), [str(problem) for problem in problems])
    return sources_of(config)


def sources_of(config: Any) -> tuple[ModelSource, ...]:
    """The models of a ``ModelServerConfig`` without errors (see `check_config`)."""
    return tuple(
        replace(
            _located(model_config.name, model_config.base_path.removeprefix("file://")),
            policy=_policy(model_config.model_version_policy),
            labels=dict(model_config.version_labels),
            logging=_logging(model_config.logging_config) if model_config.HasField("logging_config") else None,
        )
        for model_config in config.model_config_list.config
    )


def _located(name: str, path: str) -> ModelSource:
    return model_at(path, name=name) if is_url(path) else ModelSource(name=name, base=Path(path))


def check_config(config: Any) -> Iterator[ModelConfigProblem]:
    """Check a ``ModelServerConfig``. Yields each error, in the order of the config."""
    if config.WhichOneof("config") == "custom_model_config":
        yield ModelConfigProblem(
            place="custom_model_config",
            what="a config that this server does not have",
            got="a custom_model_config",
            expected="a model_config_list",
            fix="List the models in a model_config_list.",
        )
        return
    counts = Counter(model_config.name for model_config in config.model_config_list.config)
    for index, model_config in enumerate(config.model_config_list.config):
        place = f"model_config_list.config[{index}]" + (f" ({model_config.name})" if model_config.name else "")
        yield from _check_identity(place, model_config, counts[model_config.name])
        yield from _check_details(place, model_config)


def _check_identity(place: str, model_config: Any, count: int) -> Iterator[ModelConfigProblem]:
    if not model_config.name:
        yield ModelConfigProblem(place=place, what="no name", got="none", expected="a name", fix='Add name: "NAME".')
    elif count > 1:
        yield ModelConfigProblem(
            place=place,
            what=f"Illegal to list model {model_config.name} multiple times in config list",
            got=f"{count} times",
            expected="once",
            fix="Remove or rename the others.",
        )
    yield from _check_base_path(place, model_config.name, model_config.base_path.removeprefix("file://"))
    yield from _check_platform(place, model_config)


def _check_platform(place: str, model_config: Any) -> Iterator[ModelConfigProblem]:
    deprecated, named = "ModelServerConfig::model_type (deprecated)", "ModelServerConfig::model_platform"
    if model_config.model_platform and model_config.model_type:
        what = f"Illegal setting both {deprecated} and {named}, model name is {model_config.name}"
    elif not model_config.model_platform and not model_config.model_type:
        what = f"Illegal setting neither {deprecated} nor {named}, model name is {model_config.name}"
    elif model_config.model_platform == PLATFORM or model_config.model_type == TENSORFLOW_TYPE:
        return
    else:
        what = "an unsupported model_platform" if model_config.model_platform else "an unsupported model_type"
    yield ModelConfigProblem(
        place=place,
        what=what,
        got=repr(model_config.model_platform)
        + (f" and model_type {model_config.model_type}" if model_config.model_type else ""),
        expected=f'"{PLATFORM}"',
        fix=f'Write model_platform: "{PLATFORM}", and no model_type.',
    )


def _check_base_path(place: str, name: str, path: str) -> Iterator[ModelConfigProblem]:
    if is_url(path):
        try:
            FileStore(path)
        except BadInput as error:
            yield ModelConfigProblem(
                place=place,
                what="base_path is a URL that no installed driver opens",
                got=str(error.got),
                expected="the folder that holds the numbered versions, such as '/models/flights' or 's3://bucket/flights'",
                fix="Install the driver (s3fs, gcsfs, adlfs), or copy the folder to this machine.",
            )
    elif not path.startswith("/"):
        yield ModelConfigProblem(
            place=place,
            what=f"Expected model {name} to have an absolute path or URI",
            got=repr(path),
            expected="the folder that holds the numbered versions, such as '/models/flights'",
            fix="Write the whole path, beginning with /.",
        )


def _check_details(place: str, model_config: Any) -> Iterator[ModelConfigProblem]:
    policy = model_config.model_version_policy
    if policy.WhichOneof("policy_choice") == "specific":
        bad = [number for number in policy.specific.versions if number < 0]
        if bad or not policy.specific.versions:
            yield ModelConfigProblem(
                place=place,
                what="a specific policy without valid versions",
                got=", ".join(map(str, bad)) or "none",
                expected="versions: N for each version, N being at least 0",
                fix="List the versions, or use all {} or latest {}.",
            )
    for label, number in model_config.version_labels.items():
        if not label or "/" in label or ":" in label or number < 0:
            yield ModelConfigProblem(
                place=place,
                what="an invalid version label",
                got=f"{label!r}: {number}",
                expected="a name without / and :, and a version of at least 0",
                fix="Correct the key or the value.",
            )
    rate = model_config.logging_config.sampling_config.sampling_rate
    if not 0 <= rate <= 1:
        yield ModelConfigProblem(
            place=place,
            what="a sampling_rate outside of 0 to 1",
            got=f"{rate:g}",
            expected="a number from 0 to 1",
            fix="Write 1 to log every request.",
        )


def _policy(policy: Any) -> VersionPolicy:
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return VersionPolicy(kind="all")
    if choice == "specific":
        return VersionPolicy(kind="specific", numbers=tuple(policy.specific.versions))
    return VersionPolicy(kind="latest", count=max(1, policy.latest.num_versions))


def _logging(config: Any) -> RequestLogging:
    collector = config.log_collector_config
    return RequestLogging(
        collector=collector.type,
        prefix=collector.filename_prefix,
        sampling_rate=round(config.sampling_config.sampling_rate, 15),
    )
