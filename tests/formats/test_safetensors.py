"""flowreg.formats.safetensors: named arrays, of numpy and of torch."""

from __future__ import annotations

import collections
import json
import sys

import numpy
import pytest

from flowreg.errors import BadInput, Corrupt
from flowreg.formats.safetensors import Safetensors


@pytest.fixture(autouse=True)
def _safetensors(needs):
    needs("safetensors", extra="safetensors")


@pytest.fixture
def torch(needs):
    return needs("torch", extra="torch")


@pytest.fixture
def arrays():
    """Awkward ones: a transposed view, no dimensions, big-endian, empty, booleans."""
    return {
        "view": numpy.arange(6.0).reshape(2, 3).T,
        "every second": numpy.arange(10)[::2],
        "scalar": numpy.array(1.5),
        "big-endian": numpy.arange(3, dtype=">f4"),
        "empty": numpy.empty((0, 2)),
        "flags": numpy.array([True, False]),
    }


def test_arrays_come_back_as_numpy_equal_and_writable(arrays, folder):
    """Values, shapes and kinds of number; copies in memory that one may change."""
    Safetensors().save(arrays, folder)
    loaded = Safetensors().load(folder, trust=False)

    assert {name: (array.shape, array.dtype.newbyteorder("=")) for name, array in loaded.items()} == {
        name: (array.shape, array.dtype.newbyteorder("=")) for name, array in arrays.items()
    }
    assert all(numpy.array_equal(loaded[name], arrays[name]) for name in arrays)
    assert list(loaded) == sorted(arrays)
    loaded["view"][0, 0] = 9


def test_one_dict_has_one_digest_whatever_its_order(arrays, saved_bytes, folder):
    """Saved twice, in another order, loaded and saved again: the same bytes."""
    Safetensors().save(arrays, folder)
    loaded = Safetensors().load(folder, trust=False)
    backwards = dict(reversed(arrays.items()))

    first, *others = (saved_bytes(Safetensors(), each) for each in (arrays, arrays, backwards, loaded))

    assert others == [first] * 3


def test_a_state_dict_comes_back_as_torch_and_fits_its_module(torch, folder):
    """Tied weights, views, counters and half precision included; predictions to the last bit."""

    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(7, 4)
            self.norm = torch.nn.BatchNorm1d(4)
            self.out = torch.nn.Linear(4, 7, bias=False)
            self.out.weight = self.embed.weight

        def forward(self, tokens):
            return self.out(self.norm(self.embed(tokens)))

    torch.manual_seed(0)
    model, other = Tied().eval(), Tied().eval()
    Safetensors().save(model.state_dict(), folder)
    loaded = Safetensors().load(folder, trust=False)
    other.load_state_dict(loaded)

    tokens = torch.arange(7)
    assert torch.equal(other(tokens), model(tokens))
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


def test_awkward_tensors_come_back_equal(torch, folder):
    """Transposed, sliced, conjugated, empty, without dimensions, bfloat16, and one that needs a gradient."""
    tensors = collections.OrderedDict(
        transposed=torch.arange(6.0).reshape(2, 3).t(),
        sliced=torch.arange(10)[2:5],
        conjugated=torch.tensor([1 + 2j], dtype=torch.complex64).conj(),
        empty=torch.empty(0, 3),
        scalar=torch.tensor(3.5),
        half=torch.ones(2, dtype=torch.bfloat16),
        graded=torch.nn.Parameter(torch.ones(2)),
    )

    Safetensors().save(tensors, folder)
    loaded = Safetensors().load(folder, trust=False)

    assert all(torch.equal(loaded[name], tensor) and loaded[name].dtype == tensor.dtype for name, tensor in tensors.items())


def test_a_state_dict_has_one_digest(torch, saved_bytes, folder):
    """Saved twice, loaded and saved again: the same bytes."""
    state = torch.nn.Linear(3, 2).state_dict()
    Safetensors().save(state, folder)

    first, *others = (saved_bytes(Safetensors(), each) for each in (state, state, Safetensors().load(folder, trust=False)))

    assert others == [first] * 2


def test_the_header_says_what_others_expect(arrays, torch, folder):
    """format np or pt, the words that other tools write and read; a file that says neither is numpy."""
    for thing, word in ((arrays, "np"), ({"a": torch.ones(2)}, "pt")):
        Safetensors().save(thing, folder)
        raw = (folder / "model.safetensors").read_bytes()
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        assert header["__metadata__"] == {"format": word}

    from safetensors.numpy import save_file

    save_file({"a": numpy.ones(2)}, folder / "model.safetensors")
    assert isinstance(Safetensors().load(folder, trust=False)["a"], numpy.ndarray)


def test_a_module_is_told_to_give_its_weights(torch, folder):
    """Only weights can be registered here."""
    with pytest.raises(BadInput, match=r"(?s)code and weights.*model\.state_dict\(\)"):
        Safetensors().save(torch.nn.Linear(2, 2), folder)


def test_sparse_and_empty_handed_tensors_are_refused_by_name(torch, folder):
    """What has no plain bytes is named, with the way out."""
    for tensor in (torch.eye(3).to_sparse(), torch.empty(3, device="meta")):
        with pytest.raises(BadInput, match="'odd' is sparse, quantized or without data"):
            Safetensors().save({"good": torch.ones(1), "odd": tensor}, folder)


NOT_ARRAYS = {
    "text": {"a": numpy.array(["x"])},
    "objects": {"a": numpy.array([object()])},
    "128 bits": {"a": numpy.ones(2, dtype=numpy.longdouble)},
    "a number": {"a": numpy.ones(2), "b": 3},
    "a key that is no text": {1: numpy.ones(2)},
    "nothing": {},
    "a list": [numpy.ones(2)],
}


@pytest.mark.parametrize("case", NOT_ARRAYS)
def test_what_is_no_dict_of_numbers_is_refused(case, folder):
    """With a sentence, and with nothing written."""
    with pytest.raises(BadInput):
        Safetensors().save(NOT_ARRAYS[case], folder)
    assert not list(folder.iterdir())


def test_damaged_bytes_are_corrupt(arrays, folder):
    """One error for every damage."""
    Safetensors().save(arrays, folder)
    raw = (folder / "model.safetensors").read_bytes()

    for damaged in (b"", b"\0" * 8, raw[:50], raw[:-1], raw + b"x", b"\xff" * 8 + raw[8:], raw.replace(b"[3,2]", b"[9,9]")):
        (folder / "model.safetensors").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"model\.safetensors cannot be read"):
            Safetensors().load(folder, trust=False)


def test_without_the_library_the_error_says_what_to_install(arrays, torch, folder, monkeypatch):
    """For arrays the small extra, for a state dict torch."""
    Safetensors().save({"a": torch.ones(2)}, folder)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "torch", None)
        with pytest.raises(BadInput, match=r'(?s)a torch state dict needs torch.*pip install "flowreg\[torch\]"'):
            Safetensors().load(folder, trust=False)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(BadInput, match=r'pip install "flowreg\[safetensors\]"'):
        Safetensors().save(arrays, folder)
