"""Names: one spelling, on disk too; nothing that a file system, a shell or a look-alike could turn into something else."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flowreg.core.layout import blob_path, checkpoint_path, entry_path, head_path, journal_folder, model_of_head
from flowreg.core.names import alias_name, digest, from_disk, model_name, on_disk, parse_ref, shown
from flowreg.errors import BadInput
from tests.golden.second_reader import folder_of

ALPHABET = "abAB09._-/éÉßſΣςıİｆﬁ模K%"


def is_name(text: str) -> bool:
    try:
        model_name(text)
    except BadInput:
        return False
    return True


models = st.text(ALPHABET, min_size=1, max_size=8).filter(is_name) | st.text(min_size=1, max_size=12).filter(is_name)


@settings(max_examples=400, deadline=None)
@given(models, models)
def test_two_names_never_meet_on_disk(one: str, other: str) -> None:
    """Whatever a file system does about case and Unicode: two models are two folders and two heads."""
    assume(one != other)

    def seen(path: str) -> str:
        return unicodedata.normalize("NFKC", path.casefold())

    assert seen(on_disk(one)) != seen(on_disk(other))
    assert seen(head_path(one)) != seen(head_path(other))


@settings(max_examples=400, deadline=None)
@given(models)
def test_a_name_is_read_back_from_its_paths(name: str) -> None:
    """``from_disk(on_disk(name)) == name``, and the file name of a head names its model."""
    assert from_disk(on_disk(name)) == name
    assert model_of_head(head_path(name).removeprefix("heads/")) == name
    assert on_disk(name).isascii()
    assert on_disk(name) == on_disk(name).lower()


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET + "cd234", max_size=12))
def test_what_no_name_is_written_as_is_no_name(text: str) -> None:
    """A stranger's folder is nobody's model: there is one spelling of each."""
    name = from_disk(text)

    assert name is None or on_disk(name) == text


@settings(max_examples=300, deadline=None)
@given(models)
def test_every_file_name_of_a_model_fits_a_file_system(name: str) -> None:
    """No part of a path is longer than 255 bytes, however deep the namespace."""
    for path in (entry_path(name, 10**19), checkpoint_path(name, 10**19), head_path(name)):
        assert max(len(part) for part in path.split("/")) <= 255 - len("..0123456789abcdef.tmp")


DEVICES = ("con", "prn", "aux", "nul", "com1", "com0", "lpt9", "Con", "cOn", "COM¹", "lpt³", "conx", "com10", "com")
parts = st.tuples(st.sampled_from(DEVICES) | st.just("churn"), st.sampled_from(["", ".", "..", ".v2", "..v2.", "x", "-", "²"])).map("".join)
odd = st.lists(parts, min_size=1, max_size=3).map("/".join)


@settings(max_examples=400, deadline=None)
@given((odd | models).filter(is_name))
def test_every_path_of_a_model_can_be_copied_to_windows(name: str) -> None:
    """No part of it is a device there, or ends in a dot; it is read back, and the second reader finds the same folder."""
    for path in (entry_path(name, 1), checkpoint_path(name, 1), head_path(name)):
        assert [part for part in path.split("/") if part.endswith(".") or PureWindowsPath(part).is_reserved()] == []
    assert from_disk(on_disk(name)) == name
    assert model_of_head(head_path(name).removeprefix("heads/")) == name
    assert folder_of(Path("r"), name) == Path("r", journal_folder(name))


SPELLED = {
    "churn": "churn", "risk/churn.v2": "risk/churn.v2", "a.b-c_d": "a.b-c_d", "Churn": "%43hurn", "conx": "conx", "a.con": "a.con",
    "con": "%63on", "risk/nul.v2": "risk/%6eul.v2", "com1": "%63om1", "com10": "com10", "churn.": "churn%2e", "a./aux.": "a%2e/%61ux%2e",
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLED)
def test_each_name_has_one_spelling_for_ever(name: str) -> None:
    """Ordinary names as they are, others by the rule of FORMAT.md; what was written once must be found again."""
    assert on_disk(name) == SPELLED[name]


def test_a_deep_namespace_is_refused_before_its_head_could_not_be_named() -> None:
    """A head is one file name, with ``/`` as ``%2f``."""
    assert model_name("/".join("a" * 50))
    with pytest.raises(BadInput):
        model_name("/".join("a" * 100))


NO_MODELS = [
    "", " ", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/../b", ".a", "_a", "-a", "a b", "a\n", "a\0", "a\\b",
    "a:b", "a@b", "a*", "a?",
    "a%2fb", "~a", "journal", "a/journal", "checkpoints/a", "e\u0301", "a\u200b", "\u202eabc", "a\ud800", "😀", "x" * 201,
    "é" * 100, "a" * 101, None, 5,
    b"a", ["a"],
]  # fmt: skip


@pytest.mark.parametrize("name", NO_MODELS, ids=ascii)
def test_what_cannot_name_a_model(name: Any) -> None:
    """Refused with the allowed form."""
    with pytest.raises(BadInput, match=r"churn or risk/churn|is text") as error:
        model_name(name)

    assert len(str(error.value)) < 1000


NO_ALIASES = [
    "", "Champion", "1st", "v7", "v", "newest", "latest", "current", "none", "a b", "a/b", "a@b", "a~1", "é", "a" * 65, "_a",
    "a\n", None, 5,
]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NO_ALIASES if name != "v"], ids=ascii)
def test_what_cannot_name_an_alias(name: Any) -> None:
    """Neither what looks like a version nor what means something else already."""
    with pytest.raises(BadInput):
        alias_name(name)


NO_REFS = [
    "", "churn", "@1", "churn@", "churn@0", "churn@01", "churn@-1", "churn@+1", "churn@1.0", "churn@١", "churn@1 ",
    "churn@1\n", "churn@1@2", "churn@champion~0",
    "churn@champion~01", "churn@champion~", "churn@newest~1", "churn@1~1", "churn@NEWEST", "churn@sha256:abc",
    "churn@sha256:ABCDEF", "churn@sha256:" + "a" * 65,
    "churn@latest", "churn@v3", "churn@9999999999", "../churn@1", "churn@champion~99999", "a" * 10**6,
    "churn@" + "a" * 10**6, None, 5, b"churn@1", ["churn@1"],
]  # fmt: skip


@pytest.mark.parametrize("ref", NO_REFS, ids=lambda ref: ascii(ref)[:30])
def test_what_is_no_reference(ref: Any) -> None:
    """Refused with every form there is, however long what was given."""
    with pytest.raises(BadInput) as error:
        parse_ref(ref)

    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "g" * 64, "sha256:" + "A" * 64, "SHA256:" + "a" * 64, "sha256:" + "a" * 63, "../x", None, 5]
)
def test_only_a_digest_makes_a_path_of_a_blob(text: Any) -> None:
    """No path is made of anything else."""
    with pytest.raises(BadInput):
        digest(text)
    with pytest.raises(BadInput):
        blob_path(text)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | st.lists(st.text()))
def test_what_is_quoted_can_be_printed(value: object) -> None:
    """No control characters, no bidirectional tricks, no lone surrogates, no flood."""
    assert shown(value).isprintable()
    assert len(shown(value)) < 120
