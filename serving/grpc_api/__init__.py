"""TensorFlow Serving's gRPC dialect: ``PredictionService`` and ``ModelService``, health and reflection."""
