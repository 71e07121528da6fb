"""The published JSON Schemas of the documents, one file each in `docs/reference/schema/`; `make schemas` writes them.

A schema says what a producer writes. Within a version keys are only added; a key that goes, or means something else,
makes a new version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from monitoring.documents.deployment import (
    ConfigRunsDocument,
    DeploymentDocument,
    DeploymentsDocument,
    FleetDocument,
    RunDocument,
    RunsDocument,
)
from monitoring.documents.document import Document
from monitoring.documents.drill import DrillDocument
from monitoring.documents.incident import DigestDocument, IncidentDocument, IncidentsDocument, NotificationDocument
from monitoring.documents.rollout import ReplayDocument, RolloutDocument, RolloutsDocument
from monitoring.documents.status import StatusDocument
from monitoring.documents.window import (
    EstimateDocument,
    WindowDocument,
    WindowsDocument,
    WindowStateDocument,
    WindowStatesDocument,
)

#: The version of all schemas, a part of each one's `$id`.
VERSION: Final = 1

#: The schemas by name.
SCHEMAS: Final[Mapping[str, type[Document]]] = {
    "incident": IncidentDocument,
    "incidents": IncidentsDocument,
    "window": WindowDocument,
    "windows": WindowsDocument,
    "window-state": WindowStateDocument,
    "window-states": WindowStatesDocument,
    "estimate": EstimateDocument,
    "run": RunDocument,
    "runs": RunsDocument,
    "deployment": DeploymentDocument,
    "deployments": DeploymentsDocument,
    "config-runs": ConfigRunsDocument,
    "fleet": FleetDocument,
    "drill": DrillDocument,
    "rollout": RolloutDocument,
    "rollouts": RolloutsDocument,
    "rollout-replay": ReplayDocument,
    "status": StatusDocument,
    "notification": NotificationDocument,
    "digest": DigestDocument,
}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one document, by its name in `SCHEMAS`.

    >>> json_schema("run")["$id"]
    'urn:pitfalls-tf:schema:1:run'
    """
    schema = SCHEMAS[name].model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pitfalls-tf:schema:{VERSION}:{name}",
        **schema,
    }


def schema_text(name: str) -> str:
    """The text of a schema's file."""
    return json.dumps(json_schema(name), indent=1, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write the file of every schema into a folder, `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
