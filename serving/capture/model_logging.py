"""What TensorFlow Serving's `logging_config` says of one model: which share of its requests is logged, and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.models.version_folders import ModelSource, RequestLogging

COLLECTORS = ("", "traffic_log")
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLogging:
    """How one model's answers are logged. Raises BadInput for a rate outside 0 to 1."""

    sampling_rate: float = 1.0
    """The share of the requests that is logged; each is taken or left whole."""
    folder: Path | None = None
    """Of the traffic log; None for the server's own."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.sampling_rate <= 1.0:
            raise BadInput(
                "This is no sampling rate.",
                got=repr(self.sampling_rate),
                expected="0 to 1: the share of the requests that is logged",
                fix="Mend sampling_rate in the model config file.",
            )

    @classmethod
    def of(cls, asked: RequestLogging, model: str) -> ModelLogging:
        """What a `tensorflow.serving.LoggingConfig` asks for. As in TensorFlow Serving, a rate that is not given is 0.

        Raises:
            BadInput: a log collector that there is not, or a rate outside 0 to 1.
        """
        if asked.collector not in COLLECTORS:
            raise BadInput(
                f"The model config asks for a log collector that there is not, for {model!r}.",
                got=f"type: {asked.collector!r}",
                expected="no type, or traffic_log",
                fix="Leave the type out; filename_prefix names the folder of the traffic log.",
            )
        return cls(sampling_rate=asked.sampling_rate, folder=Path(asked.prefix) if asked.prefix else None)

    def takes(self, request_id: str) -> bool:
        """Whether a request is in the sample: by its id, so that all its parts and repeats are, or none.

        >>> ModelLogging(sampling_rate=0.0).takes("a"), ModelLogging().takes("a")
        (False, True)
        """
        if self.sampling_rate >= 1.0:
            return True
        digest = hashlib.blake2b(request_id.partition("/")[0].encode(), digest_size=_DIGEST_BYTES).digest()
        return int.from_bytes(digest, "big") < self.sampling_rate * float(1 << 8 * _DIGEST_BYTES)

    def sample(self, request_ids: Sequence[str]) -> list[bool]:
        """The same for several."""
        return [self.takes(each) for each in request_ids]


def logging_of(sources: Sequence[ModelSource]) -> dict[str, ModelLogging]:
    """How the models are logged of which a config says so. Raises BadInput as `ModelLogging.of` does."""
    return {one.name: ModelLogging.of(one.logging, one.name) for one in sources if one.logging is not None}
