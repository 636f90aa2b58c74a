"""The files of one wave: its config, whose folder is its state, and its registrants."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import attrs

from campaign_workers.domain import layout
from campaign_workers.domain.csv_files import Row, read_rows
from campaign_workers.domain.errors import BadInput, Conflict, NotFound
from campaign_workers.domain.layout import WaveState
from campaign_workers.domain.registrants import REQUIRED_COLUMNS
from campaign_workers.domain.waves import CONFIG_LIMIT, WaveConfig, with_failure
from campaign_workers.ports.object_store import ObjectStore

_AFTER_A_START = (WaveState.COMPLETED, WaveState.FAILED)


@attrs.frozen
class WaveFiles:
    """What lies in the bucket of one wave."""

    store: ObjectStore
    wave: str

    def key(self, state: WaveState) -> str:
        """The key of the config in a state."""
        return layout.wave_config(self.wave, state)

    def document(self, state: WaveState) -> bytes | None:
        """The config in a state as it stands, None if it is not in that state."""
        try:
            with closing(self.store.open(self.key(state), length=CONFIG_LIMIT + 1)) as source:
                return source.read()
        except NotFound:
            return None

    def begin(self) -> WaveConfig | None:
        """The config of a wave that is to be sent, in `triggered/` from now on.

        What lies in `scheduled/` is the latest word and is moved; a config that an earlier call
        moved is not written again. None if the wave is completed already.

        Raises:
            BadInput: the config is wrong; it is in `failed/` then.
            Conflict: the wave has failed, and nobody has scheduled it again.
            NotFound: there is no config in any state.
        """
        scheduled = self.document(WaveState.SCHEDULED)
        triggered = self.document(WaveState.TRIGGERED)
        if scheduled is not None:
            config = self._read(scheduled, WaveState.SCHEDULED)
            if scheduled != triggered:
                self.store.put(self.key(WaveState.TRIGGERED), scheduled)
            self.store.delete(map(self.key, _AFTER_A_START))
            self._delete_unless_changed(scheduled)
            return config
        if triggered is not None:
            return self._read(triggered, WaveState.TRIGGERED)
        if self.document(WaveState.COMPLETED) is not None:
            return None
        if self.document(WaveState.FAILED) is not None:
            raise Conflict(f"{self.key(WaveState.FAILED)}: failed; repair and schedule it again")
        raise NotFound(f"{self.wave}: no config of this wave in any state")

    def complete(self) -> None:
        """Move the config from `triggered/` to `completed/`."""
        self.store.copy(self.key(WaveState.TRIGGERED), self.key(WaveState.COMPLETED))
        self.store.delete([self.key(WaveState.TRIGGERED)])

    def fail(self, state: WaveState, reason: str) -> None:
        """Move the config from `state`, if it is there, to `failed/`, with the reason."""
        if (document := self.document(state)) is not None:
            self.store.put(self.key(WaveState.FAILED), with_failure(document, reason))
            self.store.delete([self.key(state)])

    def give_up(self, reason: str) -> bytes | None:
        """The config as it lies in `failed/`, moved there if need be.

        None if the wave is completed after all.

        Raises:
            NotFound: there is no config in any state.
        """
        failed = self.document(WaveState.FAILED)
        scheduled = self.document(WaveState.SCHEDULED)
        if self.document(WaveState.TRIGGERED) is not None:
            self.fail(WaveState.TRIGGERED, reason)
        elif failed is None and self.document(WaveState.COMPLETED) is not None:
            return None
        elif scheduled is not None and failed in {None, with_failure(scheduled, reason)}:
            self.fail(WaveState.SCHEDULED, reason)
        if (given_up := self.document(WaveState.FAILED)) is None:
            raise NotFound(f"{self.wave}: no config of this wave in any state")
        return given_up

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

    def version(self, expected: str | None) -> str:
        """The ETag of the wave file.

        Raises:
            Conflict: it is not the `expected` one.
            NotFound: there is no wave file.
        """
        etag = self.store.head(layout.wave_file(self.wave)).etag
        if expected not in {None, etag}:
            raise Conflict(f"{layout.wave_file(self.wave)}: changed while the wave was being sent")
        return etag

    def rows(self, etag: str) -> Iterator[Row]:
        """The rows of this version of the wave file, as they are read.

        Raises:
            BadInput: the file is not as wave files are.
            Conflict: there is another version by now.
        """
        key = layout.wave_file(self.wave)
        with closing(self.store.open(key, etag=etag)) as source:
            yield from read_rows(source, file=key, required=REQUIRED_COLUMNS)

    def _read(self, document: bytes, state: WaveState) -> WaveConfig:
        try:
            return WaveConfig.read(document, file=self.key(state))
        except BadInput as why:
            self.fail(state, str(why))
            raise

    def _delete_unless_changed(self, scheduled: bytes) -> None:
        # Somebody may have scheduled another version meanwhile; that one has its own execution.
        if self.document(WaveState.SCHEDULED) == scheduled:
            self.store.delete([self.key(WaveState.SCHEDULED)])
