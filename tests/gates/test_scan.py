"""The scan gate: files are what their bytes are; a pickle is found wherever it is packed; nothing is ever called harmless."""

import re

import pytest

from flowreg.errors import BadInput
from flowreg.gates.facts import Content, PickleSeen

FORBID, SCAN, TRUST = ({"check": "scan", "pickle": mode} for mode in ("forbid", "scan", "trust"))
PLAIN = Content("model.safetensors", "safetensors")
GOOD = PickleSeen("", ("collections.OrderedDict", "numpy.dtype"))


def ask(bench, gate, *contents):
    return bench.decide(gate, bench.subject(7, {}, contents=lambda scanner: contents)).results[0]


def test_plain_formats_pass(bench):
    """Weights and texts; the sentence counts them."""
    found = ask(bench, FORBID, PLAIN, Content("README", "text"), Content("config.json", "json"))

    assert found.status == "pass"
    assert found.sentence == "3 files by their bytes: 1 json, 1 safetensors, 1 text; no pickle among them"


@pytest.mark.parametrize(
    "content",
    [
        Content("model.safetensors", "pickle", pickles=(GOOD,)),
        Content("model.pt", "torch", ("pickle",), (PickleSeen("archive/data.pkl", ("torch.FloatStorage",)),)),
        Content("x.npy", "npy", pickles=(PickleSeen("(objects of numpy)"),)),
    ],
)
def test_a_pickle_is_forbidden_unless_the_policy_says_otherwise(bench, content):
    """Whatever the file is called and wherever the pickle lies."""
    found = ask(bench, {"check": "scan"}, PLAIN, content)

    assert found.status == "fail"
    assert "is a pickle: loading it runs code from whoever wrote it" in found.sentence


@pytest.mark.parametrize(
    ("pickle", "said"),
    [
        (PickleSeen("", ("os.system",)), "imports os.system, which is not on the list"),
        (PickleSeen("", ("sklearn.linear_model._logistic.LogisticRegression",)), "not on the list"),
        (PickleSeen(""), "imports nothing, so nothing is known of it"),
        (PickleSeen("", ("numpy.dtype",), trouble="it ends in the middle"), "cannot be followed: it ends in the middle"),
        (PickleSeen("", ("numpy.dtype",), alarms=("numpy.dtype",)), "rings"),
    ],
)
def test_a_scanned_pickle_fails_for_anything_that_is_not_known(bench, pickle, said):
    """A name outside the list, no name at all, a program that cannot be followed, an alarm."""
    found = ask(bench, {**SCAN, "scanner": "picklescan"}, Content("m.pkl", "pickle", pickles=(pickle,)))

    assert found.status == "fail"
    assert said in found.sentence


def test_a_scanned_pickle_of_plain_values_passes_with_careful_words(bench):
    """It says what was not found, and the policy may list names of its own."""
    found = ask(bench, SCAN, Content("m.pkl", "pickle", pickles=(GOOD,)))
    own = ask(bench, {**SCAN, "names": ["my.Model"]}, Content("m.pkl", "pickle", pickles=(PickleSeen("", ("my.Model",)),)))

    assert (found.status, own.status) == ("pass", "pass")
    assert "no known bad call found in 1 pickle" in found.sentence


def test_trust_names_the_pickles(bench):
    """The policy takes the risk, and the record says so."""
    found = ask(bench, TRUST, Content("m.pkl", "pickle", pickles=(PickleSeen("", ("os.system",)),)))

    assert found.status == "pass"
    assert "whose code the policy trusts" in found.sentence


@pytest.mark.parametrize("mode", [FORBID, SCAN])
def test_what_runs_code_or_cannot_be_read_fails(bench, mode):
    """A Lambda layer, an archive that breaks off, bytes of no known format, a format that is not on the policy's list."""
    for content in (
        Content("m.h5", "hdf5", runs_code="a Lambda layer of Keras, which is code"),
        Content("m.zip", "zip", trouble="this zip cannot be read to its end"),
        Content("weights.bin", "unknown"),
        Content("m.zip", "zip", ("json", "unknown")),
    ):
        assert ask(bench, mode, PLAIN, content).status == "fail"
    assert ask(bench, {**mode, "formats": ["onnx"]}, PLAIN).status == "fail"


def test_formats_are_what_the_policy_lists(bench):
    """With a list it is the list, ``unknown`` among it if it must."""
    assert ask(bench, {**FORBID, "formats": ["onnx", "unknown"]}, Content("m", "onnx"), Content("weights.bin", "unknown")).status == "pass"
    assert ask(bench, {**FORBID, "formats": ["zip", "json"]}, Content("m.zip", "zip", ("json",))).status == "pass"


def test_files_that_cannot_be_looked_at_block(bench):
    """No reader, no files, or a reader that fails: an error each."""

    def broken(scanner):
        raise BadInput("the scanner picklescan is not installed", do='pip install "flowreg[scan]"')

    assert bench.decide(FORBID, {}).results[0].status == "error"
    assert ask(bench, FORBID).status == "error"
    found = bench.decide(FORBID, bench.subject(7, {}, contents=broken)).results[0]
    assert found.status == "error"
    assert 'pip install "flowreg[scan]"' in found.sentence


def test_no_sentence_calls_anything_safe(bench):
    """Nobody can know that; the name of a format is no verdict."""
    for gate in (FORBID, SCAN, TRUST):
        for content in (PLAIN, Content("m.pkl", "pickle", pickles=(GOOD,)), Content("x", "unknown")):
            assert not re.search(r"\b(safe|clean|harmless|secure)\b", ask(bench, gate, content).sentence, re.IGNORECASE)
