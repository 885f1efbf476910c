"""ONNX graphs, as an ``onnx.ModelProto`` or as the bytes of one, in ``model.onnx``.

Rule 1: bytes are kept exactly; a ``ModelProto`` is serialised deterministically.
Rule 2: a graph that keeps its weights in other files is refused: those would not be part of what was registered.
Rule 3: ``load`` returns **bytes**, always. ``onnxruntime.InferenceSession(model)`` and ``onnx.load_from_string(model)`` take
them, and a serving image need not carry onnx. Where onnx is installed, the bytes are parsed and checked first.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import BadInput, FlowregError
from .kinds import described, is_a
from .reading import model_file, reading

FILE = "model.onnx"
_IR_VERSION_TAG = 0x08  # every writer starts with field 1, the version of the format


class Onnx:
    """Any exported graph."""

    name = "onnx"
    extensions = (".onnx",)
    executes_code = False

    def can_save(self, obj: Any) -> int:
        if is_a(obj, "onnx", "ModelProto"):
            return 100
        return 10 if isinstance(obj, bytes) and _looks_like_onnx(obj) else 0

    def save(self, obj: Any, folder: Path) -> None:
        raw = _serialised(obj)
        problem = _problem(raw)
        if problem:
            raise BadInput(f"this is no ONNX model that can be registered: {problem}", where="nothing was written", do=_DO, code="bad-onnx")
        (folder / FILE).write_bytes(raw)

    def load(self, folder: Path, *, trust: bool) -> bytes:
        path = model_file(folder, FILE, self.extensions)
        raw = path.read_bytes()
        with reading(path, "onnx"):
            problem = _problem(raw)
            if problem:
                raise ValueError(problem)
        return raw


_DO = "export it with its weights inside (onnx.save_model(..., save_as_external_data=False)), or register the folder of files by its path"


def _serialised(obj: Any) -> bytes:
    if isinstance(obj, bytes):
        return obj
    if not is_a(obj, "onnx", "ModelProto"):
        raise BadInput(f"a {described(obj)} is no ONNX model", do="give an onnx.ModelProto or its bytes", code="cannot-save")
    try:
        return bytes(obj.SerializeToString(deterministic=True))
    except ValueError as error:  # protobuf stops at 2 GiB
        raise BadInput(f"this ONNX model cannot be written as one file: {error}", do=_DO, code="cannot-save") from error


def _problem(raw: bytes) -> str:
    """What is wrong with ``raw`` as a self-contained model; empty if nothing is, as far as can be told here."""
    if not _looks_like_onnx(raw):
        return "the bytes do not start like one"
    if find_spec("onnx") is None:
        return ""
    try:
        return _graph_problem(raw)
    except FlowregError:
        raise
    except Exception as error:  # protobuf's DecodeError is another class in each of its implementations
        return f"{type(error).__name__}: {error}"


def _graph_problem(raw: bytes) -> str:
    import onnx

    model = onnx.load_model_from_string(raw)
    if not model.HasField("graph") or not model.opset_import:
        return "it has no graph"
    outside = [tensor.name for tensor in _tensors(model) if tensor.data_location == onnx.TensorProto.EXTERNAL]
    return f"weights are kept in other files: {', '.join(outside[:3])}" if outside else ""


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor inside, also those of nested graphs and attributes."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for item in value if hasattr(value, "__len__") else (value,):
            if field.message_type.name == "TensorProto":
                yield item
            else:
                yield from _tensors(item)


def _looks_like_onnx(raw: bytes) -> bool:
    return len(raw) > 8 and raw[0] == _IR_VERSION_TAG
