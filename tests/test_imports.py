"""What an importing service pays for, and what it does not need to have installed."""

import subprocess
import sys

import pytest

HEAVY = ("altair", "boto3", "httpx", "polars", "pymongo", "aws_lambda_powertools", "rich")
EXTRAS = ("altair", "aws_kinesis_agg", "aws_lambda_powertools", "boto3", "httpx", "hypothesis",
          "pymongo", "pytest", "stamina", "vl_convert")  # fmt: skip


def modules_after(*statements: str) -> set[str]:
    """The modules that a fresh interpreter holds after running `statements`."""
    code = "\n".join([*statements, "import sys", "print(*sys.modules, sep='\\n')"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_importing_the_package_is_light() -> None:
    """`import campaign_workers` loads none of the heavy libraries."""
    assert not modules_after("import campaign_workers").intersection(HEAVY)


def test_the_package_loads_only_itself() -> None:
    """`import campaign_workers` loads no room of the package."""
    loaded = modules_after("import campaign_workers")
    assert not {name for name in loaded if name.startswith("campaign_workers.")}


@pytest.mark.parametrize("room", ["domain", "ports", "workers"])
def test_rooms_need_no_extra(room: str) -> None:
    """Every module of the rules loads without a library of an extra."""
    walk = (
        "import importlib, pkgutil",
        f"import campaign_workers.{room} as room",
        "for found in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):",
        "    importlib.import_module(found.name)",
    )
    assert not modules_after(*walk).intersection(EXTRAS)
