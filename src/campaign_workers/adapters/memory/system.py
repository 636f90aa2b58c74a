"""The `Secrets` and `Metrics` ports in memory."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

import attrs

from campaign_workers.adapters.memory.faults import FaultInjectionMixin
from campaign_workers.domain.errors import NotFound
from campaign_workers.domain.storage.layout import validate_object_key


@attrs.define
class MemorySecrets(FaultInjectionMixin):
    """Serves `Secrets`; values do not appear in its repr."""

    _secrets: dict[str, str] = attrs.field(factory=dict, repr=False)

    def read(self, name: str) -> str:
        """See `Secrets.read`."""
        self._raise_injected_fault()
        if name not in self._secrets:
            raise NotFound(f"no secret {name}")
        return self._secrets[name]

    def write(self, name: str, secret: str) -> None:
        """Save a secret."""
        self._secrets[validate_object_key(name)] = secret


@attrs.define
class MemoryMetrics:
    """Serves `Metrics` with counters by name and dimensions."""

    counted: Counter[tuple[str, tuple[tuple[str, str], ...]]] = attrs.field(factory=Counter)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False, eq=False)

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        with self._lock:
            self.counted[name, tuple(sorted(dimensions.items()))] += value

    def total(self, name: str, dimensions: Mapping[str, str] | None = None) -> int:
        """Return the sum of a counter over all dimensions that include `dimensions`."""
        wanted = set((dimensions or {}).items())
        return sum(
            value
            for (counter, labels), value in self.counted.items()
            if counter == name and wanted <= set(labels)
        )
