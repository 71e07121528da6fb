"""Model status and metadata as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.models.served_version import ServedVersion
    from serving.models.version_status import VersionStatus


def write_status(statuses: Sequence[VersionStatus]) -> bytes:
    """``tensorflow.serving.GetModelStatusResponse`` as protobuf's JSON prints it; versions are strings."""
    versions = [
        {
            "version": str(status.number),
            "state": str(status.state),
            "status": {"error_code": status.code.name, "error_message": status.message},
        }
        for status in statuses
    ]
    return json.dumps({"model_version_status": versions}, indent=1, ensure_ascii=False).encode() + b"\n"


def write_metadata(served: ServedVersion) -> bytes:
    """The signatures of a version with every default written out; about 1 ms a signature."""
    from google.protobuf import json_format  # noqa: PLC0415 - loaded with the messages, by a model's runner

    signatures: dict[str, Any] = {
        name: json_format.MessageToDict(
            definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for name, definition in served.runner.signature_definitions.items()
    }
    document = {
        "model_spec": {"name": served.model, "signature_name": "", "version": str(served.number)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
