"""The services of other teams as HTTP servers on loopback, with the rules of the in-process ones.

`Doubles` is the app with all seven, `serving` runs it. Faults are ordered at its `switchboard`.
Needs the extra `services`.
"""

from campaign_workers.doubles.app import LOCAL_TOKEN, Doubles
from campaign_workers.doubles.faults import Fault, Kind, Switchboard
from campaign_workers.doubles.server import serving
from campaign_workers.doubles.service_fakes import Neighbours

__all__ = ["LOCAL_TOKEN", "Doubles", "Fault", "Kind", "Neighbours", "Switchboard", "serving"]
