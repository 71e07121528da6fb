"""TensorFlow Serving's PredictionLog records in TFRecord files, read and written without TensorFlow."""
