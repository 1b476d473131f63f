"""The two models as ONNX: numbers and trees, nothing that runs code when it is loaded."""

from typing import Any

import numpy as np

from airledger.learning.where_text import TextModel

OPSET = 17
IR_VERSION = 8


def text_onnx(model: TextModel) -> bytes:
    """Write the text model as an embedding bag.

    Inputs are places (n, longest), int32, and values (n, longest), float32, as `where_words.bags` makes them; the
    output is margins (n, classes). The vocabulary lies in the file as a constant, read as an output.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gather", ["weights", "places"], ["steps"], axis=0),
        helper.make_node("Cast", ["steps"], ["steps_f"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["values", "middle"], ["values_row"]),
        helper.make_node("MatMul", ["values_row", "steps_f"], ["sums_row"]),
        helper.make_node("Squeeze", ["sums_row", "middle"], ["sums"]),
        helper.make_node("Mul", ["sums", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["margins"]),
        helper.make_node("Identity", ["hashes"], ["vocabulary"]),
    ]
    constants = [
        numpy_helper.from_array(model.weights, "weights"),
        numpy_helper.from_array(model.scale, "scale"),
        numpy_helper.from_array(model.bias, "bias"),
        numpy_helper.from_array(np.array([1], np.int64), "middle"),
        numpy_helper.from_array(model.vocabulary.astype(np.int64), "hashes"),
    ]
    graph = helper.make_graph(
        nodes,
        "where_words",
        [
            helper.make_tensor_value_info("places", TensorProto.INT32, ["n", "longest"]),
            helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n", "longest"]),
        ],
        [
            helper.make_tensor_value_info("margins", TensorProto.FLOAT, ["n", len(model.classes)]),
            helper.make_tensor_value_info("vocabulary", TensorProto.INT64, [len(model.vocabulary)]),
        ],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(made.SerializeToString())


def trees_onnx(trees: Any, clues: int) -> bytes:
    """Write the trees; the outputs are a label and probabilities (pairs, 2)."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    made = to_onnx(
        trees,
        initial_types=[("clues", FloatTensorType([None, clues]))],
        options={id(trees): {"zipmap": False}},
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    return bytes(made.SerializeToString())
