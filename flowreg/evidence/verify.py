#!/usr/bin/env python3
"""Check a bundle of evidence, with Python 3.9 or newer and nothing else: python3 verify.py [--files FOLDER]

It reads what lies beside it, and says whether
  * every file is the one that bundle.json lists, and there is no other;
  * both journals are whole: entry 1, 2, 3 ..., each naming the digest of the one before;
  * the version was registered with this manifest, and every decision, policy, approval and evaluation about it fits what it names;
  * the files of the artifact are those of the manifest (in the folder files, or the one given with --files).

It does not prove who wrote the journal, nor when: nothing in it is signed, and times are those of the writers' clocks. Compare the
digest of bundle.json, which it prints, with the one that was noted when the bundle was made. The exit code is 0 if all holds, 1 if not.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys


class Fault(Exception):
    """What is wrong, and where."""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read(folder, path):
    place = os.path.join(folder, *path.split("/"))
    if os.path.islink(place) or not os.path.isfile(place):
        raise Fault(path + " is missing")
    with open(place, "rb") as file:
        return file.read()


def parsed(raw, what):
    def once(pairs):
        found = {}
        for name, value in pairs:
            if name in found:
                raise Fault(what + " names " + repr(name) + " twice")
            found[name] = value
        return found

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Fault(what + " is no JSON") from None


def number(value):
    """A number as RFC 8785 writes it."""
    if isinstance(value, int) or value == int(value) and abs(value) < 1e21:
        return str(int(value))
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, part = mantissa.lstrip("-").partition(".")
    digits, point = whole + part, len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    if 0 < point <= 21:
        return sign + digits.ljust(point, "0")[:point] + ("." + digits[point:] if len(digits) > point else "")
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + "e" + ("+" if point > 0 else "-") + str(abs(point - 1))


def canonical(value):
    """Canonical JSON, RFC 8785."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(json.dumps(name, ensure_ascii=False) + ":" + canonical(value[name]) for name in names) + "}"


def check_index(folder, index):
    """Every file is as listed, and no other is there."""
    listed = {line["path"]: line for line in index["files"]}
    for path, line in sorted(listed.items()):
        if path.startswith("/") or ".." in path.split("/"):
            raise Fault("bundle.json lists a path outside the bundle: " + repr(path))
        data = read(folder, path)
        if len(data) != line["size_bytes"] or digest_of(data) != line["digest"]:
            raise Fault(path + " (" + line["role"] + ") is not what bundle.json lists: it was changed, or cut off")
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
            if path not in listed and path != "bundle.json" and not path.startswith("files/"):
                raise Fault(path + " is in the bundle, and bundle.json does not list it")
    return listed


def read_journal(folder, index, name, listed):
    """The entries of a journal that have an effect, by number; and the digest of its first."""
    prefix = name + "/journal/"
    numbers = sorted(int(path[len(prefix) : -5]) for path in listed if path.startswith(prefix))
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise Fault("the journal of the " + name + " has a gap: it has the entries " + str(numbers)[:200])
    entries, before, first = {}, None, None
    for seq in numbers:
        path = prefix + "%020d.json" % seq
        raw = read(folder, path)
        if str(seq) not in index["without_effect"][name]:
            said = parsed(raw.splitlines()[0] if raw else b"", path)
            if said.get("parent") != before:
                raise Fault(
                    path
                    + " does not follow the entry before it: that has the digest "
                    + str(before)
                    + ", it names "
                    + str(said.get("parent"))
                )
            if said.get("seq") != seq:
                raise Fault(path + " says that it is entry " + str(said.get("seq")))
            entries[seq] = said
        before = digest_of(raw)
        first = first or before
    return entries, first


