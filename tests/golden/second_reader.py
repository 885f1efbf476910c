"""A second implementation of a reader, from ``flowreg/FORMAT.md`` alone and with nothing but the standard library.

It prints what it finds as JSON: ``python second_reader.py ROOT MODEL``. It leaves policies of several patterns and checkpoints out.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any


def sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def folder_of(root: Path, model: str | None) -> Path:
    if model is None:
        return root / "journal"
    plain = "abcdefghijklmnopqrstuvwxyz0123456789._-/"
    spelled = "".join(c if c in plain else "".join(f"%{b:02x}" for b in c.encode()) for c in model)
    device = r"(?<![^/])(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=[./]|$)"  # a part that Windows cannot hold
    spelled = re.sub(device, lambda found: f"%{ord(found[0][0]):02x}{found[0][1:]}", spelled)
    return root / "models" / re.sub(r"\.(?=/|$)", "%2e", spelled) / "journal"


def entries(root: Path, model: str | None) -> list[tuple[bytes, dict[str, Any] | None]]:
    """Every file in order with what it says, or None where it says nothing."""
    found = []
    for seq in range(1, 10**9):
        file = folder_of(root, model) / f"{seq:020d}.json"
        if not file.exists():
            return found
        raw = file.read_bytes()
        try:
            said = json.loads(raw)
        except ValueError:
            said = None
        if said and (said.get("model"), said["seq"], said["format"]) != (model, seq, 1):
            said = None
        before = sha256(found[-1][0]) if found else None
        if said and said.get("parent") != before:
            raise SystemExit(f"break at {seq}")
        found.append((raw, said))
    raise AssertionError


def policy_in_force(root: Path, model: str, alias: str, under: int) -> dict[str, Any] | None:
    policies: dict[str, dict[str, Any]] = {}
    for _, said in entries(root, None)[:under]:
        for event in (said or {}).get("events", ()):
            if event["kind"] == "policy_set":
                policies[event["name"]] = event
            if event["kind"] == "policy_removed":
                policies.pop(event["name"], None)
    covering = [p for p in policies.values() if p["alias"] == alias and any(fnmatch.fnmatchcase(model, m) for m in p["models"])]
    return covering[-1] if covering else None


def allowed(root: Path, said: dict[str, Any], event: dict[str, Any], moves: list[dict[str, Any]], retired: set[int]) -> bool:
    holder = moves[-1].get("version") if moves else None
    version, policy = event.get("version"), policy_in_force(root, said["model"], event["alias"], said["under"])
    if event.get("base") != holder or version in retired:
        return False
    match event["how"]:
        case "promotion":
            return policy is not None and any(
                e["kind"] == "decided" and e["outcome"] == "promote" and e["decision"] == event["decision"]
                and (e["version"], e.get("base"), e["generation"]) == (version, holder, len(moves))
                and e["policy_digest"] == policy["digest"]
                for e in said["events"]
            )  # fmt: skip
        case "rollback":
            return bool(said.get("because")) and version != holder and version in [m.get("version") for m in moves]
        case "override":
            by = (policy or {}).get("policy", {}).get("override", {}).get("by", [])
            return bool(said.get("because")) and any(fnmatch.fnmatchcase(said["by"]["actor"], p) for p in by)
        case _:
            return policy is None


def counts(
    root: Path, said: dict[str, Any], event: dict[str, Any], versions: list[dict[str, Any]], moves: list[dict[str, Any]],
    words: list[dict[str, Any]],
) -> bool:  # fmt: skip
    """Whether a person's word is about what is there."""
    policy = policy_in_force(root, said["model"], event["alias"], said["under"])
    return (
        bool(said.get("because"))
        and policy is not None
        and event["policy_digest"] == policy["digest"]
        and versions[event["version"] - 1]["manifest"] == event["manifest"]
        and (event.get("base"), event["generation"]) == (moves[-1].get("version") if moves else None, len(moves))
        and event.get("key") not in {word["key"] for word in words if "key" in word}
    )


