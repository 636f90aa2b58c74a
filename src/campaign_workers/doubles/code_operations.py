"""The code service's operations."""

import attrs

from campaign_workers.domain.records.types import iso_utc
from campaign_workers.doubles.code_assignments import assignments, results
from campaign_workers.doubles.handling import Handlers
from campaign_workers.doubles.problems import Reply
from campaign_workers.doubles.requests import Asked
from campaign_workers.ports.code_service import CodeService


@attrs.frozen
class CodeOperations:
    """See `schemas/openapi/code.yaml`."""

    codes: CodeService

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {
            "reserveCodes": self.reserve,
            "releaseCodes": self.release,
            "assignPoolCodes": self.assign,
        }

    def reserve(self, asked: Asked) -> Reply:
        """Reserve codes for a market."""
        reservation = self.codes.reserve(
            asked.body["campaignId"],
            asked.body["marketId"],
            int(asked.body["count"]),
            reserve_id=asked.body["reserveId"],
        )
        return Reply(
            content={
                "reserveId": reservation.reserve_id,
                "codes": list(reservation.codes),
                "expires": iso_utc(reservation.expires),
            }
        )

    def release(self, asked: Asked) -> Reply:
        """Give reserved codes back."""
        released = self.codes.release(asked.body["reserveId"], asked.body["codes"])
        return Reply(content={"released": released})

    def assign(self, asked: Asked) -> Reply:
        """Assign codes to fans."""
        return results(self.codes.assign(asked.body["campaignId"], assignments(asked)))
