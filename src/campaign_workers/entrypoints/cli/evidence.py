"""What an auditor needs of a selection: candidates, quotas, picks and the audit, as files."""

from pathlib import Path

import polars as pl

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.preparation.wave_files import candidate_table
from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions
from campaign_workers.domain.selection.selection import select_fans
from campaign_workers.entrypoints.cli.books import Books
from campaign_workers.entrypoints.cli.outputs import make_folder, write_json, write_table
from campaign_workers.ports.entry_service import EligibleQuery

FOLDER = "selection"
USED = (
    "global_user_id",
    "score",
    "raw_score",
    "market_ids",
    "verdict",
    "previously_selected",
    "phone",
)


def write_evidence(container: Container, campaign_id: str, out: Path) -> Path:
    """Write the files of the campaign's last selection, drawing it anew for the picks.

    `campaign-workers verify-audit` takes them, with the seed once it is published. Nothing may
    have been assigned since the selection.
    """
    *_, audit = Books(container, campaign_id).audits()
    quotas = [MarketQuota(cutoff["market_id"], cutoff["limit"]) for cutoff in audit["cutoffs"]]
    query = EligibleQuery(
        campaign_id=campaign_id, market_ids=tuple(quota.market_id for quota in quotas)
    )
    candidates = candidate_table(container.embedded.entries.eligible(query))
    options = SelectionOptions(
        campaign_id=campaign_id, seed=container.secrets.read(lottery.seed_secret_name(campaign_id))
    )
    folder = make_folder(out / FOLDER)
    write_table(folder / "candidates.csv", candidates.select(USED))
    write_table(
        folder / "quotas.csv",
        pl.DataFrame(
            {
                "market_id": [quota.market_id for quota in quotas],
                "limit": [quota.limit for quota in quotas],
            },
            schema={"market_id": pl.String, "limit": pl.Int64},
        ),
    )
    write_table(folder / "picks.csv", select_fans(candidates, quotas, options).picks)
    write_json(folder / "audit.json", audit)
    return folder
