"""The names a scanned pickle may import: exact, and few.

Rule: a name gets in only if neither calling it nor setting any state on it runs code of the pickle's choice: plain containers, numbers,
arrays and tensors. A model's own classes are for the policy to name.
"""

_BUILTINS = ("set", "frozenset", "bytearray", "complex", "slice", "range", "int", "float", "bool", "str", "bytes", "list", "dict", "tuple")
_DATETIME = ("date", "datetime", "time", "timedelta", "timezone")
_NUMPY = ("_reconstruct", "scalar")
_TORCH = (
    "torch.Size", "torch.device", "torch.float16", "torch.float32", "torch.float64", "torch.bfloat16", "torch.int8", "torch.int16",
    "torch.int32", "torch.int64", "torch.uint8", "torch.bool", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    "torch.storage.UntypedStorage",
)  # fmt: skip
_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")

ALLOWED = frozenset(
    {
        "collections.OrderedDict", "collections.deque", "copyreg._reconstructor", "builtins.object", "_codecs.encode",
        "decimal.Decimal", "numpy.dtype", "numpy.ndarray", "numpy._core.numeric._frombuffer", "numpy.core.numeric._frombuffer",
        *(f"builtins.{name}" for name in _BUILTINS),
        *(f"datetime.{name}" for name in _DATETIME),
        *(f"{home}.{name}" for home in ("numpy._core.multiarray", "numpy.core.multiarray") for name in _NUMPY),
        *_TORCH,
        *(f"torch.{name}Storage" for name in _STORAGES),
    }
)  # fmt: skip
