"""Where the server's list of models comes from, of the flags that name models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import is_url
from pitfalls_tf.cli.serve.contradictions import contradiction
from pitfalls_tf.cli.serve.model_files import model_files, prepare_models
from pitfalls_tf.cli.serve.server_flags import read_version_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pitfalls_tf.cli.serve.server_flags import ServerFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.models.model_list import ModelListSource, SingleModel

    Report = Callable[[str], None]


def read_model_list_source(
    flags: ServerFlags, tf_flags: TensorFlowServingFlags, report: Report, *, waits: bool
) -> ModelListSource:
    """Where the list of models comes from.

    Args:
        report: prints a line about a flag without effect.
        waits: whether the folder of a model may come later.

    Returns:
        A folder of models, here or at a URL, one model, or a config file.

    Raises:
        BadInput: no flag, or contradicting flags, a missing folder, or a URL that no installed driver opens.
    """
    from serving.models.model_list import ConfigFile, ModelsFolder, ModelsUrl  # noqa: PLC0415 - not needed for --help

    labels = read_version_labels(flags.labels)
    names = ("model_config_file", "model_base_path", "model_name", "model_config_file_poll_wait_seconds")
    given = [f"--{name}" for name in names if getattr(tf_flags, name) is not None]
    if flags.model_files or flags.custom is not None:
        _check_alone(flags, given)
        files = model_files(flags.model_files, tf_flags.model_name)
        folder = prepare_models(files, cache_folder("exports"), custom=flags.custom, report=report)
        return ModelsFolder(folder=folder, labels=labels)
    if flags.models is not None:
        if given:
            raise contradiction("--models", given[0], "a folder of models is a complete list")
        if isinstance(flags.models, str):
            return ModelsUrl(checked_url(flags.models), labels, poll_s=flags.url_poll_seconds)
        return ModelsFolder(folder=flags.models, labels=labels)
    if tf_flags.model_config_file is not None:
        for flag in set(given) & {"--model_base_path", "--model_name"}:
            report(f"{flag} has no effect: --model_config_file lists the models.")
        return ConfigFile(path=tf_flags.model_config_file, labels=labels)
    return _single_model(tf_flags, labels, report, given=given, waits=waits)


def _check_alone(flags: ServerFlags, given: list[str]) -> None:
    """Raises BadInput for --model beside what names other models."""
    if not flags.model_files:
        raise contradiction("--custom", "no --model", "only Keras files have custom layers")
    others = [*(["--models"] if flags.models is not None else []), *(one for one in given if one != "--model_name")]
    if others:
        raise contradiction("--model", others[0], "either names all models")


def _single_model(
    tf_flags: TensorFlowServingFlags,
    labels: Mapping[str, Mapping[str, int]],
    report: Report,
    *,
    given: list[str],
    waits: bool,
) -> SingleModel:
    from serving.models.model_list import SingleModel  # noqa: PLC0415 - as above

    if tf_flags.model_base_path is None:
        raise BadInput(
            "No models given.",
            got=" and ".join(given) or "neither --models, --model_base_path nor --model_config_file",
            expected="one of these three, or --model",
            fix="Pass --model FILE.keras, or --models DIR, the folder that `pitfalls export` was given.",
        )
    if tf_flags.model_config_file_poll_wait_seconds is not None:
        report("--model_config_file_poll_wait_seconds has no effect without --model_config_file.")
    path = tf_flags.model_base_path.removeprefix("file://")
    if is_url(path):
        return SingleModel(name=tf_flags.model_name or "default", base=checked_url(path), labels=labels)
    if not waits and not Path(path).is_dir():
        raise BadInput(
            "The model's folder does not exist.",
            got=f"--model_base_path {tf_flags.model_base_path}",
            expected="a folder with numbered versions",
            fix="Check the path.",
        )
    return SingleModel(name=tf_flags.model_name or "default", base=Path(path).absolute(), labels=labels)


def checked_url(url: str) -> str:
    """A URL, if an installed driver opens it.

    Raises:
        BadInput: none does.
    """
    from monitoring.traffic.remote.file_store import FileStore  # noqa: PLC0415 - not needed for --help

    FileStore(url)
    return url


def cache_folder(name: str) -> Path:
    """The folder of one of pitfalls' caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pitfalls", name)
