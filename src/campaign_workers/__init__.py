"""Verified-fan presale pipelines: scrub, score, select, code and notify fans, fairly and once.

The package is a pure domain (`campaign_workers.domain`), ports, fifteen workers and the adapters
that connect them; importing it imports none of them.
"""

__version__ = "0.1.0"
