"""The gRPC dialect: ``tensorflow.serving.PredictionService`` and ``ModelService``, health and reflection."""

from __future__ import annotations

__all__: list[str] = []
