"""TensorFlow Serving's configuration files and messages."""
