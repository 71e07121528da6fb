"""Logs as other servers write them: calls of two inputs and one answer, by their documented formats."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.traffic.tf_prediction_log.tensor_protos import STRING
from monitoring.traffic.tf_prediction_log.tfrecord import write_record

DOUBLE = 2  # of TensorFlow's types
WRITTEN = Path(__file__).parent / "written"

START = datetime(2026, 4, 5, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call with one row or several."""

    id: str
    at: datetime
    rows: tuple[tuple[float, str], ...]
    answers: tuple[float, ...]


def calls(count: int, *, rows: int = 1, first: int = 0) -> list[Call]:
    """Calls a minute apart, whose values differ."""
    return [
        Call(
            id=f"call-{place}",
            at=START + timedelta(minutes=place),
            rows=tuple((float(place * rows + row), "abc"[(place + row) % 3]) for row in range(rows)),
            answers=tuple(((place * rows + row) % 10) / 10 for row in range(rows)),
        )
        for place in range(first, first + count)
    ]


def expected(made: Sequence[Call]) -> list[dict[str, Any]]:
    """The rows that a monitor should see."""
    return [
        {
            "prediction_id": call.id if len(call.rows) == 1 else f"{call.id}:{place}",
            "event_time": call.at,
            "income": row[0],
            "shop": row[1],
            "prediction": answer,
        }
        for call in made
        for place, (row, answer) in enumerate(zip(call.rows, call.answers, strict=True))
    ]


def bodies(call: Call, form: str) -> tuple[str, str, str]:
    """The request, the response, and their content type in a form of bodies."""
    names = ("income", "shop")
    rows, answers = [list(row) for row in call.rows], list(call.answers)
    if form == "csv":
        lines = "\n".join(f"{income},{shop}" for income, shop in rows)
        return lines, "\n".join(map(str, answers)), "text/csv"
    records = [dict(zip(names, row, strict=True)) for row in rows]
    documents: dict[str, tuple[Any, Any]] = {
        "instances": ({"instances": records}, {"predictions": answers}),
        "lists": ({"instances": rows}, {"predictions": [[answer] for answer in answers]}),
        "records": ({"dataframe_records": records}, {"predictions": answers}),
        "split": ({"dataframe_split": {"columns": names, "data": rows}}, {"predictions": answers}),
        "columns": ({"inputs": {name: [record[name] for record in records] for name in names}}, {"outputs": answers}),
        "v2": (
            {
                "inputs": [
                    {"name": "income", "shape": [len(rows), 1], "datatype": "FP64", "data": [row[0] for row in rows]},
                    {"name": "shop", "shape": [len(rows)], "datatype": "BYTES", "data": [row[1] for row in rows]},
                ]
            },
            {
                "outputs": [
                    {"name": "prediction", "shape": [len(rows), 1], "datatype": "FP64", "data": [[a] for a in answers]}
                ]
            },
        ),
    }
    request, response = documents[form]
    return json.dumps(request), json.dumps(response), "application/json"


def sagemaker(made: Sequence[Call], *, form: str = "csv", encoding: str = "CSV") -> list[Mapping[str, Any]]:
    """Records of data capture."""
    found: list[Mapping[str, Any]] = []
    for call in made:
        request, response, content_type = bodies(call, form)
        encoded = (
            [base64.b64encode(body.encode()).decode() for body in (request, response)]
            if encoding == "BASE64"
            else [request, response]
        )
        sides = [
            {"observedContentType": content_type, "mode": mode, "data": body, "encoding": encoding}
            for mode, body in zip(("INPUT", "OUTPUT"), encoded, strict=True)
        ]
        found.append(
            {
                "captureData": {"endpointInput": sides[0], "endpointOutput": sides[1]},
                "eventMetadata": {"eventId": call.id, "inferenceTime": f"{call.at:%Y-%m-%dT%H:%M:%SZ}"},
                "eventVersion": "0",
            }
        )
    return found


