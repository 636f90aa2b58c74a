"""What AWS refuses, of every call on tables, secrets and the state machine."""

import re
import traceback

import pytest

from campaign_workers.domain.errors import CampaignError, Fatal, NotFound, RetryLater
from tests.adapters.aws_tables.service_calls import CALLS, CODE, NOWHERE, Call, refused, stubbed
from tests.servers.aws import client_of

every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


def told(call: Call, code: str, *, status: int = 400) -> CampaignError:
    """What a worker gets when AWS answers so; it shows nothing personal."""
    with stubbed(call.service) as (client, answers):
        refused(answers, call.operation, code, status)
        with pytest.raises(CampaignError) as caught:
            call.make(client)
    assert CODE not in "".join(traceback.format_exception(caught.value))
    return caught.value


@every_call
@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_throttling_asks_for_another_try(call: Call, code: str) -> None:
    """When the client's own attempts are used up the work is given back."""
    error = told(call, code)
    assert type(error) is RetryLater
    assert f"{call.resource}: too many requests" in str(error)


@every_call
def test_a_failing_service_asks_for_another_try(call: Call) -> None:
    """A server error says nothing about the work."""
    assert type(told(call, "InternalServerError", status=500)) is RetryLater


@every_call
def test_denied_access_names_the_action(call: Call) -> None:
    """The error names the action to allow and the resource."""
    error = told(call, "AccessDeniedException")
    assert type(error) is Fatal
    assert f"{call.resource}: access denied; allow {call.action} " in str(error)


@every_call
@pytest.mark.parametrize("code", ["ExpiredTokenException", "ExpiredToken"])
def test_expired_credentials_ask_for_another_try(call: Call, code: str) -> None:
    """A new process has new ones."""
    error = told(call, code)
    assert type(error) is RetryLater
    assert "expired" in str(error)


@every_call
def test_unknown_credentials_stop(call: Call) -> None:
    """Asking again cannot help."""
    assert type(told(call, "UnrecognizedClientException")) is Fatal


@every_call
def test_a_missing_server_asks_for_a_retry(call: Call) -> None:
    """An endpoint that is down is an outage."""
    with pytest.raises(RetryLater, match=re.escape(call.resource)):
        call.make(client_of(NOWHERE, call.service))


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name].service == "dynamodb"])
def test_a_missing_table_says_what_to_do(name: str) -> None:
    """It is for a person, who reads where to look."""
    error = told(CALLS[name], "ResourceNotFoundException")
    assert type(error) is Fatal
    assert "table does not exist; deploy the stack" in str(error)
    assert CALLS[name].resource in str(error)


def test_a_missing_state_machine_says_what_to_do() -> None:
    """It is for a person, too."""
    error = told(CALLS["start"], "StateMachineDoesNotExist")
    assert type(error) is Fatal
    assert "state machine does not exist; deploy the stack" in str(error)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_secret_that_is_gone_is_not_found(code: str) -> None:
    """Whether it never was or is marked for deletion."""
    error = told(CALLS["read a secret"], code)
    assert type(error) is NotFound
    assert CALLS["read a secret"].resource in str(error)


def test_a_secret_whose_key_is_gone_says_what_to_do() -> None:
    """A secret that cannot be decrypted is not reported as missing."""
    error = told(CALLS["read a secret"], "DecryptionFailure")
    assert type(error) is Fatal
    assert "KMS" in str(error)


def test_too_many_executions_ask_for_another_try() -> None:
    """The next tick starts what could not be started."""
    assert type(told(CALLS["start"], "ExecutionLimitExceeded")) is RetryLater
