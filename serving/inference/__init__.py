"""Inference in no dialect: batches requests, runs models, logs the answers."""
