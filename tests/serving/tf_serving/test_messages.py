"""The messages that TensorFlow Serving's package lacks have its fields, and disturb nobody else's."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool, text_format

from serving.tf_serving.messages import FIELDS, PACKAGE, batching_parameters, monitoring_config, ssl_config


def test_each_message_reads_every_one_of_its_fields() -> None:
    monitoring = text_format.Parse('prometheus_config { enable: true path: "/m" }', monitoring_config())
    assert (monitoring.prometheus_config.enable, monitoring.prometheus_config.path) == (True, "/m")
    ssl = text_format.Parse('server_key: "k" server_cert: "c" custom_ca: "a" client_verify: true', ssl_config())
    assert (ssl.server_key, ssl.server_cert, ssl.custom_ca, ssl.client_verify) == ("k", "c", "a", True)
    batching = text_format.Parse(
        "max_batch_size { value: 2 } allowed_batch_sizes: 1 allowed_batch_sizes: 2 pad_variable_length_inputs: true "
        'thread_pool_name { value: "pool" } enable_large_batch_splitting { value: true }',
        batching_parameters(),
    )
    assert batching.max_batch_size.value == 2
    assert list(batching.allowed_batch_sizes) == [1, 2]
    assert (batching.pad_variable_length_inputs, batching.thread_pool_name.value) == (True, "pool")
    assert batching.enable_large_batch_splitting.value
    assert not batching.HasField("max_enqueued_batches")
    for message in (monitoring_config(), ssl_config(), batching_parameters()):
        assert list(message.DESCRIPTOR.fields_by_name) == list(FIELDS[message.DESCRIPTOR.name])


def test_each_call_gives_an_empty_message() -> None:
    first = ssl_config()
    first.server_key = "k"
    assert ssl_config().server_key == ""


def test_the_process_wide_pool_does_not_know_them() -> None:
    monitoring_config()
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.MonitoringConfig")
