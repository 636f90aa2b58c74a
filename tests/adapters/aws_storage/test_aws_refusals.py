"""What AWS refuses, of every call on buckets, streams and queues."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import pytest
from botocore.stub import Stubber

from campaign_workers.adapters.aws.errors import FAILURES, error_for_code
from campaign_workers.adapters.aws.kinesis import KinesisRecordStream
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.adapters.aws.sqs import SqsMessageQueue
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import CampaignError, Conflict, Fatal, NotFound, RetryLater
from campaign_workers.testing.builders import CREATED
from tests.servers.aws import FreshAws, client_of, endpoint

NOWHERE: Final = "http://127.0.0.1:9"
SECRET: Final = "quoted-by-the-sdk"
CLOCK: Final = SteppedClock(CREATED)


def store(client: Any) -> S3ObjectStore:
    """A bucket; two bytes are two parts."""
    return S3ObjectStore(client, "thing", part_bytes=1)


def stream(client: Any) -> KinesisRecordStream:
    """A stream."""
    return KinesisRecordStream(client, CLOCK, name="thing")


def queue(client: Any) -> SqsMessageQueue:
    """A queue."""
    return SqsMessageQueue(client, CLOCK, name="thing")


@attrs.frozen
class Call:
    """What is asked of which service first, and with which action's leave."""

    service: str
    operation: str
    action: str
    make: Callable[[Any], object]


CALLS: Final[Mapping[str, Call]] = {
    "head": Call("s3", "head_object", "s3:GetObject", lambda c: store(c).head("k")),
    "open": Call("s3", "get_object", "s3:GetObject", lambda c: store(c).open("k")),
    "put": Call("s3", "put_object", "s3:PutObject", lambda c: store(c).put("k", b"x")),
    "put in parts": Call(
        "s3", "create_multipart_upload", "s3:PutObject", lambda c: store(c).put("k", b"xy")
    ),
    "list": Call("s3", "list_objects_v2", "s3:ListBucket", lambda c: list(store(c).list(""))),
    "copy": Call("s3", "head_object", "s3:GetObject", lambda c: store(c).copy("k", "t")),
    "checksum": Call("s3", "head_object", "s3:GetObject", lambda c: store(c).checksum("k")),
    "delete": Call("s3", "delete_objects", "s3:DeleteObject", lambda c: store(c).delete(["k"])),
    "put records": Call(
        "kinesis", "put_records", "kinesis:PutRecords", lambda c: stream(c).put([("k", b"x")])
    ),
    "find the queue": Call(
        "sqs", "get_queue_url", "sqs:GetQueueUrl", lambda c: queue(c).send(["x"])
    ),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


def told(call: Call, code: str, *, status: int = 400, text: str = SECRET) -> CampaignError:
    """What a worker gets when AWS answers so; the SDK's text is not shown."""
    client = client_of(NOWHERE, call.service)
    with Stubber(client) as answers:
        answers.add_client_error(call.operation, code, text, status)
        with pytest.raises(CampaignError) as caught:
            call.make(client)
        answers.assert_no_pending_responses()
    assert text not in "".join(traceback.format_exception(caught.value))
    assert "thing" in str(caught.value)
    return caught.value


@every_call
@pytest.mark.parametrize(
    ("code", "status"), [("SlowDown", 503), ("ThrottlingException", 400), ("Throttling", 400)]
)
def test_throttling_asks_for_another_try(call: Call, code: str, status: int) -> None:
    """When the client's own attempts are used up the work is given back."""
    error = told(call, code, status=status)
    assert type(error) is RetryLater
    assert "too many requests" in str(error)


@every_call
@pytest.mark.parametrize(
    ("code", "status"), [("InternalError", 500), ("NeverHeardOf", 502), ("503", 503)]
)
def test_a_failing_service_asks_for_another_try(call: Call, code: str, status: int) -> None:
    """A server error says nothing about the work, whatever it is called."""
    assert type(told(call, code, status=status)) is RetryLater


@every_call
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403"])
def test_denied_access_names_the_action(call: Call, code: str) -> None:
    """The error names the action to allow and the resource."""
    error = told(call, code, status=403)
    assert type(error) is Fatal
    assert f"access denied; allow {call.action}" in str(error)


@every_call
@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_ask_for_another_try(call: Call, code: str) -> None:
    """A new process has new ones; a person reads that they have to sign in."""
    error = told(call, code)
    assert type(error) is RetryLater
    assert "the credentials have expired; sign in again" in str(error)


@every_call
@pytest.mark.parametrize(
    "code", ["InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch"]
)
def test_unknown_credentials_stop(call: Call, code: str) -> None:
    """Asking again cannot help."""
    error = told(call, code, status=403)
    assert type(error) is Fatal
    assert "credentials" in str(error)


@every_call
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("RequestTimeTooSkewed", "The difference is too large"),
        ("InvalidSignatureException", "Signature expired: 20260504 is now earlier than 20260505"),
        ("InvalidSignatureException", "Signature not yet current: 20260506 is still later"),
    ],
)
def test_a_wrong_clock_is_reported(call: Call, code: str, text: str) -> None:
    """A person reads what is wrong with the machine; another machine may do the work."""
    error = told(call, code, status=403, text=text)
    assert type(error) is RetryLater
    assert "this machine's clock is wrong; synchronise it" in str(error)


