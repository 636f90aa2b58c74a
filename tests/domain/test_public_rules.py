"""Names, order and defaults of the parameters of public functions."""

import inspect
from collections.abc import Callable
from typing import Any, Final

import pytest

from campaign_workers.domain.lottery import lottery_numbers
from campaign_workers.domain.ranks import RankFormula, scores_from_ranks
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.domain.selection import MarketQuota, SelectionOptions, select_fans
from campaign_workers.domain.stats import admin_stats

SIGNATURES: Final[dict[Callable[..., Any], str]] = {
    scrub: "fans, policy",
    ScrubPolicy: (
        "blocked_emails=frozenset(), blocked_domains=frozenset(), allowed_patterns=(), "
        "allow_intl_phones=False, lottery_seed=''"
    ),
    scores_from_ranks: "ranks, formula",
    RankFormula.parse: "scoring_type, half_life=None",
    select_fans: "candidates, quotas, options",
    MarketQuota: "market_id, limit",
    SelectionOptions: (
        "campaign_id='', single_market=True, order_by_preference=False, random_selection=False, "
        "reassign=False, min_score=None, max_score=None, exclude_intl_phone=False, seed=''"
    ),
    lottery_numbers: "global_user_ids, *, seed, campaign_id",
    admin_stats: "entries",
}


@pytest.mark.parametrize(("rule", "expected"), SIGNATURES.items())
def test_a_public_rule_is_called_as_ever(rule: Callable[..., Any], expected: str) -> None:
    """Other code calls it by position and by name, and omits defaults."""
    signature = inspect.signature(rule)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    assert f"({expected})" == str(inspect.Signature(plain))
