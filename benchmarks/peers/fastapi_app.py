"""FastAPI with the SavedModel's signature, called in the event loop.

python fastapi_app.py SAVED_MODEL PORT
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import tensorflow as tf
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

loaded = tf.saved_model.load(sys.argv[1])
call = loaded.signatures["serving_default"]
app = FastAPI()


class Body(BaseModel):
    """Rows."""

    instances: list[Any]


@app.post("/predict")
async def predict(body: Body) -> dict[str, Any]:
    """One answer for each row."""
    answers = call(x=tf.constant(np.asarray(body.instances, np.float32)))
    return {"predictions": answers["outputs"].numpy().tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
