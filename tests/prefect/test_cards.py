"""What people read in Prefect: cards and tables, with everything that somebody typed shown as it was typed."""

from __future__ import annotations

from typing import Any

import pytest

from flowreg import Dataset, GateBlocked, Registry
from flowreg.core.events import Git, Run
from flowreg.prefect.cards import artifact_key, gate_rows, gate_summary, history_rows, version_card
from flowreg.prefect.markdown import cell, code, escaped
from tests.prefect.conftest import GOOD, POOR

HOSTILE = "<img src=x onerror=alert(1)> | [click](javascript:alert(1)) *bold*\n# title `code`"
RUN = Run(
    flow="train-churn", flow_run="0199aaaa-0000-7000-8000-000000000001", flow_run_name="clever-owl", deployment="train-churn/nightly",
    started_by="schedule nightly", url="http://127.0.0.1:4200/runs/flow-run/0199aaaa-0000-7000-8000-000000000001",
    git=Git(commit="9f2c41" + "0" * 34, branch="main", remote="https://github.com/team/churn.git", dirty=True),
)  # fmt: skip


def test_a_card_says_what_a_stranger_asks(registry: Registry) -> None:
    """What it is, how good, of what, by which run, of which code, and how to load it."""
    base = registry.register("base", {"w": 1}, trust="pickle")
    data = [Dataset("s3://lake/customers.parquet", role="train", rows=1200)]
    version = registry.register(
        "churn", {"w": 2}, trust="pickle", run=RUN, parents=[base], params={"depth": 3}, labels={"team": "risk"}, data=data,
        because="nightly", **GOOD,
    )  # fmt: skip

    card = version_card(version, root=registry.root)

    for line in (
        "# churn@1",
        f"| digest | `{version.digest}` |",
        f"| run | [clever-owl]({RUN.url}) of train-churn, deployment train-churn/nightly, started by schedule nightly |",
        "| code | commit `9f2c41000000` of https://github.com/team/churn.git, with uncommitted changes |",
        "| made from | `base@1` |",
        "| auc | 0.91 | holdout | 400 |",
        "| depth | `3` |",
        "| team | `risk` |",
        "| train | s3://lake/customers.parquet |  | 1200 |",
        f"registry = Registry({registry.root!r})",
        "model = registry.load('churn@1', trust=True)  # runs code of its author",
    ):
        assert line in card.splitlines(), f"{line}\n\n{card}"


def test_the_lines_that_load_it_work(registry: Registry) -> None:
    """They can be pasted as they stand."""
    version = registry.register("churn", {"w": 2}, trust="pickle")
    lines = version_card(version, root=registry.root).partition("```python\n")[2].partition("```")[0]

    names: dict[str, Any] = {}
    exec(lines, names)

    assert names["model"] == {"w": 2}


def test_a_long_card_is_cut(registry: Registry) -> None:
    """It says how much is missing."""
    version = registry.register("churn", {"w": 2}, trust="pickle", params={f"p{i}": i for i in range(120)})

    assert "… and 70 more" in version_card(version, root=registry.root)


def test_gates_are_told_one_by_one(registry: Registry) -> None:
    """The text of each gate, its status and its sentence; above them who wanted to replace whom."""
    registry.promote(registry.register("churn", {"w": 1}, trust="pickle", **GOOD), to="champion")
    with pytest.raises(GateBlocked) as blocked:
        registry.promote(registry.register("churn", {"w": 2}, trust="pickle", **POOR), to="champion")
    decision = blocked.value.decision

    rows = gate_rows(decision)

    assert gate_summary(decision) == "**blocked**: churn@2 as champion, held by churn@1 until then (policy `champion`)"
    assert [(row["gate"], row["status"], row["why"]) for row in rows] == [
        ("auc >= 0.85", "fail", ""),
        ("recall[region=*] >= 0.70", "fail", "every region matters"),
    ]
    assert [row["what was found"] for row in rows] == [result.sentence for result in decision.results]


def test_a_history_is_told_newest_first(registry: Registry) -> None:
    """With who and why."""
    registry.promote(registry.register("churn", {"w": 1}, trust="pickle", **GOOD), to="champion", because="it *is* better | <b>")

    rows = history_rows(registry.history("churn"))

    assert rows[0]["what"] == "champion promoted: nobody → version 1"
    assert rows[0]["because"] == r"it \*is\* better | \<b>"


@pytest.mark.parametrize("text", [HOSTILE, "a\\", "```", "&lt;b&gt;", "~~x~~", "$x$", "- [ ] x"])
def test_escaped_text_is_only_text(text: str) -> None:
    """A Markdown reader shows exactly what was typed, on one line, with no link, tag, table cell or emphasis of it."""
    from html import unescape

    from markdown_it import MarkdownIt

    html = MarkdownIt().enable(["table", "strikethrough"]).render(f"| {escaped(text)} | end |\n| --- | --- |\n")

    assert unescape(html.partition("<th>")[2].partition("</th>")[0]) == " ".join(text.split())
    assert html.count("<th>") == 2


@pytest.mark.parametrize("text", ["x", "a`b", "``", "a|b"])
def test_a_code_span_holds_any_backticks(text: str) -> None:
    """The fence is longer than any run inside."""
    assert text.replace("|", "\\|") in code(text)
    assert code(text).count("`") > 2 * text.count("`")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("recall[region=*] >= 0.70", "recall[region=*] >= 0.70"),
        ("a[x=*] >= b[x=*]", r"a[x=\*] >= b[x=\*]"),
        ("a < b <b>", r"a < b \<b>"),
        ("[click](javascript:x)", r"[click\](javascript:x)"),
        ("log_loss <= 0.3", "log_loss <= 0.3"),
    ],
)
def test_a_cell_changes_only_what_markdown_would_change(text: str, shown: str) -> None:
    """One of Prefect's interfaces shows it as it is, the other as Markdown."""
    assert cell(text) == shown


@pytest.mark.parametrize(
    ("model", "key"),
    [("churn", "flowreg-churn"), ("risk/Churn_v2.b", "flowreg-risk-churn-v2-b"), ("größe", "flowreg-gr-e-"), ("模型", "flowreg-")],
)
def test_every_model_has_a_key(model: str, key: str) -> None:
    """Of the letters that Prefect allows; names that are not ASCII stay apart by their digest."""
    import re

    assert artifact_key(model).startswith(key)
    assert re.fullmatch(r"[a-z0-9-]+", artifact_key(model))
    assert len({artifact_key(name) for name in ("模型", "数据", "größe", "grise")}) == 4
