"""What workers need from other systems, as small protocols.

The docstrings are the contracts, and every adapter passes the contract suite of its port. Methods
of services of other teams raise `RetryLater` if the service still fails after the adapter's
retries, `OutcomeUnknown` if it is unknown whether a request was carried out, and
`PermanentFailure` if the service refuses for good. Requests that change something are idempotent:
the same request again gives the same response.
"""
