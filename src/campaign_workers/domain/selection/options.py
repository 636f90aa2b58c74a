"""What an operator decides before a selection: the quota of each market, and the options."""

import math
from collections.abc import Iterable
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.errors import BadInput

LARGEST_LIMIT: Final = 2**63 - 1


def _kind(value: object) -> str:
    """Return the value itself if it is a number, else its type; strings are never quoted."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else type(value).__name__


def _check_text(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, str):
        raise BadInput(f"expected a string, got {_kind(value)}", field=attribute.name)


def _check_market(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not (isinstance(value, str) and value):
        raise BadInput(
            "expected a market id, got none",
            field=attribute.name,
            remedy="give each quota its market",
        )


def _check_limit(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= LARGEST_LIMIT:  # type: ignore[operator]
        raise BadInput(
            f"expected a whole number from 0, got {_kind(value)}",
            field=attribute.name,
            remedy="use 0 to select no fans",
        )


def _check_flag(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, bool):
        raise BadInput(f"expected true or false, got {_kind(value)}", field=attribute.name)


def _check_bound(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and math.isfinite(value)):  # type: ignore[arg-type]
        raise BadInput(f"expected a finite number, got {_kind(value)}", field=attribute.name)


@attrs.frozen
class MarketQuota:
    """How many fans one market may take in a run.

    Attributes:
        market_id: the market.
        limit: its number of places; 0 selects no fans.

    Raises:
        BadInput: the limit is not a whole number from 0, or the market id is empty.

    Example:
        >>> MarketQuota("nyc", 2)
        MarketQuota(market_id='nyc', limit=2)
    """

    market_id: str = attrs.field(validator=_check_market)
    limit: int = attrs.field(validator=_check_limit)


@attrs.frozen
class SelectionOptions:
    """The options of one run.

    Attributes:
        campaign_id: the campaign, which is part of the lottery numbers.
        single_market: whether a fan gets a place in one market at most.
        order_by_preference: whether markets prefer fans who rank them higher.
        random_selection: whether the lottery number is the priority, instead of the score.
        reassign: whether fans who were selected before may be selected again.
        min_score: smallest raw score of a candidate, if any.
        max_score: largest raw score of a candidate, if any.
        exclude_intl_phone: whether fans with a phone outside country code 1 are left out.
        seed: the campaign's secret; neither representation nor audit contain it.

    Raises:
        BadInput: a value has the wrong type, or a bound is not finite.

    Example:
        >>> SelectionOptions(campaign_id="tour", min_score=0.22, seed="s").min_score
        0.22
    """

    campaign_id: str = attrs.field(default="", validator=_check_text)
    single_market: bool = attrs.field(default=True, validator=_check_flag)
    order_by_preference: bool = attrs.field(default=False, validator=_check_flag)
    random_selection: bool = attrs.field(default=False, validator=_check_flag)
    reassign: bool = attrs.field(default=False, validator=_check_flag)
    min_score: float | None = attrs.field(default=None, validator=_check_bound)
    max_score: float | None = attrs.field(default=None, validator=_check_bound)
    exclude_intl_phone: bool = attrs.field(default=False, validator=_check_flag)
    seed: str = attrs.field(default="", validator=_check_text, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the options as the audit states them, without the seed."""
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
    """Return columns market_id and limit (Int64), sorted by market.

    Raises:
        BadInput: a market has two quotas.
    """
    limits: dict[str, int] = {}
    for number, quota in enumerate(quotas, 1):
        if quota.market_id in limits:
            raise BadInput(
                f"expected one quota for each market, quota {number} repeats a market",
                field="quotas",
                remedy="remove one of them",
            )
        limits[quota.market_id] = quota.limit
    schema = {"market_id": pl.String, "limit": pl.Int64}
    return pl.DataFrame(sorted(limits.items()), schema=schema, orient="row")
