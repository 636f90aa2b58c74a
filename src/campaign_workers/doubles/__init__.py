"""Doubles of other teams' services: HTTP servers on loopback with the rules of the fakes.

`Doubles` is the app with all seven services, `serve` runs it, and `Doubles.faults` injects faults.
Needs the extra `services`.
"""

from campaign_workers.doubles.app import LOCAL_TOKEN, Doubles
from campaign_workers.doubles.faults import Fault, FaultInjector, FaultKind
from campaign_workers.doubles.server import serve
from campaign_workers.doubles.service_fakes import ServiceFakes

__all__ = [
    "LOCAL_TOKEN",
    "Doubles",
    "Fault",
    "FaultInjector",
    "FaultKind",
    "ServiceFakes",
    "serve",
]
