"""How one model is logged, as TensorFlow Serving's `logging_config` says: the share of its requests, and where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitoring.errors import BadInput
from serving.models.version_folders import ModelSource, RequestLogging

COLLECTORS = ("", "traffic_log")
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLogging:
    """How one model's answers are logged."""

    sampling_rate: float = 1.0
    """The share of requests that is logged; all rows of a request are logged, or none."""
    folder: Path | None = None
    """The folder of the traffic log; None for the server's own."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.sampling_rate <= 1.0:
            raise BadInput(
                "The sampling rate is out of range.",
                got=repr(self.sampling_rate),
                expected="0 to 1: the share of requests that is logged",
                fix="Correct sampling_rate in the model config file.",
            )

    @classmethod
    def of(cls, request_logging: RequestLogging, model: str) -> ModelLogging:
        """The settings of a `tensorflow.serving.LoggingConfig`, whose default rate is 0, as in TensorFlow Serving."""
        if request_logging.collector not in COLLECTORS:
            raise BadInput(
                f"The model config names an unknown log collector for {model!r}.",
                got=f"type: {request_logging.collector!r}",
                expected="no type, or traffic_log",
                fix="Leave the type out; filename_prefix names the folder of the traffic log.",
            )
        return cls(
            sampling_rate=request_logging.sampling_rate,
            folder=Path(request_logging.prefix) if request_logging.prefix else None,
        )

    def is_sampled(self, request_id: str, key: bytes = b"") -> bool:
        """Whether a request is in the sample. It depends on the id alone: all parts and repeats are sampled, or none.

        >>> ModelLogging(sampling_rate=0.0).is_sampled("a"), ModelLogging().is_sampled("a")
        (False, True)

        Args:
            key: A secret, without which nobody knows which ids are in the sample.
        """
        if self.sampling_rate >= 1.0:
            return True
        digest = hashlib.blake2b(request_id.partition("/")[0].encode(), digest_size=_DIGEST_BYTES, key=key).digest()
        return int.from_bytes(digest, "big") < self.sampling_rate * float(1 << 8 * _DIGEST_BYTES)

    def sample(self, request_ids: Sequence[str], key: bytes = b"") -> list[bool]:
        """For each of several requests, whether it is in the sample."""
        return [self.is_sampled(each, key) for each in request_ids]


def logging_by_model(sources: Sequence[ModelSource]) -> dict[str, ModelLogging]:
    """The logging settings of models."""
    return {
        source.name: ModelLogging.of(source.logging, source.name) for source in sources if source.logging is not None
    }
