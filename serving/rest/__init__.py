"""TensorFlow Serving's REST dialect: JSON to inference requests, and results to JSON."""
