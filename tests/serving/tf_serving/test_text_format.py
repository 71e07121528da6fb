"""A configuration file is read whole, or refused with its flag, its path and the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from serving.tf_serving.messages import ssl_config
from serving.tf_serving.text_format import MOST_BYTES, read_text_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_the_message_that_is_given_is_filled_and_returned(file: Path) -> None:
    file.write_text('server_key: "ä" # a comment', "utf-8")
    message = ssl_config()
    assert read_text_file(file, message, flag="--ssl_config_file") is message
    assert message.server_key == "ä"


def test_an_error_names_line_and_column_and_the_fields_there_are(file: Path) -> None:
    file.write_text('server_key: "k"\n  server_kez: "k"\n')
    with pytest.raises(
        BadInput,
        match=r"config cannot be used\. Got Error parsing text-format tensorflow.serving.SSLConfig: line:column 2:3",
    ) as caught:
        read_text_file(file, ssl_config(), flag="--ssl_config_file")
    assert caught.value.expected == "a SSLConfig in protobuf's text format"
    assert "server_key, server_cert, custom_ca, client_verify" in caught.value.fix


def test_a_file_that_cannot_be_read_is_named_with_its_flag(file: Path) -> None:
    for content, said in (
        (None, "No such file"),
        (b"server_key: 'k'\n\n\xff", "line 3 of which is not UTF-8"),
        (b" " * (MOST_BYTES + 1), "over 4 MiB"),
    ):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(BadInput, match=rf"The file of --ssl_config_file cannot be read\. Got {file}.*{said}"):
            read_text_file(file, ssl_config(), flag="--ssl_config_file")
    with pytest.raises(BadInput, match="Is a directory"):
        read_text_file(file.parent, ssl_config(), flag="--ssl_config_file")


def test_the_largest_file_is_read(file: Path) -> None:
    file.write_bytes(b"client_verify: true".ljust(MOST_BYTES))
    assert read_text_file(file, ssl_config(), flag="--f").client_verify


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_bad_input(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    try:
        message = read_text_file(file, ssl_config(), flag="--f")
    except BadInput:
        return
    assert text_format.Parse(content.decode(), ssl_config()) == message