class Version:
    """What the journal says about the version of the bundle."""

    def __init__(self, index, entries, policies, blob):
        self.number, self.manifest = index["version"], index["manifest"]
        self.blob, self.policies = blob, policies
        self.registered, self.told = False, []
        for seq, said in sorted(entries.items()):
            for event in said["events"]:
                if event.get("version") == self.number:
                    self.add(seq, said, event)
        if not self.registered:
            raise Fault("no entry registers version " + str(self.number) + " of " + index["model"])

    def add(self, seq, said, event):
        kind, where = event["kind"], "entry " + str(seq) + " of the model (" + event["kind"] + ")"
        if kind == "version_registered":
            self.registered = True
            self.same(where, "the manifest", event["manifest"], self.manifest)
            self.need(where, event["manifest"], event.get("card"), event.get("golden"))
            self.run(where, event.get("run"))
            self.told.append((said, "registered it"))
        elif kind == "evaluated":
            self.need(where, event.get("table"), event.get("examples"))
            self.run(where, event.get("run"))
            self.told.append((said, "evaluated it on " + str(event.get("dataset"))))
        elif kind == "decided":
            self.decided(where, event)
            self.told.append((said, "decided: " + event["outcome"] + " as " + event["alias"] + " under policy " + event["policy"]))
        elif kind == "approved":
            self.same(where, "the manifest", event["manifest"], self.manifest)
            self.told.append(
                (said, event["verdict"] + " it as " + event["alias"] + (" (" + event["person"] + ")" if event.get("person") else ""))
            )
        elif kind == "alias_moved":
            self.moved(where, said, event)
            self.told.append((said, "made it " + event["alias"] + " by " + event["how"]))
        elif kind == "retired":
            self.told.append((said, "retired it"))

    def same(self, where, what, found, expected):
        if found != expected:
            raise Fault(where + ": " + what + " is " + str(found) + ", and elsewhere " + str(expected))

    def need(self, where, *digests):
        for digest in digests:
            if digest is not None:
                self.blob(digest, where)

    def run(self, where, run):
        environment, git = (run or {}).get("environment") or {}, (run or {}).get("git") or {}
        self.need(
            where, environment.get("packages"), (environment.get("lockfile") or {}).get("digest"), git.get("diff"), git.get("untracked")
        )

    def decided(self, where, event):
        record = parsed(self.blob(event["decision"], where), "the decision of " + where)
        self.same(where, "the manifest", event["manifest"], self.manifest)
        candidate = record["candidate"]
        for what, found, name in (
            ("the version", candidate["version"], "version"),
            ("the manifest", candidate["manifest"], "manifest"),
            ("the alias", record["alias"], "alias"),
            ("the outcome", record["outcome"], "outcome"),
            ("the policy", record["policy_digest"], "policy_digest"),
            ("the number of moves", record["generation"], "generation"),
        ):
            self.same(where, what + " in the record of the decision", found, event.get(name, 0))
        digest = digest_of(canonical(record["policy"]).encode("utf-8"))
        self.same(where, "the digest of the policy's text", digest, event["policy_digest"])
        if digest not in self.policies:
            raise Fault(where + ": the registry never had the policy " + event["policy"] + " with the digest " + digest)
        stands = [r for r in record["results"] if r.get("severity", "fail") == "fail" and r["status"] not in ("pass", "skip")]
        if event["outcome"] == "promote" and (stands or not any(r["status"] == "pass" for r in record["results"])):
            raise Fault(where + ": it says promote, and its own record has a gate that did not pass")

    def moved(self, where, said, event):
        if event["how"] == "promotion":
            beside = [e for e in said["events"] if e["kind"] == "decided" and e.get("decision") == event.get("decision")]
            if not beside or beside[0]["outcome"] != "promote" or beside[0]["alias"] != event["alias"]:
                raise Fault(where + ": the alias was promoted without a decision to promote in the same entry")
        if event["how"] in ("rollback", "override") and not said.get("because"):
            raise Fault(where + ": there is no reason")


def check_files(folder, manifest):
    """The files of the artifact, against the manifest; how many."""
    for line in manifest["files"]:
        data = read(folder, line["path"])
        if len(data) != line["size_bytes"] or digest_of(data) != line["digest"]:
            raise Fault(line["path"] + " of the artifact is not the file that was registered")
    there = sum(len(names) for _, _, names in os.walk(folder))
    if there != len(manifest["files"]):
        raise Fault("the artifact has " + str(len(manifest["files"])) + " files, the folder " + str(there))
    return len(manifest["files"])


def check(folder, files=None):
    """All of it; what holds, a sentence each. Raises ``Fault``."""
    raw = read(folder, "bundle.json")
    index = parsed(raw, "bundle.json")
    if index.get("format") != 1:
        raise Fault("bundle.json has format " + str(index.get("format")) + "; this script reads 1")
    listed = check_index(folder, index)
    yield str(len(listed)) + " files are as listed"
    registry, genesis = read_journal(folder, index, "registry", listed)
    if genesis != index["registry"]:
        raise Fault("the registry's journal begins with " + genesis + ", not with the identity " + str(index["registry"]))
    model, _ = read_journal(folder, index, "model", listed)
    for name, entries, expected in (("registry", registry, None), ("model", model, index["model"])):
        for seq, said in entries.items():
            if said.get("registry") != (None if name == "registry" and seq == 1 else genesis) or said.get("model") != expected:
                raise Fault("entry " + str(seq) + " of the " + name + " is of another journal")
    yield (
        "the journals are whole: "
        + str(len(registry))
        + " entries of the registry, "
        + str(len(model))
        + " of the model, each linked to the one before"
    )
    policies = {}
    for said in registry.values():
        for event in said["events"]:
            if event["kind"] == "policy_set" and digest_of(canonical(event["policy"]).encode("utf-8")) == event["digest"]:
                policies[event["digest"]] = event["name"]

    def blob(digest, where):
        path = "blobs/" + digest[7:]
        data = read(folder, path)
        if digest_of(data) != digest:
            raise Fault(path + ", which " + where + " names, has other bytes")
        return data

    version = Version(index, model, policies, blob)
    yield index["ref"] + " was registered with the manifest " + index["manifest"]
    yield "decisions, policies, approvals and evaluations fit together"
    for said, what in version.told:
        because = " because: " + said["because"] if said.get("because") else ""
        yield "  " + said["at"][:19] + "Z " + said["by"]["actor"] + " " + what + because
    manifest = parsed(blob(index["manifest"], "the version"), "the manifest")
    inside = os.path.join(folder, "files")
    place = files or (inside if os.path.isdir(inside) else None)
    if place:
        yield str(check_files(place, manifest)) + " files of the artifact are those that were registered"
    else:
        yield "the artifact's own files were not looked at: give the folder they were fetched into with --files"
    yield "the digest of bundle.json is " + digest_of(raw) + " (compare it with the one noted elsewhere)"


def main(argv):
    folder, files = os.path.dirname(os.path.abspath(__file__)), None
    if argv[:1] == ["--files"] and len(argv) == 2:
        files = argv[1]
    elif argv:
        print(__doc__)
        return 2
    try:
        for sentence in check(folder, files):
            print(sentence if sentence.startswith(" ") else "ok   " + sentence)
    except Fault as fault:
        print("FAULT " + str(fault))
        return 1
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        print("FAULT something in this bundle is not in its form: " + type(error).__name__ + " " + str(error)[:200])
        return 1
    print("All of it holds.")
    return 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
