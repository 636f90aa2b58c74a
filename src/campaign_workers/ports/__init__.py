"""What the workers need of the world, as small protocols; the docstrings are the contracts.

Every method of a port of another team's service raises `RetryLater` when the service still fails
after its retries, `OutcomeUnknown` when it is unknown whether a request was carried out, and
`PermanentFailure` when the service refuses for good. Requests that change something are
idempotent: the same request again gives the same answer.
"""
