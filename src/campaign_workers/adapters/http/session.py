"""Calls that block."""

from typing import Any

import httpx
import stamina

from campaign_workers.adapters.http.calls import Answer, Call, TryFailed
from campaign_workers.adapters.http.exchange import Exchange, Service
from campaign_workers.domain.errors import RetryLater


class Session:
    """Connections to one service, for any number of threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._client = httpx.Client(**service.client_options())

    def send(self, call: Call) -> Any:
        """Carry a call out and give the JSON of its answer, None if there is none.

        Raises:
            NotFound, PermanentFailure, OutcomeUnknown, RetryLater: as the answer says.
        """
        exchange = Exchange(self._service, call)
        try:
            for attempt in stamina.retry_context(
                on=exchange.wait, **self._service.limits.retries()
            ):
                with attempt:
                    return exchange.content(self._answered(exchange))
        except TryFailed as error:
            raise exchange.given_up(error) from None
        except RetryLater as error:
            raise exchange.too_late(error) from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answered(self, exchange: Exchange) -> Answer:
        tokens = self._service.tokens
        token = tokens.current()
        answer = self._try(exchange, token)
        if self._service.reading.refuses_token(answer):
            answer = self._try(exchange, tokens.renewed(token))
        return answer

    def _try(self, exchange: Exchange, token: str) -> Answer:
        intake = exchange.intake()
        try:
            with self._client.stream(**exchange.request(token)) as response:
                for piece in response.iter_bytes():
                    intake.take(piece)
                return intake.answer(response.status_code, response.headers)
        except httpx.RequestError as error:
            raise exchange.broken(error) from None
