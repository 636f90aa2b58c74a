"""Translation of the AWS SDK's errors into errors of the domain.

The SDK's messages are dropped, because they quote accounts and values. The translated message
names the service, the resource, the operation and the remedy.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

import attrs
from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from campaign_workers.domain.errors import CampaignError, Conflict, Fatal, NotFound, RetryLater


@attrs.frozen
class Failure:
    """The domain error for a kind of AWS error, and the template of its message."""

    error: type[CampaignError]
    message: str


_BUSY: Final = Failure(RetryLater, "too many requests")
_DOWN: Final = Failure(RetryLater, "the service failed")
_CHANGING: Final = Failure(RetryLater, "the {kind} is being changed")
_DAMAGED: Final = Failure(RetryLater, "the data was damaged in transit")
_EXPIRED: Final = Failure(
    RetryLater, "the credentials have expired; sign in again, or start a new process"
)
_SKEWED: Final = Failure(RetryLater, "this machine's clock is wrong; synchronise it")
_BARE: Final = Failure(
    RetryLater, "rejected without a reason; if the credentials have expired, sign in again"
)
_UNKNOWN: Final = Failure(Fatal, "AWS does not know the credentials; check the keys or the role")
_DENIED: Final = Failure(Fatal, "access denied; allow {action} in the role's policy")
_MISSING: Final = Failure(
    Fatal, "the {kind} does not exist; deploy the stack, or check its name, account and region"
)
_ENDED: Final = Failure(RetryLater, "another process ended the upload")
_NOT_THERE: Final = Failure(NotFound, "does not exist")
_CHANGED: Final = Failure(Conflict, "precondition failed")
_ELSEWHERE: Final = Failure(Fatal, "the {kind} is in another region; set AWS_REGION")
_NO_KEY: Final = Failure(Fatal, "its encryption key is disabled or deleted; see KMS")
_ARCHIVED: Final = Failure(Fatal, "the object is in an archive tier; restore it first")
_REFUSED: Final = Failure(Fatal, "request rejected")

_CODES: Final[dict[Failure, str]] = {
    _BUSY: """BandwidthLimitExceeded EC2ThrottledException ExecutionLimitExceeded
        KMSThrottlingException
        KmsThrottled LimitExceededException OperationAborted PriorRequestNotComplete
        ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled
        RequestThrottledException SlowDown Throttling ThrottlingException ThrottledException
        TooManyRequestsException TransactionConflictException TransactionInProgressException""",
    _DOWN: """InternalError InternalFailure InternalServerError InternalServerException
        RequestTimeout RequestTimeoutException ServiceUnavailable ServiceUnavailableException
        InternalServiceError""",
    _CHANGING: "ResourceInUseException ResourceNotReadyException",
    _DAMAGED: """BadDigest IncompleteBody InvalidDigest XAmzContentChecksumMismatch
        XAmzContentSHA256Mismatch""",
    _EXPIRED: """ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired""",
    # A response to HEAD has no body, so S3 cannot send a code.
    _BARE: "400",
    _SKEWED: "RequestTimeTooSkewed RequestInTheFuture",
    _UNKNOWN: """AuthFailure IncompleteSignature InvalidAccessKeyId InvalidClientTokenId
        InvalidSecurity InvalidSignatureException InvalidToken MissingAuthenticationToken
        MissingAuthenticationTokenException NotSignedUp SignatureDoesNotMatch
        UnrecognizedClientException""",
    _DENIED: """403 AccessDenied AccessDeniedException AllAccessDisabled AuthorizationError
        AuthorizationErrorException Forbidden KMSAccessDeniedException KmsAccessDenied
        UnauthorizedOperation""",
    _MISSING: """AWS.SimpleQueueService.NonExistentQueue EntityNotFoundException NoSuchBucket
        QueueDoesNotExist ResourceNotFoundException StateMachineDeleting
        StateMachineDoesNotExist""",
    _ENDED: "NoSuchUpload",
    _NOT_THERE: "404 NoSuchKey NoSuchVersion NotFound",
    _CHANGED: "412 ConditionalCheckFailedException ConditionalRequestConflict PreconditionFailed",
    _ELSEWHERE: """301 AuthorizationHeaderMalformed IllegalLocationConstraintException
        PermanentRedirect""",
    _NO_KEY: """DecryptionFailure KMS.DisabledException KMS.NotFoundException KMSDisabledException
        KMSInvalidStateException KMSNotFoundException KMSOptInRequired KmsDisabled
        KmsInvalidState KmsNotFound KmsOptInRequired""",
    _ARCHIVED: "InvalidObjectState",
}
FAILURES: Final[Mapping[str, Failure]] = MappingProxyType(
    {code: failure for failure, codes in _CODES.items() for code in codes.split()}
)
"""The failure for each error code; for other codes the HTTP status decides."""

_WITHOUT_RESPONSE: Final[tuple[tuple[tuple[type[Exception], ...], Failure], ...]] = (
    (
        (sdk.ConnectTimeoutError, sdk.ReadTimeoutError),
        Failure(RetryLater, "timed out"),
    ),
    (
        # If the connection drops while the error body is read, urllib3's error surfaces.
        (sdk.ConnectionError, sdk.HTTPClientError, sdk.IncompleteReadError, HTTPError),
        Failure(RetryLater, "the service is unreachable, or the connection broke"),
    ),
    ((sdk.FlexibleChecksumError,), _DAMAGED),
    (
        (sdk.CredentialRetrievalError, sdk.MetadataRetrievalError),
        Failure(RetryLater, "the credentials cannot be retrieved at the moment"),
    ),
    (
        (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.ProfileNotFound),
        Failure(Fatal, "no credentials found; run with a role, or set AWS_PROFILE"),
    ),
    (
        (sdk.UnauthorizedSSOTokenError, sdk.TokenRetrievalError, sdk.NoAuthTokenError),
        Failure(Fatal, "not signed in; run `aws sso login`"),
    ),
    ((sdk.NoRegionError,), Failure(Fatal, "no region is configured; set AWS_REGION")),
    ((BotoCoreError,), Failure(Fatal, "the SDK rejects the call")),
)
"""The failure for each error without a response; the first matching row applies."""

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "athena": "workgroup or query",
        "dynamodb": "table",
        "glue": "database or table",
        "kinesis": "stream",
        "s3": "bucket",
        "secretsmanager": "secret",
        "sqs": "queue",
        "stepfunctions": "state machine",
    }
)
_ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dynamodb:TransactWriteItems": "dynamodb:PutItem",
        "s3:CompleteMultipartUpload": "s3:PutObject",
        "s3:CopyObject": "s3:GetObject and s3:PutObject",
        "s3:CreateMultipartUpload": "s3:PutObject",
        "s3:DeleteObjects": "s3:DeleteObject",
        # Without `s3:ListBucket`, S3 answers 403 for an object that does not exist.
        "s3:GetObject": "s3:GetObject and s3:ListBucket",
        "s3:HeadBucket": "s3:ListBucket",
        "s3:HeadObject": "s3:GetObject and s3:ListBucket",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:UploadPart": "s3:PutObject",
        "s3:UploadPartCopy": "s3:GetObject and s3:PutObject",
        "sqs:SendMessageBatch": "sqs:SendMessage",
        "stepfunctions:DescribeExecution": "states:DescribeExecution",
        "stepfunctions:StartExecution": "states:StartExecution",
    }
)
"""The policy actions of operations whose action has another name."""


@contextmanager
def translate_errors(service: str, resource: str) -> Iterator[None]:
    """Translate the SDK's errors about `resource` of `service`; also usable as a decorator.

    An adapter that handles a certain error itself catches it inside, by its `error_code`.

    Raises:
        NotFound, Conflict: an object does not exist, or a precondition failed.
        Fatal: an operator has to fix access, credentials, settings or the request.
        RetryLater: the service throttles, fails or is unreachable, or the credentials expired.
    """
    try:
        yield
    except (ClientError, BotoCoreError, HTTPError) as error:
        raise to_domain_error(service, resource, error) from None


def to_domain_error(
    service: str, resource: str, error: ClientError | BotoCoreError | HTTPError
) -> CampaignError:
    """Return the domain error for an error of the SDK."""
    if isinstance(error, ClientError):
        operation, failure = error.operation_name, _classify(error)
        return _build_error(service, resource, operation, error_code(error), failure)
    failure = next(row for kinds, row in _WITHOUT_RESPONSE if isinstance(error, kinds))
    return failure.error(f"{service}: {resource}: {failure.message} ({type(error).__name__})")


def error_for_code(
    service: str, resource: str, *, operation: str, code: str, refused: bool = False
) -> CampaignError:
    """Return the domain error for an entry of a batch that failed by itself.

    An unknown code counts as a failure of the service, unless the service says that it `refused`
    the entry.
    """
    failure = FAILURES.get(code, _REFUSED if refused else _DOWN)
    return _build_error(service, resource, operation, code, failure)


def error_code(error: ClientError) -> str:
    """Return the code of an error response, such as `NoSuchKey`, or else its HTTP status."""
    return str(error.response.get("Error", {}).get("Code") or _status(error))


def _build_error(
    service: str, resource: str, operation: str, code: str, failure: Failure
) -> CampaignError:
    action = f"{service}:{operation}"
    message = failure.message.format(
        action=_ACTIONS.get(action, action), kind=_KINDS.get(service, "resource")
    )
    return failure.error(f"{service}: {resource}: {message} ({operation}, {code})")


def _classify(error: ClientError) -> Failure:
    name = error_code(error)
    if name == "InvalidSignatureException" and _is_clock_skew(error):
        return _SKEWED
    return FAILURES.get(name, _DOWN if _status(error) >= 500 else _REFUSED)


def _is_clock_skew(error: ClientError) -> bool:
    """Return whether the message reports clock skew; only S3 has a code for it."""
    text = str(error.response.get("Error", {}).get("Message"))
    return "Signature expired" in text or "Signature not yet current" in text


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
