"""Manifests: paths that are safe on every system, one list for the same files, nothing else read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.core import codec
from flowreg.core.manifest import File, decode_manifest, encode_manifest, manifest_of, safe_path
from flowreg.errors import BadInput, Corrupt

D = "sha256:" + "a" * 64

UNSAFE = [
    "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", "a/./b", "\\", "a\\b", "..\\a", "C:", "C:a",
    "a:b", "a*", "a?", 'a"', "a<b",
    "a>b", "a|b", "a.", "a ", "a./b", "a /b", "con", "CON", "nul.txt", "a/aux", "com1", "LPT9.log", "a\0b", "a\nb", "a\x7f",
    "com¹", "lpt³.x", "CONIN$", "conout$.txt", "nul .txt", "a\u202eb", "a\u200bb",
    "e\u0301", "a\ud800", "x" * 256, "é" * 128, "/".join(["aaaa"] * 201), None, 5, b"a", ["a"],
]  # fmt: skip


@pytest.mark.parametrize("path", UNSAFE, ids=ascii)
def test_a_path_that_is_unsafe_somewhere_is_refused(path: Any) -> None:
    """On the way in, and on the way out: a manifest that has one is corrupt."""
    with pytest.raises(BadInput):
        safe_path(path)
    if isinstance(path, str) and "\ud800" not in path:
        raw = codec.encode({"files": [{"digest": D, "path": path, "size_bytes": 1}], "format": 1, "loader": "files"})
        with pytest.raises(Corrupt):
            decode_manifest(raw, where="churn@1")


@pytest.mark.parametrize(
    "path", ["a", "a/b/c.txt", ".hidden", "a.b.c", "größe.bin", "模型/权重", "a b", "conx", "com10", "-rf", "~", "$HOME", "a,b=c", "%2e%2e"]
)
def test_an_ordinary_path_is_taken(path: str) -> None:
    """As it is."""
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "paths", [("a", "A"), ("a/b", "A/c/../b"), ("é", "É"), ("ß", "SS"), ("a", "a/b"), ("A", "a/b"), ("a/b", "a/b/c/d"), ("x", "x")]
)
def test_paths_that_meet_somewhere_are_refused(paths: tuple[str, str]) -> None:
    """Equal but for case, or one below the other."""
    with pytest.raises(BadInput):
        manifest_of([File(path, 1, D) for path in paths], loader="files")


def test_no_files_are_no_artifact() -> None:
    """An empty folder is a mistake."""
    with pytest.raises(BadInput, match="at least one file"):
        manifest_of([], loader="files")


files = st.builds(File, st.text("abc/é.", min_size=1, max_size=6), st.integers(0, 2**53 - 1), st.sampled_from([D, "sha256:" + "b" * 64]))


@settings(max_examples=300, deadline=None)
@given(st.lists(files, min_size=1, max_size=5), st.randoms())
def test_a_manifest_is_a_function_of_its_files(listed: list[File], chance: Any) -> None:
    """In any order the same bytes, and read back the same value."""
    try:
        manifest = manifest_of(listed, loader="files")
    except BadInput:
        return
    chance.shuffle(listed)

    assert encode_manifest(manifest_of(listed, loader="files")) == encode_manifest(manifest)
    assert decode_manifest(encode_manifest(manifest), where="x") == manifest


GOOD = {"files": [{"digest": D, "path": "a", "size_bytes": 1}, {"digest": D, "path": "b", "size_bytes": 1}], "format": 1, "loader": "files"}
BAD: list[Any] = [
    None, [], 5, "x", {}, {**GOOD, "more": 1}, {**GOOD, "format": 2}, {**GOOD, "format": True}, {**GOOD, "loader": 5},
    {**GOOD, "files": []}, {**GOOD, "files": None},
    {**GOOD, "files": {}}, {**GOOD, "files": [5]}, {**GOOD, "files": [{}]}, {**GOOD, "files": GOOD["files"][::-1]}, {**GOOD,
    "files": GOOD["files"] * 2},
    {**GOOD, "files": [{**GOOD["files"][0], "mode": 511}]}, {**GOOD, "files": [{**GOOD["files"][0], "size_bytes": -1}]},
    {**GOOD, "files": [{**GOOD["files"][0], "size_bytes": True}]}, {**GOOD, "files": [{**GOOD["files"][0], "size_bytes": 1.5}]},
    {**GOOD, "files": [{**GOOD["files"][0], "digest": "sha256:0"}]}, {**GOOD, "files": [{**GOOD["files"][0], "path": 5}]},
]  # fmt: skip


@pytest.mark.parametrize("value", BAD, ids=lambda value: json.dumps(value)[-60:])
def test_what_is_no_manifest_is_corrupt(value: Any) -> None:
    """Its digest was right, so somebody registered junk: it is not used."""
    assert decode_manifest(codec.encode(GOOD), where="churn@1")
    with pytest.raises(Corrupt):
        decode_manifest(codec.encode(value), where="churn@1")
