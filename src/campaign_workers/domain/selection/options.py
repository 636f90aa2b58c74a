"""What an operator decides before a selection: places by market, and the rules of the run."""

import math
from collections.abc import Iterable
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.errors import BadInput

LARGEST_LIMIT: Final = 2**63 - 1


def _text(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, str):
        raise BadInput("not a text", field=attribute.name)


def _market(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not (isinstance(value, str) and value):
        raise BadInput("not a market id", field=attribute.name, remedy="give each quota its market")


def _limit(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= LARGEST_LIMIT:  # type: ignore[operator]
        raise BadInput("not a whole number from 0", field=attribute.name, remedy="0 selects nobody")


def _flag(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, bool):
        raise BadInput("neither true nor false", field=attribute.name)


def _bound(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and math.isfinite(value)):  # type: ignore[arg-type]
        raise BadInput("not a number", field=attribute.name)


@attrs.frozen
class MarketQuota:
    """How many fans one market may take in this run.

    Raises:
        BadInput: the limit is no whole number from 0, or the market id is empty.
    """

    market_id: str = attrs.field(validator=_market)
    limit: int = attrs.field(validator=_limit)


@attrs.frozen
class SelectionOptions:
    """The rules of one run; `min_score` and `max_score` bound the raw score, both included.

    `seed` is the campaign's secret: no representation and no audit shows it.

    Raises:
        BadInput: a value of the wrong type, or a bound that is not finite.
    """

    campaign_id: str = attrs.field(default="", validator=_text)
    single_market: bool = attrs.field(default=True, validator=_flag)
    order_by_preference: bool = attrs.field(default=False, validator=_flag)
    random_selection: bool = attrs.field(default=False, validator=_flag)
    reassign: bool = attrs.field(default=False, validator=_flag)
    min_score: float | None = attrs.field(default=None, validator=_bound)
    max_score: float | None = attrs.field(default=None, validator=_bound)
    exclude_intl_phone: bool = attrs.field(default=False, validator=_flag)
    seed: str = attrs.field(default="", validator=_text, repr=False)

    def wire(self) -> dict[str, Any]:
        """The options as the audit states them, without the seed."""
        return {
            "campaignId": self.campaign_id,
            "singleMarket": self.single_market,
            "orderByPreference": self.order_by_preference,
            "randomSelection": self.random_selection,
            "reassign": self.reassign,
            "minScore": None if self.min_score is None else float(self.min_score),
            "maxScore": None if self.max_score is None else float(self.max_score),
            "excludeIntlPhone": self.exclude_intl_phone,
        }


def quota_table(quotas: Iterable[MarketQuota]) -> pl.DataFrame:
    """Columns market_id and limit (Int64), sorted by market.

    Raises:
        BadInput: a market comes twice.
    """
    limits: dict[str, int] = {}
    for number, quota in enumerate(quotas, 1):
        if quota.market_id in limits:
            raise BadInput(
                f"quota {number} names a market that has one already",
                field="quotas",
                remedy="give each market one quota",
            )
        limits[quota.market_id] = quota.limit
    schema = {"market_id": pl.String, "limit": pl.Int64}
    return pl.DataFrame(sorted(limits.items()), schema=schema, orient="row")