def ground_truth(made: Sequence[Call]) -> list[Mapping[str, Any]]:
    """Records of ground truth: whether the answer is above a half."""
    return [
        {
            "groundTruthData": {
                "data": "\n".join(str(int(answer > 0.5)) for answer in call.answers),
                "encoding": "CSV",
            },
            "eventMetadata": {"eventId": call.id},
            "eventVersion": "0",
        }
        for call in made
    ]


def kserve(made: Sequence[Call], *, form: str = "instances") -> list[dict[str, Any]]:
    """Records of the inference logger, of a request and a response each; as JSON has them, with times."""
    found = []
    for call in made:
        request, response, content_type = bodies(call, form)
        for side, body in (("request", request), ("response", response)):
            found.append(
                {
                    "bytes": base64.b64encode(body.encode()).decode(),
                    "contentType": content_type,
                    "reqType": f"org.kubeflow.serving.inference.{side}",
                    "id": call.id,
                    "inferenceService": "income",
                    "occurrenceTime": call.at.isoformat(),
                }
            )
    return found


def cloud_events(made: Sequence[Call]) -> list[dict[str, Any]]:
    """The same as its sink gets them: structured CloudEvents 1.0."""
    found = []
    for call in made:
        request, response, _ = bodies(call, "v2")
        for side, body in (("request", request), ("response", response)):
            found.append(
                {
                    "specversion": "1.0",
                    "id": call.id,
                    "type": f"org.kubeflow.serving.inference.{side}",
                    "source": "http://localhost:9081/",
                    "time": call.at.isoformat(),
                    "datacontenttype": "application/json",
                    "data": json.loads(body),
                }
            )
    return found


def vertex(made: Sequence[Call]) -> pa.Table:
    """A table of request-response logging, as BigQuery exports it."""
    return pa.table(
        {
            "endpoint": ["e"] * len(made),
            "logging_time": [call.at for call in made],
            "request_id": [call.id for call in made],
            "request_payload": [[json.dumps({"income": i, "shop": s}) for i, s in call.rows] for call in made],
            "response_payload": [[json.dumps(answer) for answer in call.answers] for call in made],
        }
    )


def databricks(made: Sequence[Call], *, form: str = "records") -> list[dict[str, Any]]:
    """Rows of an inference table."""
    return [
        {
            "databricks_request_id": call.id,
            "client_request_id": None,
            "timestamp_ms": int(call.at.timestamp() * 1000),
            "status_code": 200,
            "request": bodies(call, form)[0],
            "response": bodies(call, form)[1],
        }
        for call in made
    ]


def open_inference(made: Sequence[Call]) -> list[dict[str, Any]]:
    """Bodies of the Open Inference Protocol v2, one a line."""
    return [
        {"id": call.id, "parameters": {"timestamp": call.at.isoformat()}, **json.loads(body)}
        for call in made
        for body in bodies(call, "v2")[:2]
    ]


def prediction_logs(made: Sequence[Call], *, examples: bool = False) -> bytes:
    """Records of TensorFlow Serving's request log, by its own messages: Predict, or Regress of Examples."""
    from tensorflow_serving.apis import prediction_log_pb2

    file = BytesIO()
    for call in made:
        log = prediction_log_pb2.PredictionLog()
        log.log_metadata.timestamp_secs = int(call.at.timestamp())
        if examples:
            for (income, shop), answer in zip(call.rows, call.answers, strict=True):
                features = log.regress_log.request.input.example_list.examples.add().features.feature
                features["income"].float_list.value.append(income)
                features["shop"].bytes_list.value.append(shop.encode())
                log.regress_log.response.result.regressions.add(value=answer)
        else:
            request, response = log.predict_log.request.inputs, log.predict_log.response.outputs
            for proto, cells in (
                (request["income"], [row[0] for row in call.rows]),
                (response["prediction"], call.answers),
            ):
                proto.dtype = DOUBLE
                proto.double_val.extend(cells)
            request["shop"].dtype = STRING
            request["shop"].string_val.extend(row[1].encode() for row in call.rows)
            for proto in (request["income"], request["shop"], response["prediction"]):
                proto.tensor_shape.dim.add().size = len(call.rows)
        write_record(file, log.SerializeToString())
    return file.getvalue()


def write_lines(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON Lines, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")


def write_parquet(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write Parquet, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(records)), path)
