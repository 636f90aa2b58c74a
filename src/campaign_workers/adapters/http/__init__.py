"""HTTP clients of other teams' services, as documented in `schemas/openapi/`."""
