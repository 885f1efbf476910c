"""What an import costs: the light parts stay light, and every public name is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import flowreg

HEAVY = ("prefect", "numpy", "scipy", "pandas", "pyarrow", "duckdb", "sklearn", "torch", "onnx", "xgboost", "s3fs", "fsspec", "lark")


def _imported_by(code: str) -> set[str]:
    """The top-level packages in memory after ``code`` ran in a fresh process."""
    script = f"{code}\nimport sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())


def test_importing_flowreg_brings_nothing_heavy() -> None:
    """``import flowreg`` is nearly free: names are imported when they are used."""
    assert _imported_by("import flowreg") & {*HEAVY, "pydantic", "orjson", "rich"} == set()


@pytest.mark.parametrize("code", ["import flowreg.serving", "from flowreg import Registry", "import flowreg.gates"])
def test_the_library_imports_nothing_heavy(code: str) -> None:
    """Neither serving nor registering needs Prefect or anything numeric until a model asks for it."""
    assert _imported_by(code) & set(HEAVY) == set()


def test_serving_knows_no_gates() -> None:
    """A serving process carries no policy language."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, flowreg.serving; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()

    assert [name for name in loaded if name.startswith(("flowreg.gates", "flowreg.registry", "flowreg.lineage"))] == []


def test_every_public_name_is_there() -> None:
    """What ``flowreg`` promises can be imported from it, and nothing else can."""
    assert all(getattr(flowreg, name) for name in flowreg.__all__)
    assert set(flowreg.__all__) <= set(dir(flowreg))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = flowreg.no_such_name


def test_loading_a_model_asks_for_its_format_only() -> None:
    """To load a pickle, no other format's library is imported."""
    code = (
        "import tempfile; from flowreg import Registry, serving\n"
        "root = tempfile.mkdtemp(); Registry(root).register('m', {'a': 1}, trust='pickle')\n"
        "serving.load('m@newest', root=root, trust=True)"
    )

    assert _imported_by(code) & set(HEAVY) == set()
