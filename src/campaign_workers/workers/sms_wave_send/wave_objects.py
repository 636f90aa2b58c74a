"""The objects of one wave: its config, whose folder is its state, and its registrants."""

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
    failure_of,
    version_of,
    with_failure,
)
from campaign_workers.domain.waves.notifications import REQUIRED_COLUMNS
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore

_PIECE: Final = 1024 * 1024
_AFTER_A_START: Final = (WaveState.COMPLETED, WaveState.FAILED)


@attrs.frozen
class WaveObjects:
    """What lies in the bucket of one wave.

    With a `version` only the config of that version counts; another one has its own execution.
    """

    store: ObjectStore
    wave: str
    version: str | None = None

    def key(self, state: WaveState) -> str:
        """The key of the config in a state."""
        return layout.wave_config_key(self.wave, state)

    def document(self, state: WaveState) -> bytes | None:
        """The config in a state as it stands, None if it is not in that state."""
        try:
            with closing(self.store.open(self.key(state), length=CONFIG_LIMIT + 1)) as source:
                return source.read()
        except NotFound:
            return None

    def begin(self) -> tuple[bytes, WaveConfig] | None:
        """The config of a wave that is to be sent, in `triggered/` from now on.

        What lies in `scheduled/` is the latest word and is moved; a config that an earlier call
        moved is not written again. None if the wave is completed already.

        Raises:
            BadInput: the config is wrong; it is in `failed/` then.
            Conflict: the wave has failed and nobody scheduled it again, or another version took
                its place.
            NotFound: there is no config in any state.
        """
        scheduled = self.document(WaveState.SCHEDULED)
        triggered = self.document(WaveState.TRIGGERED)
        if self._is_meant(scheduled):
            config = self._read(scheduled, WaveState.SCHEDULED)
            if scheduled != triggered:
                # In this order, since another call may complete the wave before this one goes on.
                self.store.delete(map(self.key, _AFTER_A_START))
                self.store.put(self.key(WaveState.TRIGGERED), scheduled)
            self._delete_unless_changed(WaveState.SCHEDULED, scheduled)
            return scheduled, config
        if self._is_meant(triggered):
            return triggered, self._read(triggered, WaveState.TRIGGERED)
        if self._is_meant(self.document(WaveState.COMPLETED)):
            return None
        if (failed := self.document(WaveState.FAILED)) is not None:
            reason = f"the wave failed ({failure_of(failed)}); repair and schedule it again"
            raise Conflict(f"{self.key(WaveState.FAILED)}: {reason}")
        raise self._missing()

    def complete(self, document: bytes) -> None:
        """Move the config from `triggered/` to `completed/`.

        Raises:
            Conflict: another version took its place.
        """
        if self.document(WaveState.TRIGGERED) == document:
            self.store.put(self.key(WaveState.COMPLETED), document)
            self._delete_unless_changed(WaveState.TRIGGERED, document)
        elif self.document(WaveState.COMPLETED) != document:
            raise self._missing()

    def fail(self, state: WaveState, document: bytes, reason: str) -> None:
        """Move the config from `state`, if it still is there, to `failed/`, with the reason."""
        if self.document(state) == document:
            self.store.put(self.key(WaveState.FAILED), with_failure(document, reason))
            self._delete_unless_changed(state, document)

    def give_up(self, reason: str) -> bytes | None:
        """The config as it lies in `failed/`, moved there if need be.

        None if the wave is completed after all, or another version took its place.

        Raises:
            NotFound: there is no config in any state.
        """
        for state in (WaveState.TRIGGERED, WaveState.SCHEDULED):
            document = self.document(state)
            if self._is_meant(document):
                self.fail(state, document, reason)
                break
        if self._is_meant(self.document(WaveState.COMPLETED)):
            return None
        failed = self.document(WaveState.FAILED)
        if failed is None and isinstance(missing := self._missing(), NotFound):
            raise missing
        return failed

    def config(self, state: WaveState) -> WaveConfig:
        """The config in a state.

        Raises:
            BadInput: it is wrong.
            NotFound: it is not in that state.
        """
        if (document := self.document(state)) is None:
            raise NotFound(f"{self.key(state)}: no such config")
        return WaveConfig.read(document, file=self.key(state))

    def triggered_at(self) -> datetime:
        """When the config came to `triggered/`.

        Raises:
            NotFound: it is not there.
        """
        return self.store.head(self.key(WaveState.TRIGGERED)).modified

    def registrants(self, expected: str | None) -> ObjectInfo:
        """The wave file as it is now.

        Raises:
            Conflict: its ETag is not the `expected` one.
            NotFound: there is no wave file.
        """
        info = self.store.head(layout.wave_file_key(self.wave))
        if expected not in {None, info.etag}:
            raise Conflict(f"{info.key}: changed while the wave was being sent")
        return info

    def rows(self, registrants: ObjectInfo) -> Iterator[Row]:
        """The rows of this version of the wave file, as they are read.

        Raises:
            BadInput: the file is not as wave files are.
            Conflict: there is another version by now.
        """
        pieces = self._pieces(registrants)
        yield from read_rows(pieces, file=registrants.key, required=REQUIRED_COLUMNS)

    def _pieces(self, registrants: ObjectInfo) -> Iterator[bytes]:
        # At a low rate a file is read for hours, longer than any connection lasts.
        for start in range(0, registrants.size, _PIECE):
            key, etag = registrants.key, registrants.etag
            with closing(self.store.open(key, etag=etag, start=start, length=_PIECE)) as source:
                yield source.read()

    def _read(self, document: bytes, state: WaveState) -> WaveConfig:
        try:
            return WaveConfig.read(document, file=self.key(state))
        except BadInput as why:
            self.fail(state, document, str(why))
            raise

    def _is_meant(self, document: bytes | None) -> TypeGuard[bytes]:
        return document is not None and self.version in {None, version_of(document)}

    def _missing(self) -> Conflict | NotFound:
        if any(self.document(state) is not None for state in WaveState):
            return Conflict(f"{self.wave}: another version of its config took its place")
        return NotFound(f"{self.wave}: no config of this wave in any state")

    def _delete_unless_changed(self, state: WaveState, document: bytes) -> None:
        # Somebody may have scheduled another version meanwhile; that one has its own execution.
        if self.document(state) == document:
            self.store.delete([self.key(state)])