def same_bytes(versions: list[dict[str, Any]], number: int, barred: set[Any]) -> set[int]:
    """This version, with all that have its bytes if those are among ``barred``."""
    manifest = versions[number - 1]["manifest"]
    return {number} | {n for n, version in enumerate(versions, 1) if manifest in barred and version["manifest"] == manifest}


def state_of(root: Path, model: str) -> dict[str, Any]:
    versions: list[dict[str, Any]] = []
    aliases: dict[str, list[dict[str, Any]]] = {}
    retired: set[int] = set()
    barred: set[str] = set()
    dropped: set[int] = set()
    held: set[int | None] = set()
    words: list[dict[str, Any]] = []
    void: list[int] = []
    for seq, (_, said) in enumerate(entries(root, model), start=1):
        if said is None:
            void.append(seq)
            continue
        for event in said["events"]:
            match event["kind"]:
                case "version_registered":
                    versions.append({"manifest": event["manifest"], "labels": event["labels"], "metrics": {}})
                    retired |= {len(versions)} if event["manifest"] in barred else set()
                    dropped -= same_bytes(versions, len(versions), {event["manifest"]})
                case "evaluated":
                    versions[event["version"] - 1]["metrics"].update(event["metrics"])
                case "labelled":
                    versions[event["version"] - 1]["labels"].update(event["labels"])
                case "alias_moved":
                    moves = aliases.setdefault(event["alias"], [])
                    if not allowed(root, said, event, moves, retired):
                        void.append(seq)
                        break
                    moves.append(event)
                case "approved":
                    if not counts(root, said, event, versions, aliases.get(event["alias"], []), words):
                        void.append(seq)
                        break
                    words.append({**event, "person": event.get("person", said["by"]["actor"])})
                case "held":
                    held.add(event.get("version"))
                case "released":
                    held.discard(event.get("version"))
                case "bytes_dropped":
                    same = same_bytes(versions, event["version"], {event["manifest"]})
                    if (
                        versions[event["version"] - 1]["manifest"] != event["manifest"]
                        or not same <= retired - dropped
                        or held & {None, *same}
                    ):
                        void.append(seq)
                        break
                    dropped |= same
                case "retired":
                    retired |= same_bytes(versions, event["version"], {event.get("manifest")})
                    barred |= {event["manifest"]} if "manifest" in event else set()
                case "restored":
                    retired -= same_bytes(versions, event["version"], barred)
                    barred.discard(versions[event["version"] - 1]["manifest"])
    holders = {alias: moves[-1].get("version") for alias, moves in aliases.items()}
    told = [(word["version"], word["person"], word["verdict"]) for word in words]
    return {
        "versions": versions, "aliases": holders, "retired": sorted(retired), "dropped": sorted(dropped), "approvals": told, "void": void,
    }  # fmt: skip


def people_of(root: Path) -> dict[str, list[str]]:
    """Who is in which group."""
    events = [event for _, said in entries(root, None) for event in (said or {}).get("events", ())]
    return next((event["groups"] for event in reversed(events) if event["kind"] == "people_set"), {})


def files_of(root: Path, manifest: str) -> dict[str, bytes]:
    def blob(digest: str) -> bytes:
        hexes = digest.removeprefix("sha256:")
        plain = root / "blobs" / "sha256" / hexes[:2] / hexes
        places = [plain, *(plain.with_name(f"{hexes}.{n}") for n in range(1, 10))]
        raw = next(place for place in places if place.exists()).read_bytes()
        assert sha256(raw) == digest
        return raw

    return {file["path"]: blob(file["digest"]) for file in json.loads(blob(manifest))["files"]}


if __name__ == "__main__":
    print(json.dumps(state_of(Path(sys.argv[1]), sys.argv[2]), indent=1))
