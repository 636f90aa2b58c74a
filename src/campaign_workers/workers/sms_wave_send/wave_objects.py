"""The objects of one wave: its config, whose folder is the wave's state, and its file."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Final, TypeGuard

import attrs

from campaign_workers.domain.csv.rows import Row, read_rows
from campaign_workers.domain.errors import BadInput, Conflict, NotFound
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.domain.waves.config import (
    CONFIG_LIMIT,
    WaveConfig,
    config_version,
    failure_reason,
    with_failure,
)
from campaign_workers.domain.waves.files import REQUIRED_COLUMNS
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.worker_library.objects import read_object

_CHUNK_BYTES: Final = 1024 * 1024
_END_STATES: Final = (WaveState.COMPLETED, WaveState.FAILED)


@attrs.frozen
class WaveObjects:
    """The objects of one wave in the bucket.

    With a `version`, configs of other versions are ignored: they have executions of their own.
    """

    store: ObjectStore
    wave: str
    version: str | None = None

    def key(self, state: WaveState) -> str:
        """Return the key of the config in a state."""
        return layout.wave_config_key(self.wave, state)

    def document(self, state: WaveState) -> bytes | None:
        """Return the unparsed config in a state, None if there is none."""
        return read_object(self.store, self.key(state), limit=CONFIG_LIMIT + 1)

    def start(self) -> tuple[bytes, WaveConfig] | None:
        """Move the config to `triggered/` and return it; None if the wave is completed.

        A config in `scheduled/` takes precedence and is moved. A config that an earlier call moved
        is not written again.

        Raises:
            BadInput: the config is invalid; it has been moved to `failed/`.
            Conflict: the wave has failed and was not scheduled again, or another version of the
                config has replaced this one.
            NotFound: there is no config in any state.
        """
        scheduled = self.document(WaveState.SCHEDULED)
        triggered = self.document(WaveState.TRIGGERED)
        if self._is_expected(scheduled):
            config = self._parse(scheduled, WaveState.SCHEDULED)
            if scheduled != triggered:
                # In this order, because another call may complete the wave in between.
                self.store.delete(map(self.key, _END_STATES))
                self.store.put(self.key(WaveState.TRIGGERED), scheduled)
            self._delete_if_unchanged(WaveState.SCHEDULED, scheduled)
            return scheduled, config
        if self._is_expected(triggered):
            return triggered, self._parse(triggered, WaveState.TRIGGERED)
        if self._is_expected(self.document(WaveState.COMPLETED)):
            return None
        if (failed := self.document(WaveState.FAILED)) is not None:
            reason = f"the wave failed ({failure_reason(failed)}); fix it and schedule it again"
            raise Conflict(f"{self.key(WaveState.FAILED)}: {reason}")
        raise self._no_config_error()

    def complete(self, document: bytes) -> None:
        """Move the config from `triggered/` to `completed/`.

        Raises:
            Conflict: another version of the config has replaced this one.
        """
        if self.document(WaveState.TRIGGERED) == document:
            self.store.put(self.key(WaveState.COMPLETED), document)
            self._delete_if_unchanged(WaveState.TRIGGERED, document)
        elif self.document(WaveState.COMPLETED) != document:
            raise self._no_config_error()

    def fail(self, state: WaveState, document: bytes, reason: str) -> None:
        """Move the config from `state` to `failed/` with the reason, if it is still there."""
        if self.document(state) == document:
            self.store.put(self.key(WaveState.FAILED), with_failure(document, reason))
            self._delete_if_unchanged(state, document)

    def give_up(self, reason: str) -> bytes | None:
        """Move the config to `failed/` if it is not there yet, and return it.

        None if the wave is completed, or another version of the config has replaced this one.

        Raises:
            NotFound: there is no config in any state.
        """
        for state in (WaveState.TRIGGERED, WaveState.SCHEDULED):
            document = self.document(state)
            if self._is_expected(document):
                self.fail(state, document, reason)
                break
        if self._is_expected(self.document(WaveState.COMPLETED)):
            return None
        failed = self.document(WaveState.FAILED)
        if failed is None and isinstance(error := self._no_config_error(), NotFound):
            raise error
        return failed

    def config(self, state: WaveState) -> WaveConfig:
        """Return the config in a state.

        Raises:
            BadInput: the config is invalid.
            NotFound: there is no config in that state.
        """
        if (document := self.document(state)) is None:
            raise NotFound(f"{self.key(state)}: no such config")
        return WaveConfig.parse(document, file=self.key(state))

    def triggered_at(self) -> datetime:
        """Return when the config was moved to `triggered/`.

        Raises:
            NotFound: the config is not in `triggered/`.
        """
        return self.store.head(self.key(WaveState.TRIGGERED)).modified

    def registrants(self, expected: str | None) -> ObjectInfo:
        """Return the current version of the wave file.

        Raises:
            Conflict: its ETag is not `expected`.
            NotFound: there is no wave file.
        """
        info = self.store.head(layout.wave_file_key(self.wave))
        if expected not in {None, info.etag}:
            raise Conflict(f"{info.key}: changed while the wave was being sent")
        return info

    def rows(self, registrants: ObjectInfo) -> Iterator[Row]:
        """Yield the rows of this version of the wave file while it is read.

        Raises:
            BadInput: the file is not a valid wave file.
            Conflict: the file has been replaced.
        """
        chunks = self._chunks(registrants)
        yield from read_rows(chunks, file=registrants.key, required=REQUIRED_COLUMNS)

    def _chunks(self, registrants: ObjectInfo) -> Iterator[bytes]:
        # At a low rate, reading takes hours, longer than a connection lasts: open it per chunk.
        for start in range(0, registrants.size, _CHUNK_BYTES):
            key, etag = registrants.key, registrants.etag
            content = self.store.open(key, etag=etag, start=start, length=_CHUNK_BYTES)
            with closing(content) as source:
                yield source.read()

    def _parse(self, document: bytes, state: WaveState) -> WaveConfig:
        try:
            return WaveConfig.parse(document, file=self.key(state))
        except BadInput as error:
            self.fail(state, document, str(error))
            raise

    def _is_expected(self, document: bytes | None) -> TypeGuard[bytes]:
        return document is not None and self.version in {None, config_version(document)}

    def _no_config_error(self) -> Conflict | NotFound:
        if any(self.document(state) is not None for state in WaveState):
            return Conflict(f"{self.wave}: another version of its config has replaced this one")
        return NotFound(f"{self.wave}: no config of this wave in any state")

    def _delete_if_unchanged(self, state: WaveState, document: bytes) -> None:
        # A version that was scheduled meanwhile has its own execution.
        if self.document(state) == document:
            self.store.delete([self.key(state)])
