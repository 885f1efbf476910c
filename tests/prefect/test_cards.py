"""What people read in Prefect: cards and tables, with everything that somebody typed shown as it was typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowreg import Dataset, GateBlocked, Registry
from flowreg.core.events import Git, Run
from flowreg.prefect.cards import gate_rows, gate_summary, history_page, last_line, version_card
from flowreg.prefect.keys import GATES, HISTORY, VERSION, artifact_key
from flowreg.prefect.markdown import cell, code, escaped, link
from tests.prefect.conftest import GOOD, POOR

HOSTILE = "<img src=x onerror=alert(1)> | [click](javascript:alert(1)) *bold*\n# title `code`"
RUN = Run(
    flow="train-churn", flow_run="0199aaaa-0000-7000-8000-000000000001", flow_run_name="clever-owl", deployment="train-churn/nightly",
    deployment_id="0199bbbb-0000-7000-8000-000000000002",
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
        f"| digest | `{version.digest[:23]}…` |",
        f"# {version.digest}",
        f"| run | [clever-owl]({RUN.url}) of train-churn, started by schedule nightly |",
        f"| deployment | [train-churn/nightly](http://127.0.0.1:4200/deployments/deployment/{RUN.deployment_id}) |",
        "| history | [all promotions](http://127.0.0.1:4200/artifacts/key/flowreg-churn-history) |",
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
    [
        ("churn", "flowreg-churn-history"),
        ("risk-churn", "flowreg-risk-churn-history"),
        ("risk/churn", "flowreg-risk--churn-history"),
        ("risk_churn", "flowreg-risk-churn---e0bb481ba8c6-history"),
        ("größe", "flowreg-gr-e---d353a2671b67-history"),
    ],
)
def test_the_key_of_a_model_stays(model: str, key: str) -> None:
    """People keep bookmarks of it, and automations name it."""
    assert artifact_key(model, HISTORY) == key


NAMES = [
    "a", "A", "a-b", "a/b", "a_b", "a.b", "a--b", "a-/b", "a/-b", "b-", "a---b", "a-version", "a/version", "a-history", "größe", "grosse",
    "模型", "数据", "risk/Churn_v2.b", "risk/churn-v2-b", "gr-e---d353a2671b67",
]  # fmt: skip


def test_no_two_models_share_a_page() -> None:
    """Nor a model's card and another's history; every key is of the letters that Prefect allows."""
    import re

    keys = [artifact_key(name, what) for name in NAMES for what in (VERSION, GATES, HISTORY)]

    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9-]+", key) for key in keys)


def test_a_page_of_a_model_tells_who_serves_and_what_happened(registry: Registry) -> None:
    """The holders with the run that made them; each move, newest first, with a way to its run; no measurements in between."""
    version = registry.register("risk/churn", {"w": 1}, trust="pickle", run=RUN, **GOOD)
    registry.promote(version, to="champion", because="it *is* better | <b>", run=RUN)

    lines, beside = registry.history("risk/churn"), "http://prefect.example/v2/runs/flow-run/1"
    page = history_page("risk/churn", registry.versions("risk/churn"), lines, root=registry.root, beside=beside)

    way = f"http://prefect.example/v2/runs/flow-run/{RUN.flow_run}"
    assert f"| champion | 1 | auc 0.91 | [clever-owl]({RUN.url}) of train-churn, started by schedule nightly |" in page.splitlines()
    told = [line for line in page.splitlines() if way in line]
    assert [line.split(" | ")[1] for line in told] == ["champion promoted: nobody → version 1", "registered version 1"]
    assert told[0].endswith(r" | it \*is\* better \| \<b\> |")
    assert last_line("risk/churn", lines) == r"**champion promoted: nobody → version 1**, because it \*is\* better \| \<b\> (risk/churn)"


def test_a_card_shows_no_credentials_of_data(registry: Registry) -> None:
    """A signed URL is shown without its signature."""
    version = registry.register("churn", {"w": 2}, trust="pickle")
    version = replace(version, data=(Dataset("https://ana:hunter2@lake.example/t.csv?sig=hunter2", digest="sha256:" + "0" * 64),))

    card = version_card(version, root=registry.root)

    assert "https://lake.example/t.csv" in card
    assert "hunter2" not in card


def test_a_link_shows_its_text_in_both_interfaces() -> None:
    """One of them does not read what is escaped between the brackets; what is no address of the web is no link."""
    assert link("owl", "http://h/1") == "[owl](http://h/1)"
    assert link("clever_owl", "http://h/1") == r"clever\_owl ([open](http://h/1))"
    assert [link("owl", url) for url in (None, "javascript:alert(1)", "http://h/a) ![", "file:///etc/passwd")] == ["owl"] * 4
