"""The figures of the report, read from buckets and tables after a campaign."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

import attrs
import polars as pl

from campaign_workers.container import Container
from campaign_workers.domain.codes import is_external
from campaign_workers.domain.scrub.rules import RULES
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation

BINS = 20
CHOICES = ("1st choice", "2nd choice", "3rd choice", "4th choice")


@attrs.frozen
class Figures:
    """The figures of one campaign."""

    container: Container
    campaign_id: str
    reconciliation: Reconciliation

    def funnel(self) -> pl.DataFrame:
        """Return the fans left at each stage, from registered to notified: stage, fans."""
        scrubbed = self.scrubbed_rows
        codes = list(self.reconciliation.master_codes())
        waves = self.reconciliation.waves().values()
        stages = {
            "registered": self.container.embedded.entries.admin_stats(self.campaign_id).total,
            "scored": scrubbed.filter(pl.col("globalUserId") != "")["globalUserId"].n_unique(),
            "eligible": scrubbed.filter(pl.col("verdict") == "1")["globalUserId"].n_unique(),
            "selected": len({row["globalUserId"] for row in codes}),
            "with a code": len({row["globalUserId"] for row in self._with_external_code()}),
            "notified": sum(result["count"]["ok"] for result in waves),
        }
        return pl.DataFrame({"stage": list(stages), "fans": list(stages.values())})

    def scores(self) -> pl.DataFrame:
        """Return histograms of eligible fans before and after banding: series, bin, end, fans."""
        eligible = self.scrubbed_rows.filter(pl.col("verdict") == "1")
        return pl.concat(
            eligible.select(
                series=pl.lit(series),
                bin=(pl.col(column).cast(pl.Float64) * BINS).floor().clip(0, BINS - 1),
            )
            .group_by("series", "bin")
            .agg(fans=pl.len().cast(pl.Int64))
            .with_columns(bin=pl.col("bin") / BINS, end=(pl.col("bin") + 1) / BINS)
            for series, column in (("score", "score"), ("band score", "bandScore"))
        ).sort("series", "bin")

    def demand(self) -> pl.DataFrame:
        """Return registered fans by market and choice, with the quota: market, choice, fans, limit.

        Markets are sorted by demand, highest first, and choices by rank.
        """
        rows = [
            {"market": market, "choice": choice, "fans": fans, "limit": cutoff["limit"]}
            for market, cutoff, wishes in self._markets()
            for choice, fans in zip(CHOICES, wishes, strict=False)
        ]
        schema = {"market": pl.String, "choice": pl.String, "fans": pl.Int64, "limit": pl.Int64}
        return pl.DataFrame(rows, schema=schema)

    def places(self) -> list[tuple[object, ...]]:
        """Return a row per market: name, demand, limit, taken, filled, last fan selected."""
        return [
            (
                market,
                sum(wishes),
                *(cutoff[name] for name in ("limit", "taken", "filled")),
                _short(cutoff["cutoff"]),
                _choice(cutoff["cutoff_preference_rank"]),
            )
            for market, cutoff, wishes in self._markets()
        ]

    def _markets(self) -> list[tuple[str, dict[str, Any], tuple[int, ...]]]:
        """Return name, cutoff and demand by choice of each market of the last selection."""
        campaign = self.container.campaigns.campaign(self.campaign_id)
        names = {market.market_id: market.name for market in campaign.markets}
        wishes = self.container.embedded.entries.admin_stats(self.campaign_id).by_market
        markets = [
            (names.get(key) or key, cutoff, tuple(wishes.get(key, ())))
            for cutoff in self.cutoffs()
            for key in (cutoff["market_id"],)
        ]
        return sorted(markets, key=lambda market: -sum(market[2]))

    def cutoffs(self) -> list[dict[str, Any]]:
        """Return limit, taken and cutoff of each market of the last selection."""
        cutoffs: list[dict[str, Any]] = (self.audit or {}).get("cutoffs", [])
        return cutoffs

    @cached_property
    def audit(self) -> dict[str, Any] | None:
        """The audit of the last selection, None before the first."""
        audits = list(self.reconciliation.audits())
        return audits[-1] if audits else None

    def tags(self) -> pl.DataFrame:
        """Return the number of rows with each tag; mark informational tags: tag, rows."""
        tags = Counter(
            tag for cell in self.scrubbed_rows["tags"].to_list() for tag in cell.split("|") if tag
        )
        informs = {rule.tag for rule in RULES if not rule.disqualifies}
        ordered = tags.most_common()
        return pl.DataFrame(
            {
                "tag": [f"{tag} (informational)" if tag in informs else tag for tag, _ in ordered],
                "rows": [rows for _, rows in ordered],
            },
            schema={"tag": pl.String, "rows": pl.Int64},
        )

    def days(self) -> str:
        """Return the first and the last day on which a worker ran."""
        days = [run.at[:10] for run in self.container.journal.runs()]
        return f"{min(days)} to {max(days)}" if days else ""

    def waves(self) -> list[tuple[object, ...]]:
        """Return a row per wave: name and counts."""
        names = ("total", "sms", "email", "failed", "overLimit", "duplicates")
        return [
            (key.rpartition("/")[2].removesuffix("_csv.json"), *(r["count"][n] for n in names))
            for key, r in self.reconciliation.waves().items()
        ]

    def workers(self) -> list[tuple[object, ...]]:
        """Return a row per worker: runs and summed counts."""
        runs: Counter[str] = Counter()
        sums: dict[str, Counter[str]] = {}
        for run in self.container.journal.runs():
            runs[run.worker] += 1
            sums.setdefault(run.worker, Counter()).update(run.result["count"])
        return [
            (worker, runs[worker], ", ".join(f"{k} {v:,}" for k, v in sums[worker].items()))
            for worker in runs
        ]

    @cached_property
    def scrubbed_rows(self) -> pl.DataFrame:
        """All scrubbed rows, as text."""
        frames = list(self._scrubbed_files())
        names = ("globalUserId", "score", "bandScore", "verdict", "tags")
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        return pl.concat([empty, *frames])

    def _scrubbed_files(self) -> Iterator[pl.DataFrame]:
        names = ["globalUserId", "score", "bandScore", "verdict", "tags"]
        for info in self.container.scoring.list("scrubbed/"):
            with closing(self.container.scoring.open(info.key)) as source:
                frame = pl.read_csv(source, infer_schema=False, columns=names)
            yield frame.select(pl.col(names).fill_null(""))

    def _with_external_code(self) -> list[dict[str, str]]:
        """Return the registrants of the waves that have an external code."""
        return [r for r in self.reconciliation.rows("smsWaves/csv/") if is_external(r["code"])]


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _choice(rank: int | None) -> str | None:
    return None if rank is None else CHOICES[rank]
