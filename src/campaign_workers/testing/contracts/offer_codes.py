"""Contract of `OfferCodes`."""

import asyncio

import pytest

from campaign_workers.domain.codes import is_external
from campaign_workers.domain.errors import PermanentFailure, RetryLater
from campaign_workers.ports.offer_codes import OfferCodeRequest, OfferCodes
from campaign_workers.testing.builders import offer_code_request
from campaign_workers.testing.contracts._base import Contract, Outage


def create_all(service: OfferCodes, *requests: OfferCodeRequest) -> list[str]:
    """Send requests concurrently and return their codes."""

    async def together() -> list[str]:
        return await asyncio.gather(*(service.create(request) for request in requests))

    return asyncio.run(together())


class OfferCodesContract(Contract):
    """Fixtures: `service`; `refused`, a request that it refuses for good; `outage`."""

    def test_a_code_is_external(self, service: OfferCodes) -> None:
        """The result is an external code, neither empty nor the placeholder."""
        (code,) = create_all(service, offer_code_request())
        assert is_external(code)
        assert code == code.strip()

    def test_the_same_key_gives_the_same_code(self, service: OfferCodes) -> None:
        """A repeated request gets the same code."""
        requests = [offer_code_request(f"key{number}") for number in range(5)]
        assert create_all(service, *requests) == create_all(service, *requests)

    def test_concurrent_repeats_get_one_code(self, service: OfferCodes) -> None:
        """Concurrent copies of a request get one code."""
        assert len(set(create_all(service, *[offer_code_request()] * 10))) == 1

    def test_no_two_keys_share_a_code(self, service: OfferCodes) -> None:
        """Every key gets a different code, even for the same fan."""
        requests = [offer_code_request(f"key{number}") for number in range(50)]
        assert len(set(create_all(service, *requests))) == len(requests)

    def test_a_refusal_is_permanent(self, service: OfferCodes, refused: OfferCodeRequest) -> None:
        """A refused request is refused again, and others are not affected."""
        for _ in range(2):
            with pytest.raises(PermanentFailure):
                create_all(service, refused)
        assert create_all(service, offer_code_request())

    def test_an_outage_raises_retry_later(self, service: OfferCodes, outage: Outage) -> None:
        """While the service fails, calls raise `RetryLater`; afterwards the key has one code."""
        before = create_all(service, offer_code_request())
        with outage(), pytest.raises(RetryLater):
            create_all(service, offer_code_request())
        assert create_all(service, offer_code_request()) == before
