"""The protocol's messages, against bytes that another implementation wrote."""

from __future__ import annotations

import pytest

from serving.grpc_api.v2_messages import read_definitions, v2_message


def test_maps_oneofs_and_nested_types_are_described() -> None:
    file = read_definitions(
        "message A { message B { bytes b = 2; } enum E { ZERO = 0; ONE = 1; } oneof c { bool d = 1; B e = 3; }"
        " map<string, B> some_things = 4; repeated E f = 5; } message C {}"
    )
    first, second = file.message_type
    assert ([one.name for one in first.nested_type], second.name) == (["B", "SomeThingsEntry"], "C")
    assert [(one.name, one.number) for one in first.field] == [("d", 1), ("e", 3), ("some_things", 4), ("f", 5)]
    assert [one.HasField("oneof_index") for one in first.field] == [True, True, False, False]
    assert first.nested_type[1].options.map_entry
    assert [(one.name, one.number) for one in first.enum_type[0].value] == [("ZERO", 0), ("ONE", 1)]
    with pytest.raises(ValueError, match="not a field: string"):
        read_definitions("message A { string = 1; }")


def test_a_message_of_another_implementation_is_read() -> None:
    """Written by the messages of ``tritonclient`` 2.73."""
    written = (
        "0a016d1201331a0161220d0a0774696d656f7574120210092a240a01781204494e54381a010222070a0170120228072a0d120bffffffff"
        "ffffffffff010532130a0179120e0a0171120921000000000000e03f3a023132"
    )
    request = v2_message("ModelInferRequest").FromString(bytes.fromhex(written))
    assert (request.model_name, request.model_version, request.id) == ("m", "3", "a")
    assert request.parameters["timeout"].int64_param == 9
    (one,) = request.inputs
    assert (one.name, one.datatype, list(one.shape), list(one.contents.int_contents)) == ("x", "INT8", [2], [-1, 5])
    assert one.parameters["p"].uint64_param == 7
    assert (request.outputs[0].name, request.outputs[0].parameters["q"].double_param) == ("y", 0.5)
    assert list(request.raw_input_contents) == [b"12"]
    assert request.SerializeToString(deterministic=True).hex() == written


def test_messages_are_of_a_pool_of_their_own() -> None:
    from google.protobuf import descriptor_pool

    assert v2_message("ModelInferRequest").DESCRIPTOR.full_name == "inference.ModelInferRequest"
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("inference.ModelInferRequest")
