"""The verbs as a table: name, function, help, and a line to copy. Their modules are not imported here."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb: its name, where its function lies, what it does, and a line to copy."""

    name: str
    function: str
    help: str
    example: str


VERBS: dict[str, tuple[Verb, ...]] = {
    "Look": (
        Verb("ls", "reading:ls", "List the models: newest version, aliases, who and when.", "flowreg ls --metric auc"),
        Verb(
            "show",
            "reading:show",
            "Show a model with its versions, or one version with all about it.",
            "flowreg show churn@champion --slices",
        ),
        Verb("history", "reading:history", "Tell what happened to a model: who, when, why.", "flowreg history churn"),
        Verb("diff", "reading:diff", "Compare two versions: only what differs.", "flowreg diff churn@champion churn@newest"),
        Verb(
            "reproduce",
            "reproduce:reproduce",
            "Say what making a version again takes; --run does it.",
            "flowreg reproduce churn@12 --run --param api_key",
        ),
        Verb(
            "inventory",
            "evidence:inventory",
            "List every model: owner, champion, evidence, review date.",
            "flowreg inventory --csv",
        ),
        Verb(
            "evidence",
            "evidence:evidence",
            "Put all evidence about a version into one folder.",
            "flowreg evidence churn@12 --into audit/churn-12",
        ),
        Verb(
            "export",
            "export:export",
            "Give a version as other tools read it: BOM, card, provenance.",
            "flowreg export churn@12 --as bom --into churn.cdx.json",
        ),
        Verb(
            "lineage",
            "lineage:lineage",
            "Show where a version comes from, and what came of it.",
            "flowreg lineage churn@champion --up",
        ),
        Verb(
            "fetch",
            "reading:fetch",
            "Bring a version's files into a new folder, every byte verified.",
            "flowreg fetch churn@champion --into model/",
        ),
    ),
    "Record": (
        Verb(
            "register",
            "writing:register",
            "Store a file or folder as the next version of a model.",
            "flowreg register model.ubj --model churn --metric auc=0.91 --metric n=4000 --on holdout-2026q4",
        ),
        Verb(
            "evaluate",
            "writing:evaluate",
            "Record what was measured about a version.",
            "flowreg evaluate churn@12 --metric auc=0.91 --on holdout-2026q4 --slice region=south:recall=0.69",
        ),
        Verb("label", "writing:label", "Set labels of a version, or take them away.", "flowreg label churn@12 team=risk draft="),
    ),
    "Decide": (
        Verb(
            "gates", "gates:gates", "Ask what the gates say about a promotion; nothing is recorded.", "flowreg gates churn@12 --to champion"
        ),
        Verb("promote", "gates:promote", "Move an alias to a version if its gates pass.", "flowreg promote churn@12 --to champion"),
        Verb(
            "approve",
            "people:approve",
            "Say yes or no to a promotion whose policy asks people.",
            "flowreg approve churn@12 --to champion --because 'read the report'",
        ),
        Verb(
            "rollback",
            "gates:rollback",
            "Move an alias back to its last good holder; --undo takes it back.",
            "flowreg rollback churn@champion --because 'errors in region south'",
        ),
        Verb(
            "retire",
            "gates:retire",
            "Bar a version from every alias, or lift that with --restore.",
            "flowreg retire churn@7 --because 'trained on leaked labels'",
        ),
    ),
    "Look after": (
        Verb(
            "init",
            "ground:init",
            "Create the registry, and prove that its root can be written safely.",
            "flowreg init --root s3://models/registry",
        ),
        Verb("doctor", "ground:doctor", "Check the root, its filesystem and what is installed.", "flowreg doctor s3://models/registry"),
        Verb("check", "check:check", "Check every file of the registry, and name each fault.", "flowreg check churn --read-data"),
        Verb("collect", "keeping:collect", "Say which blobs nothing refers to; remove them with --now.", "flowreg collect --grace 14d"),
        Verb("cache", "cache:cache", "Show what was fetched and is kept on this machine; trim or clear it.", "flowreg cache --trim 5GiB"),
        Verb("hold", "keeping:hold", "Put a version or a model on legal hold.", "flowreg hold churn@7 --because 'case 2026-114'"),
        Verb("release", "keeping:release", "Lift a legal hold.", "flowreg release churn@7 --because 'case 2026-114 is closed'"),
    ),
}
PEOPLE_VERBS = (
    Verb("set", "people:put", "Say who is in which group that approval gates ask.", "flowreg people set --group model-risk=ana,bo"),
    Verb("show", "people:show", "Show the groups.", "flowreg people show"),
)
POLICY_VERBS = (
    Verb(
        "set", "policy:put", "Put a policy in force; the alias it names is protected from now on.", "flowreg policy set policies/churn.yaml"
    ),
    Verb("show", "policy:show", "Show the policies in force, or one by its name.", "flowreg policy show churn-prod"),
    Verb("ls", "policy:ls", "List the policies in force.", "flowreg policy ls"),
    Verb(
        "check", "policy:check", "Read a policy file and say what it means; nothing is written.", "flowreg policy check policies/churn.yaml"
    ),
    Verb(
        "history",
        "policies:history",
        "List every revision of a policy: when it was set, by whom.",
        "flowreg policy history churn-prod",
    ),
    Verb("diff", "policies:diff", "Compare two policies, files or revisions.", "flowreg policy diff churn-prod policies/churn.yaml"),
    Verb("schema", "policies:schema", "Print the JSON Schema of policies, for editors.", "flowreg policy schema"),
    Verb("remove", "policy:remove", "Take a policy out of force.", "flowreg policy remove churn-prod --because 'replaced by churn-2027'"),
)
