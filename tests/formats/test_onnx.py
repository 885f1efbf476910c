"""flowreg.formats.onnx: exported graphs."""

from __future__ import annotations

import importlib.util

import numpy
import pytest

from flowreg.errors import BadInput, Corrupt
from flowreg.formats.choose import saver_for
from flowreg.formats.onnx import Onnx


@pytest.fixture
def onnx(needs):
    return needs("onnx", extra="onnx")


@pytest.fixture
def graph(onnx):
    """y = x · W + b, checked by onnx's own checker."""
    from onnx import TensorProto, helper, numpy_helper

    weights = [numpy_helper.from_array(numpy.arange(6, dtype="f4").reshape(3, 2), "W"), numpy_helper.from_array(numpy.ones(2, "f4"), "b")]
    nodes = [helper.make_node("MatMul", ["x", "W"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name, width in (("x", 3), ("y", 2))]
    model = helper.make_model(helper.make_graph(nodes, "line", ends[:1], ends[1:], weights), opset_imports=[helper.make_opsetid("", 18)])
    model.metadata_props.add(key="b", value="2")
    onnx.checker.check_model(model)
    return model


def _predict(onnx, model):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, {"x": numpy.array([[1, 2, 3]], "f4")})[0]


def test_a_graph_comes_back_as_bytes_that_predict_the_same(onnx, graph, folder):
    """load gives the bytes that runtimes take; they parse to the same model."""
    Onnx().save(graph, folder)
    loaded = Onnx().load(folder, trust=False)

    assert isinstance(loaded, bytes)
    assert onnx.load_from_string(loaded) == graph
    assert numpy.array_equal(_predict(onnx, onnx.load_from_string(loaded)), _predict(onnx, graph))


def test_bytes_are_chosen_and_kept_exactly(graph, folder):
    """Bytes of a model go to onnx by themselves and come back unchanged."""
    raw = graph.SerializeToString()

    saver_for(raw).save(raw, folder)

    assert saver_for(raw).name == saver_for(graph).name == "onnx"
    assert Onnx().load(folder, trust=False) == raw == (folder / "model.onnx").read_bytes()


def test_one_graph_has_one_digest(onnx, graph, saved_bytes):
    """Also after a round trip through another object."""
    copy = onnx.load_from_string(graph.SerializeToString())

    assert saved_bytes(Onnx(), graph) == saved_bytes(Onnx(), graph) == saved_bytes(Onnx(), copy)


@pytest.mark.parametrize("where", ["weights", "inside an attribute"])
def test_weights_in_other_files_are_refused(where, onnx, graph, folder):
    """They would not be part of what was registered, wherever in the graph they hide."""
    outside = graph.graph.initializer[0]
    if where == "inside an attribute":
        constant = onnx.helper.make_node("Constant", [], ["c"], value=outside)
        branch = onnx.helper.make_graph([constant], "branch", [], [onnx.helper.make_tensor_value_info("c", 1, [3, 2])])
        graph.graph.node.append(onnx.helper.make_node("If", ["b"], ["z"], then_branch=branch, else_branch=branch))
        outside = graph.graph.node[-1].attribute[0].g.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(outside, location="../../etc/passwd")
    outside.ClearField("raw_data")

    with pytest.raises(BadInput, match=r"(?s)weights are kept in other files: W.*by its path"):
        Onnx().save(graph, folder)
    assert not list(folder.iterdir())

    (folder / "registered.onnx").write_bytes(graph.SerializeToString())
    with pytest.raises(Corrupt, match="kept in other files"):
        Onnx().load(folder, trust=True)


def test_what_is_no_graph_is_refused(onnx, graph, folder):
    """Other bytes, another message, or no graph inside: nothing is written."""
    raw = graph.SerializeToString()
    for bad in (b"", b"hello hello", raw[: len(raw) // 2], onnx.ModelProto(ir_version=8), {"a": 1}):
        with pytest.raises(BadInput):
            Onnx().save(bad, folder)
    assert not list(folder.iterdir())


def test_damaged_bytes_are_corrupt(graph, folder):
    """One error for every damage."""
    raw = graph.SerializeToString()
    for damaged in (b"", b"PK\x03\x04 not onnx", raw[:40], raw[: len(raw) // 2]):
        (folder / "model.onnx").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"model\.onnx cannot be read by onnx"):
            Onnx().load(folder, trust=False)


def test_a_serving_image_without_onnx_still_gets_the_bytes(graph, folder, monkeypatch):
    """onnxruntime alone can serve: the type of what load returns does not depend on what is installed."""
    Onnx().save(graph, folder)
    found = importlib.util.find_spec
    monkeypatch.setattr("flowreg.formats.onnx.find_spec", lambda name: None if name == "onnx" else found(name))

    assert Onnx().load(folder, trust=False) == graph.SerializeToString(deterministic=True)
