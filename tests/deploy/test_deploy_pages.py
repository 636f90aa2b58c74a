"""What docs/deploy.md and docs/runbook.md say is what there is."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from campaign_workers.adapters.aws.dynamodb_ledger import RETENTION
from deploy import costs
from tests.deploy.stack import source, stack

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def test_every_parameter_is_documented() -> None:
    """The table has each parameter with its default and what it is for, in their order."""
    rows = [
        f"| `{name}` | {_code(parameter['Default'])} | {parameter['Description']} |"
        for name, parameter in source()["Parameters"].items()
    ]
    assert "\n".join(rows) in DEPLOY


def _code(value: object) -> str:
    return "empty" if value == "" else f"`{value}`"


def test_the_costs_are_those_that_are_reckoned() -> None:
    """Both tables are what `python -m deploy.costs` prints."""
    assert "\n".join(costs.tables()) in DEPLOY


def test_costs_are_of_this_very_template() -> None:
    """Shards, alarms, memory and windows are those that the template has by default."""
    defaults = {name: parameter["Default"] for name, parameter in source()["Parameters"].items()}
    streams = stack().of("AWS::Kinesis::Stream").values()
    assert sum(stream["ShardCount"] for stream in streams) == costs.SHARDS
    assert {stream["RetentionPeriodHours"] for stream in streams} == {72}
    assert len(stack().of("AWS::CloudWatch::Alarm")) == costs.ALARMS
    assert costs.MILLION.window_seconds == defaults["LakeWindowSeconds"]
    assert costs.MILLION.input_shards == defaults["InputShards"]
    memory = [defaults[f"{kind}Memory"] / 1024 for kind in ("Lean", "Bulk", "Send")]
    assert memory == [costs.LEAN_GB, costs.BULK_GB, costs.SEND_GB]


def test_more_fans_cost_more() -> None:
    """Nothing gets cheaper by there being more of it."""
    pairs = zip(costs.of_campaign(costs.MILLION), costs.of_campaign(costs.TEN_MILLION), strict=True)
    assert all(small.dollars <= large.dollars for small, large in pairs)


@pytest.mark.parametrize("named", re.findall(r"`(tests/[\w/.:]+)`", DEPLOY))
def test_what_holds_a_difference_is_there(named: str) -> None:
    """Each test that the page names is in the file that it names."""
    file, _, test = named.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert not test or test in names


def test_days_and_names_of_the_runbook_are_true() -> None:
    """How long things are kept, and what functions are called."""
    defaults = {name: parameter["Default"] for name, parameter in source()["Parameters"].items()}
    assert f"`PersonalDataDays` ({defaults['PersonalDataDays']})" in RUNBOOK
    assert f"`NoncurrentDays` ({defaults['NoncurrentDays']})" in RUNBOOK
    assert f"`StreamRetentionHours` ({defaults['StreamRetentionHours']})" in RUNBOOK
    assert f"the ledger {RETENTION.days} days" in RUNBOOK
    functions = {f["FunctionName"] for f in stack().functions.values()}
    result = set(re.findall(r"\bcmp-[a-z]+(?:-[a-z]+)*", RUNBOOK))
    assert {re.sub(r"-(dlq|errors|throttles)$", "", name) for name in result} <= functions