@every_call
def test_a_bucket_elsewhere_names_the_remedy(call: Call) -> None:
    """Its region is a setting."""
    error = told(call, "301", status=301)
    assert type(error) is Fatal
    assert "another region; set AWS_REGION" in str(error)


@every_call
def test_an_endpoint_that_is_down_asks_for_another_try(call: Call) -> None:
    """No server listens at the address."""
    with pytest.raises(RetryLater, match=r"thing.*: the service is unreachable"):
        call.make(client_of(NOWHERE, call.service))


@every_call
def test_missing_credentials_are_reported(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for a person."""
    client = client_of(NOWHERE, call.service)
    monkeypatch.setattr(client._request_signer, "_credentials", None)
    with pytest.raises(Fatal, match="no credentials found"):
        call.make(client)


@every_call
def test_an_answer_that_makes_no_sense_to_anybody_stops(call: Call) -> None:
    """A request that AWS does not understand is not understood a second time."""
    error = told(call, "MalformedXML")
    assert type(error) is Fatal
    assert "rejected" in str(error)


@pytest.mark.parametrize("name", ["head", "copy", "checksum"])
def test_a_refusal_without_a_reason_may_be_expired_credentials(name: str) -> None:
    """An answer to HEAD has no room for a code."""
    error = told(CALLS[name], "400")
    assert type(error) is RetryLater
    assert "expired" in str(error)


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name].service == "s3"])
def test_a_missing_bucket_is_no_missing_object(name: str, aws: FreshAws) -> None:
    """It is for a person; a worker must not take it for a bucket without the object."""
    client = client_of(endpoint(), "s3")
    with pytest.raises(Fatal, match="the bucket does not exist; deploy the stack") as caught:
        CALLS[name].make(client)
    assert not isinstance(caught.value, NotFound | Conflict)


def test_a_missing_stream_says_what_to_do(aws: FreshAws) -> None:
    """It is for a person, who reads where to look."""
    with pytest.raises(Fatal, match="the stream does not exist; deploy the stack"):
        stream(client_of(endpoint(), "kinesis")).put([("k", b"x")])


def test_a_missing_queue_says_what_to_do(aws: FreshAws) -> None:
    """The same for a queue that is not there, and one that is gone since it was found."""
    client = client_of(endpoint(), "sqs")
    with pytest.raises(Fatal, match="the queue does not exist; deploy the stack"):
        queue(client).send(["x"])
    url = client.create_queue(QueueName=(name := aws.name()))["QueueUrl"]
    found = SqsMessageQueue(client, CLOCK, name=name)
    assert found.send(["x"]) == 1
    client.delete_queue(QueueUrl=url)
    with pytest.raises(Fatal, match="the queue does not exist; deploy the stack"):
        found.send(["x"])


def test_whether_a_bucket_is_there_is_asked_once() -> None:
    """Objects that are not there cost one request each, but for the first."""
    client = client_of(NOWHERE, "s3")
    bucket = store(client)
    with Stubber(client) as answers:
        answers.add_client_error("head_object", "404", "no", 404)
        answers.add_response("head_bucket", {})
        answers.add_client_error("head_object", "404", "no", 404)
        answers.add_client_error("head_object", "404", "no", 404)
        for _ in range(3):
            with pytest.raises(NotFound):
                bucket.head("gone")
        answers.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["InvalidObjectState", "KMS.DisabledException"])
def test_an_object_that_cannot_be_read_says_why(code: str) -> None:
    """Archived, or its key gone: both are for a person."""
    assert type(told(CALLS["open"], code, status=403)) is Fatal


def test_every_code_has_one_meaning() -> None:
    """No code stands in two rows, and each row says what to do in words that can be filled in."""
    for code, failure in FAILURES.items():
        error = error_for_code("s3", "bucket/k", operation="PutObject", code=code)
        assert type(error) is failure.error
        assert "{" not in str(error)
        assert str(error).endswith(f"(PutObject, {code})")


@pytest.mark.parametrize(("refused", "error"), [(True, Fatal), (False, RetryLater)])
def test_an_unknown_code_of_an_entry_goes_by_whose_fault_it_is(
    refused: bool, error: type[CampaignError]
) -> None:
    """The sender's fault is for a person."""
    told = error_for_code("sqs", "q", operation="SendMessageBatch", code="New", refused=refused)
    assert type(told) is error
