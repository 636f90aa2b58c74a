"""The services of other teams as HTTP servers on loopback, with the rules of the in-process ones.

`Doubles` is the app with all seven, `serving` runs it. Faults are ordered at its `switchboard`.
Needs the extra `services`.
"""

from campaign_workers.testing.doubles.app import LOCAL_TOKEN, Doubles
from campaign_workers.testing.doubles.faults import Fault, Kind, Switchboard
from campaign_workers.testing.doubles.neighbours import Neighbours
from campaign_workers.testing.doubles.server import serving

__all__ = ["LOCAL_TOKEN", "Doubles", "Fault", "Kind", "Neighbours", "Switchboard", "serving"]
