"""The two models as ONNX: numbers and trees, nothing that runs code when it is loaded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_text import TextModel

OPSET = 17
IR_VERSION = 8
TREES_OPSET = 3


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
        numpy_helper.from_array(model.vocabulary.astype(np.uint32), "hashes"),
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
            helper.make_tensor_value_info("vocabulary", TensorProto.UINT32, [len(model.vocabulary)]),
        ],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(made.SerializeToString())


def trees_onnx(trees: Any, clues: int) -> bytes:
    """Write boosted trees (scikit-learn's, two classes, numbers only) as one tree ensemble.

    The input is clues (pairs, clues), float32, NaN where nothing is known; the output is odds (pairs, 1), the log-odds.
    Written node by node: skl2onnx 1.20 stops at this scikit-learn's unsigned node numbers.
    """
    from onnx import TensorProto, helper

    nodes = [one.nodes for (one,) in trees._predictors]  # noqa: SLF001
    columns = _nodes(nodes, float(trees._baseline_prediction.item()))  # noqa: SLF001
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["clues"],
        ["odds"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        **columns,
    )
    graph = helper.make_graph(
        [node],
        "where_rank",
        [helper.make_tensor_value_info("clues", TensorProto.FLOAT, ["pairs", clues])],
        [helper.make_tensor_value_info("odds", TensorProto.FLOAT, ["pairs", 1])],
    )
    domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    return bytes(helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION).SerializeToString())


def _nodes(trees: Sequence[NDArray[Any]], baseline: float) -> dict[str, Any]:
    """Return the attributes of a tree ensemble; trees have scikit-learn's node records."""
    found: dict[str, list[Any]] = {"base_values": [baseline]}
    for number, nodes in enumerate(trees):
        leaf = nodes["is_leaf"].astype(bool)
        ids = np.arange(len(nodes))
        told = {
            "nodes_treeids": [number] * len(nodes),
            "nodes_nodeids": ids.tolist(),
            "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]).astype(int).tolist(),
            "nodes_modes": ["LEAF" if one else "BRANCH_LEQ" for one in leaf],
            "nodes_values": _rounded_down(np.where(leaf, 0.0, nodes["num_threshold"])).tolist(),
            "nodes_truenodeids": np.where(leaf, 0, nodes["left"]).astype(int).tolist(),
            "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]).astype(int).tolist(),
            "nodes_missing_value_tracks_true": np.where(leaf, 0, nodes["missing_go_to_left"]).astype(int).tolist(),
            "target_treeids": [number] * int(leaf.sum()),
            "target_nodeids": ids[leaf].tolist(),
            "target_ids": [0] * int(leaf.sum()),
            "target_weights": nodes["value"][leaf].tolist(),
        }
        for name, values in told.items():
            found.setdefault(name, []).extend(values)
    return found


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Cast so that no 32-bit clue changes its side of a threshold."""
    cast = thresholds.astype(np.float32)
    return np.where(cast > thresholds, np.nextafter(cast, np.float32(-np.inf)), cast).astype(np.float32)
