"""The figures of the report, from what lies in buckets and tables after a campaign."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

import attrs
import polars as pl

from campaign_workers.container import Container
from campaign_workers.domain.codes import is_external
from campaign_workers.entrypoints.cli.books import Books

BIN = 0.05
CHOICES = ("1st", "2nd", "3rd", "4th")


@attrs.frozen
class Figures:
    """What the report shows of one campaign."""

    container: Container
    campaign_id: str
    books: Books

    def funnel(self) -> pl.DataFrame:
        """Fans from registered to notified: stage, fans."""
        scrubbed = self.scrubbed
        codes = list(self.books.master_codes())
        waves = self.books.waves().values()
        stages = {
            "registered": self.container.wiring.entries().admin_stats(self.campaign_id).total,
            "scored": scrubbed.filter(pl.col("globalUserId") != "")["globalUserId"].n_unique(),
            "eligible": scrubbed.filter(pl.col("verdict") == "1").height,
            "selected": len({row["globalUserId"] for row in codes}),
            "coded": len({row["globalUserId"] for row in self._coded()}),
            "notified": sum(result["count"]["ok"] for result in waves),
        }
        return pl.DataFrame({"stage": list(stages), "fans": list(stages.values())})

    def scores(self) -> pl.DataFrame:
        """Histogram before and after banding: series, bin, fans; only of eligible fans."""
        eligible = self.scrubbed.filter(pl.col("verdict") == "1")
        return pl.concat(
            eligible.select(
                series=pl.lit(series),
                bin=(pl.col(column).cast(pl.Float64) / BIN).floor() * BIN,
            )
            .group_by("series", "bin")
            .agg(fans=pl.len().cast(pl.Int64))
            for series, column in (("score", "score"), ("band score", "bandScore"))
        ).sort("series", "bin")

    def demand(self) -> pl.DataFrame:
        """Wishes of registered fans and the quota: market, preference, fans, limit."""
        stats = self.container.wiring.entries().admin_stats(self.campaign_id)
        limits = {cutoff["market_id"]: cutoff["limit"] for cutoff in self.cutoffs()}
        rows = [
            {"market": market, "preference": CHOICES[rank], "fans": fans, "limit": limits[market]}
            for market, by_rank in stats.by_market.items()
            for rank, fans in enumerate(by_rank)
            if market in limits
        ]
        schema = {"market": pl.String, "preference": pl.String, "fans": pl.Int64, "limit": pl.Int64}
        return pl.DataFrame(rows, schema=schema)

    def cutoffs(self) -> list[dict[str, Any]]:
        """Limit, taken and the last one in of each market of the last selection."""
        audits = list(self.books.audits())
        cutoffs: list[dict[str, Any]] = audits[-1]["cutoffs"] if audits else []
        return cutoffs

    def tags(self) -> pl.DataFrame:
        """Scrubbed rows by tag: tag, rows."""
        tags = Counter(
            tag for cell in self.scrubbed["tags"].to_list() for tag in cell.split("|") if tag
        )
        ordered = tags.most_common()
        return pl.DataFrame(
            {"tag": [tag for tag, _ in ordered], "rows": [rows for _, rows in ordered]},
            schema={"tag": pl.String, "rows": pl.Int64},
        )

    def until(self) -> str:
        """The day of the last run."""
        return max((run.at[:10] for run in self.container.journal.runs()), default="")

    def waves(self) -> list[tuple[object, ...]]:
        """A row a wave: its name and counts."""
        names = ("total", "sms", "email", "failed", "overLimit", "duplicates")
        return [
            (key.rpartition("/")[2].removesuffix("_csv.json"), *(r["count"][n] for n in names))
            for key, r in self.books.waves().items()
        ]

    def workers(self) -> list[tuple[object, ...]]:
        """A row a worker: runs and the sums of its counts."""
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
    def scrubbed(self) -> pl.DataFrame:
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

    def _coded(self) -> list[dict[str, str]]:
        """Registrants of the waves who have an external code."""
        return [r for r in self.books.rows("smsWaves/csv/") if is_external(r["code"])]
