"""init and doctor: what is created, what is proven, what is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg.cli import ground
from flowreg.errors import Refused
from flowreg.registry import Registry
from flowreg.storage.local import LocalStore
from flowreg.storage.store import PROOFS

from .conftest import Cli, every_byte


def test_init_creates_the_registry_once(cli: Cli, place: Path) -> None:
    """The first time it is created, the second time it is there; nothing changes then."""
    first = cli("init", "--json").json
    before = every_byte(place)
    second = cli("init", "--json").json

    assert (first["created"], second["created"]) == (True, False)
    assert first["registry"] == second["registry"]
    assert every_byte(place) == before
    assert str(place) in cli("init").out


class Overwriting(LocalStore):
    """A filesystem that lets a second writer win, as some do."""

    def create(self, path: str, data: bytes) -> None:
        self.replace(path, data)


def test_a_root_that_overwrites_is_refused(place: Path, churn: Registry) -> None:
    """The proof finds it, and leaves every byte as it was."""
    before = every_byte(place)

    with pytest.raises(Refused, match="a second time"):
        ground._prove(Overwriting(place))
    assert every_byte(place) == before
    assert ground._may_write(Overwriting(place), exists=True)[0] is False


def test_init_where_nothing_can_be_made_is_unavailable(cli: Cli, model_file: Path) -> None:
    """A root below a file: exit code 7, in one sentence."""
    answer = cli("init", root=str(model_file / "registry"))

    assert answer.code == 7
    assert "Traceback" not in answer.err


def test_doctor_finds_root_mechanism_and_extras(cli: Cli, churn: Registry, place: Path) -> None:
    """Which root and who said so, how it creates, whether it can be written, what is installed; nothing is written."""
    before = every_byte(place)

    answer = cli("doctor")
    found = cli("doctor", "--json").json

    assert answer.code == 0
    assert f"{place} (said by --root)" in answer.out
    assert "PUT with If-None-Match: *" in answer.out
    assert (found["root"], found["writable"], found["said_by"]) == (str(place), True, "--root")
    assert found["proofs"].keys() == PROOFS.keys()
    assert found["extras"]["s3"].keys() == {"s3fs"}
    assert every_byte(place) == before


def test_doctor_of_nothing_creates_nothing(cli: Cli, place: Path, model_file: Path) -> None:
    """It says what would be needed; a root that can't even be read is unavailable."""
    assert "none yet: flowreg init" in cli("doctor").out
    assert not place.exists()
    assert cli("doctor", root=str(model_file / "registry")).code == 7


def test_an_unproven_filesystem_is_read_and_not_written(cli: Cli, unproven: str, model_file: Path) -> None:
    """Reading verbs work; init, writing and rehearsing end with 4, and doctor says why."""
    assert cli("ls", root=unproven).code == 0
    doctor = cli("doctor", root=unproven)

    assert doctor.code == 4
    assert "no: its filesystem is not known" in doctor.out
    assert cli("init", root=unproven).code == 4
    for more in ((), ("--dry-run",)):
        answer = cli("register", str(model_file), "--model", "churn", *more, root=unproven)
        assert (answer.code, answer.out) == (4, "")


def test_doctor_says_who_named_the_root(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment, the project's file, or nobody."""
    from flowreg.cli.app import run

    monkeypatch.chdir(tmp_path)
    run(["doctor"])
    assert "said by the default" in capsys.readouterr().out
    (tmp_path / "pyproject.toml").write_text('[tool.flowreg]\nroot = "here"\n')
    run(["doctor"])
    assert f"{tmp_path / 'here'} (said by [tool.flowreg] in pyproject.toml)" in capsys.readouterr().out
    monkeypatch.setenv("FLOWREG_ROOT", str(tmp_path / "there"))
    run(["doctor"])
    assert "said by $FLOWREG_ROOT" in capsys.readouterr().out
