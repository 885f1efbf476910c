"""Named arrays: a dict of numpy arrays, or a torch state dict, in ``model.safetensors``.

Rule 1: what went in as torch comes back as torch (on the CPU), numpy as numpy: the file says ``format: pt`` or ``np``,
as others write it too. A file that says neither comes back as numpy.
Rule 2: arrays are written whole and contiguous. Tied weights (two names for one tensor) are written twice, with equal values.
Rule 3: loaded arrays are copies in memory, not views of the file: a file changed later changes no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.names import shown
from ..errors import BadInput
from .kinds import described, is_a
from .reading import model_file, needed, reading

FILE = "model.safetensors"
_NUMPY_KINDS = "biufc"  # booleans, integers, floats, complex: what has a fixed size and no Python object inside


class Safetensors:
    """Weights without code."""

    name = "safetensors"
    extensions = (".safetensors",)
    executes_code = False

    def can_save(self, obj: Any) -> int:
        return 100 if _all_of(obj, "numpy", "ndarray") or _all_of(obj, "torch", "Tensor") else 0

    def save(self, obj: Any, folder: Path) -> None:
        if _all_of(obj, "torch", "Tensor"):
            tensors, kind, module = _plain_tensors(obj), "pt", "safetensors.torch"
        elif _all_of(obj, "numpy", "ndarray"):
            tensors, kind, module = _plain_arrays(obj), "np", "safetensors.numpy"
        else:
            raise _not_named_arrays(obj)
        library = needed(module, by="a dict of arrays", extra="safetensors")
        try:
            raw = library.save(tensors, metadata={"format": kind})  # one key only: their order would be random
        except Exception as error:  # a dtype it does not know is a KeyError, a SafetensorError or a ValueError
            raise BadInput(f"these arrays cannot be written as safetensors: {error}", code="cannot-save") from error
        (folder / FILE).write_bytes(raw)

    def load(self, folder: Path, *, trust: bool) -> dict[str, Any]:
        path = model_file(folder, FILE, self.extensions)
        needed("safetensors", by="a file of arrays", extra="safetensors")
        with reading(path, "safetensors"):
            raw = path.read_bytes()
            if _kind_of(raw) == "pt":
                needed("torch", by="a torch state dict", extra="torch")
                library = needed("safetensors.torch", by="a torch state dict", extra="torch")
            else:
                library = needed("safetensors.numpy", by="a dict of arrays", extra="safetensors")
            return dict(sorted(library.load(raw).items()))  # the library gives another order each time


def _all_of(obj: Any, package: str, name: str) -> bool:
    return isinstance(obj, Mapping) and bool(obj) and all(isinstance(key, str) and is_a(value, package, name) for key, value in obj.items())


def _plain_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    import numpy

    for name, array in arrays.items():
        if array.dtype.kind not in _NUMPY_KINDS:
            raise BadInput(
                f"the array {shown(name)} holds {array.dtype}, not numbers",
                do="convert it to a number type, or leave it out",
                code="cannot-save",
            )
    # numpy.asarray keeps 0-dimensional arrays as they are, where ascontiguousarray makes them 1-dimensional.
    return {name: numpy.asarray(array, order="C") for name, array in arrays.items()}


def _plain_tensors(tensors: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    plain: dict[str, Any] = {}
    storages: set[int] = set()
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
            raise BadInput(
                f"the tensor {shown(name)} is sparse, quantized or without data",
                do="make it dense first: tensor.to_dense() or tensor.dequantize()",
                code="cannot-save",
            )
        one = tensor.detach().cpu().contiguous().resolve_conj().resolve_neg()
        storage = one.untyped_storage().data_ptr()
        plain[name] = one.clone() if storage in storages else one
        storages.add(storage)
    return plain


def _not_named_arrays(obj: Any) -> BadInput:
    if is_a(obj, "torch", "Module"):
        return BadInput(
            f"a {described(obj)} is code and weights; only weights can be registered", do="pass model.state_dict()", code="cannot-save"
        )
    return BadInput(
        f"a {described(obj)} is no dict of arrays{_first_stranger(obj)}",
        do="give a dict of text to numpy arrays, or to torch tensors",
        code="cannot-save",
    )


def _first_stranger(obj: Any) -> str:
    """The first entry that is neither array nor tensor, for the message."""
    if not isinstance(obj, Mapping):
        return ""
    for key, value in obj.items():
        if not isinstance(key, str) or not (is_a(value, "numpy", "ndarray") or is_a(value, "torch", "Tensor")):
            return f": {shown(key)} is a {described(value)}"
    return ""


def _kind_of(raw: bytes) -> str:
    """``pt`` or ``np`` as the header says; empty where it says nothing. The layout is 8 bytes of length, then JSON."""
    length = int.from_bytes(raw[:8], "little")
    return str(json.loads(raw[8 : 8 + length]).get("__metadata__", {}).get("format", ""))
