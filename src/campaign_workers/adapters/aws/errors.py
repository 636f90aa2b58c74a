"""Errors of the SDK become the domain's at the edge of this room, once.

Their texts stay here: they quote accounts and values. What is said instead is who refused what,
on which resource, and what to do about it.
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
    """What an error of AWS is to a worker, and what is said of it."""

    error: type[CampaignError]
    words: str


_BUSY: Final = Failure(RetryLater, "too many requests")
_DOWN: Final = Failure(RetryLater, "the service failed")
_CHANGING: Final = Failure(RetryLater, "the {kind} is being changed")
_DAMAGED: Final = Failure(RetryLater, "damaged on the way")
_EXPIRED: Final = Failure(
    RetryLater, "the credentials have expired; sign in again, or let a new process start"
)
_SKEWED: Final = Failure(RetryLater, "this machine's clock is wrong; synchronise it")
_BARE: Final = Failure(
    RetryLater, "refused without a reason; perhaps the credentials have expired: sign in again"
)
_UNKNOWN: Final = Failure(Fatal, "AWS does not know the credentials; check the keys or the role")
_DENIED: Final = Failure(Fatal, "access denied; allow {action} in the role's policy")
_MISSING: Final = Failure(
    Fatal, "there is no such {kind}; deploy the stack, or check its name, account and region"
)
_ENDED: Final = Failure(RetryLater, "somebody else ended the upload")
_NOT_THERE: Final = Failure(NotFound, "not there")
_CHANGED: Final = Failure(Conflict, "somebody else changed it")
_ELSEWHERE: Final = Failure(Fatal, "the {kind} is in another region; set AWS_REGION")
_NO_KEY: Final = Failure(Fatal, "its encryption key is disabled or gone; see KMS")
_ARCHIVED: Final = Failure(Fatal, "the object is in an archive tier; restore it first")
_REFUSED: Final = Failure(Fatal, "refused")

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
    # What S3 answers to HEAD, which has no room for a code.
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
"""What the codes of AWS mean; of other codes the status decides."""

_WITHOUT_ANSWER: Final[tuple[tuple[tuple[type[Exception], ...], Failure], ...]] = (
    (
        (sdk.ConnectTimeoutError, sdk.ReadTimeoutError),
        Failure(RetryLater, "no answer in time"),
    ),
    (
        # An error that is cut off while it is told comes out as it is.
        (sdk.ConnectionError, sdk.HTTPClientError, sdk.IncompleteReadError, HTTPError),
        Failure(RetryLater, "the service cannot be reached, or the connection broke"),
    ),
    ((sdk.FlexibleChecksumError,), _DAMAGED),
    (
        (sdk.CredentialRetrievalError, sdk.MetadataRetrievalError),
        Failure(RetryLater, "the credentials cannot be had at the moment"),
    ),
    (
        (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.ProfileNotFound),
        Failure(Fatal, "there are no credentials; run with a role, or set AWS_PROFILE"),
    ),
    (
        (sdk.UnauthorizedSSOTokenError, sdk.TokenRetrievalError, sdk.NoAuthTokenError),
        Failure(Fatal, "nobody is signed in; run `aws sso login`"),
    ),
    ((sdk.NoRegionError,), Failure(Fatal, "there is no region; set AWS_REGION")),
    ((BotoCoreError,), Failure(Fatal, "the SDK refuses")),
)
"""What it means when no answer came; the first row that fits counts."""

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
        # Without leave to list, S3 answers a question for an object that is not there like this.
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
"""What a policy calls an operation, where it is not the operation's own name."""


@contextmanager
def translate_errors(service: str, resource: str) -> Iterator[None]:
    """Translate what the SDK raises while it asks `service` about `resource`; a decorator, too.

    An error that means something of its own to an adapter is caught within, by its `code`.

    Raises:
        NotFound, Conflict: an object is not there, or a precondition failed.
        Fatal: access, credentials, settings or what was asked for have to be mended by a person.
        RetryLater: throttled, failed, broken off, unreachable, or signed in with what has expired.
    """
    try:
        yield
    except (ClientError, BotoCoreError, HTTPError) as error:
        raise to_domain_error(service, resource, error) from None


def to_domain_error(
    service: str, resource: str, error: ClientError | BotoCoreError | HTTPError
) -> CampaignError:
    """The error of the domain that tells of `error`."""
    if isinstance(error, ClientError):
        return _told(service, resource, error.operation_name, error_code(error), _answered(error))
    failure = next(row for kinds, row in _WITHOUT_ANSWER if isinstance(error, kinds))
    return failure.error(f"{service}: {resource}: {failure.words} ({type(error).__name__})")


def error_for_code(
    service: str, resource: str, *, operation: str, code: str, refused: bool = False
) -> CampaignError:
    """The error of the domain for an entry of a batch that failed alone.

    A code that is not known means that the service failed, or that it `refused`.
    """
    failure = FAILURES.get(code, _REFUSED if refused else _DOWN)
    return _told(service, resource, operation, code, failure)


def error_code(error: ClientError) -> str:
    """The code of an answer, such as `NoSuchKey`, or its status if it has none."""
    return str(error.response.get("Error", {}).get("Code") or _status(error))


def _told(
    service: str, resource: str, operation: str, code: str, failure: Failure
) -> CampaignError:
    action = f"{service}:{operation}"
    words = failure.words.format(
        action=_ACTIONS.get(action, action), kind=_KINDS.get(service, "resource")
    )
    return failure.error(f"{service}: {resource}: {words} ({operation}, {code})")


def _answered(error: ClientError) -> Failure:
    name = error_code(error)
    if name == "InvalidSignatureException" and _is_about_time(error):
        return _SKEWED
    return FAILURES.get(name, _DOWN if _status(error) >= 500 else _REFUSED)


def _is_about_time(error: ClientError) -> bool:
    """Services other than S3 tell a wrong clock by the text alone."""
    text = str(error.response.get("Error", {}).get("Message"))
    return "Signature expired" in text or "Signature not yet current" in text


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
