"""Draw docs/images/data-flow.svg: `python -m tests.docs.data_flow`.

The picture shows the fifteen workers with what starts each of them and what each writes. It is
made of three tables: bands, boxes on a grid, and arrows between boxes.
"""

from collections.abc import Iterator
from html import escape
from typing import Final, Literal

import attrs

from tests.docs.pages import ROOT

PICTURE: Final = ROOT / "docs" / "images" / "data-flow.svg"
COLUMN, BOX_WIDTH, BOX_HEIGHT, LEFT = 222, 194, 46, 30
WIDTH: Final = LEFT * 2 + COLUMN * 5 + BOX_WIDTH

Kind = Literal["worker", "bucket", "stream", "system", "clock"]
Side = Literal["left", "right", "top", "bottom"]

FILLS: Final[dict[Kind, tuple[str, str]]] = {
    "worker": ("#2b59c3", "#1f4396"),
    "bucket": ("#fdf3d8", "#b98900"),
    "stream": ("#dff3ea", "#2d8a63"),
    "system": ("#f1f0f5", "#7b748f"),
    "clock": ("#ffffff", "#7b748f"),
}
LEGEND: Final[tuple[tuple[Kind, str], ...]] = (
    ("worker", "worker"),
    ("stream", "stream, queue or workflow"),
    ("bucket", "files in a bucket, or a table"),
    ("system", "system of another team"),
    ("clock", "schedule"),
)


@attrs.frozen
class Box:
    """A box in a grid column, with its center `y` pixels below the top."""

    column: int
    y: int
    kind: Kind
    title: str
    detail: str = ""

    @property
    def x(self) -> int:
        """Return the left edge."""
        return LEFT + self.column * COLUMN

    def point(self, side: Side) -> tuple[int, int]:
        """Return the middle of a side."""
        middle = self.x + BOX_WIDTH // 2
        return {
            "left": (self.x, self.y),
            "right": (self.x + BOX_WIDTH, self.y),
            "top": (middle, self.y - BOX_HEIGHT // 2),
            "bottom": (middle, self.y + BOX_HEIGHT // 2),
        }[side]


BANDS: Final = (
    (20, 220, "1  Collect registrations in the lake"),
    (250, 176, "2  Scrub and score fans"),
    (436, 176, "3  Select fans for markets"),
    (622, 176, "4  Assign codes"),
    (808, 176, "5  Notify at the announced minute"),
    (994, 176, "6  Record who got which code"),
    (1180, 176, "7  Report"),
)

BOXES: Final[dict[str, Box]] = {
    "services": Box(0, 84, "system", "other teams", "registrations, codes, .."),
    "inputStream": Box(1, 84, "stream", "inputStream"),
    "saveCampaignData": Box(2, 84, "worker", "saveCampaignData"),
    "lake": Box(3, 84, "bucket", "lake", "avro/{type}/{day}/"),
    "mergeAvroFiles": Box(4, 84, "worker", "mergeAvroFiles"),
    "mergeTimes": Box(5, 84, "clock", "daily and monthly"),
    "vfInputStream": Box(1, 194, "stream", "vfInputStream"),
    "fanlistRanksStream": Box(2, 194, "stream", "fanlistRanksStream"),
    "archive": Box(3, 194, "bucket", "archived files", "avro/archived/"),
    "moveMergedAvroFiles": Box(4, 194, "worker", "moveMergedAvroFiles"),
    "moveMergedAvroQueue": Box(5, 194, "stream", "moveMergedAvroQueue"),
    "scored": Box(0, 314, "bucket", "scored fans", "scored/*.txt"),
    "processScoredFiles": Box(1, 314, "worker", "processScoredFiles"),
    "scrubbed": Box(1, 388, "bucket", "scrubbed fans", "scrubbed/*.csv"),
    "translateRanksToScores": Box(2, 314, "worker", "translateRanksToScores"),
    "ranked": Box(2, 388, "bucket", "scored fan list", "fanlist/scored/"),
    "ranks": Box(3, 314, "bucket", "fan club ranks", "fanlist/uploaded/"),
    "details": Box(0, 500, "bucket", "market details", "wavePrep/{id}/data/"),
    "processSmsWaveFiles": Box(1, 500, "worker", "processSmsWaveFiles"),
    "candidates": Box(1, 574, "system", "entry service", "candidates"),
    "prepped": Box(2, 500, "bucket", "wave files and audit", "wavePrep/{id}/prepped/"),
    "reserved": Box(2, 574, "system", "code service", "reservations"),
    "waveFile": Box(0, 686, "bucket", "wave file", "smsWaves/csv/"),
    "generateSmsWaveCodes": Box(1, 686, "worker", "generateSmsWaveCodes"),
    "pacman": Box(1, 760, "system", "Pacman", "offer codes"),
    "scheduled": Box(2, 686, "bucket", "wave config", "smsWaves/scheduled/"),
    "processScheduledWave": Box(3, 686, "worker", "processScheduledWave"),
    "assigned": Box(4, 686, "system", "code service", "assignments"),
    "schedulerTimes": Box(1, 872, "clock", "every 5 minutes"),
    "smsWaveScheduler": Box(2, 872, "worker", "smsWaveScheduler"),
    "sms-wave-step-fn": Box(3, 872, "stream", "sms-wave-step-fn"),
    "smsWaveSend": Box(4, 872, "worker", "smsWaveSend"),
    "sms": Box(5, 872, "system", "SMS service", "texts"),
    "emailQueue": Box(5, 946, "stream", "emailQueue", "e-mails"),
    "triggered": Box(4, 946, "bucket", "wave config", "smsWaves/triggered/"),
    "loadCodeAssignmentsToStream": Box(4, 1058, "worker", "loadCodeAssignments", "ToStream"),
    "inputStreamAgain": Box(3, 1058, "stream", "inputStream"),
    "transformCodeAssignments": Box(2, 1058, "worker", "transformCode", "Assignments"),
    "saveSelectionStream": Box(1, 1058, "stream", "saveSelectionStream"),
    "saveSelection": Box(0, 1058, "worker", "saveSelection"),
    "entries": Box(0, 1132, "system", "entry service", "codes of fans"),
    "demandTable": Box(1, 1132, "bucket", "demandTable"),
    "verdictQueue": Box(2, 1132, "stream", "verdictQueue"),
    "lakeAgain": Box(3, 1132, "bucket", "lake", "by saveCampaignData"),
    "saveStatsTimes": Box(0, 1244, "clock", "every 5 minutes"),
    "saveStats": Box(1, 1244, "worker", "saveStats"),
    "entryRows": Box(1, 1318, "system", "entries", "MongoDB"),
    "adminStats": Box(2, 1244, "bucket", "adminStats"),
    "slackStats": Box(3, 1244, "worker", "slackStats"),
    "slackTimes": Box(3, 1318, "clock", "every 30 minutes"),
    "slack": Box(4, 1244, "system", "Slack"),
}

ARROWS: Final[tuple[tuple[str, Side, str, Side], ...]] = (
    ("services", "right", "inputStream", "left"),
    ("inputStream", "right", "saveCampaignData", "left"),
    ("vfInputStream", "right", "saveCampaignData", "left"),
    ("fanlistRanksStream", "top", "saveCampaignData", "bottom"),
    ("saveCampaignData", "right", "lake", "left"),
    ("lake", "right", "mergeAvroFiles", "left"),
    ("mergeTimes", "left", "mergeAvroFiles", "right"),
    ("mergeAvroFiles", "bottom", "moveMergedAvroQueue", "top"),
    ("moveMergedAvroQueue", "left", "moveMergedAvroFiles", "right"),
    ("moveMergedAvroFiles", "left", "archive", "right"),
    ("scored", "right", "processScoredFiles", "left"),
    ("processScoredFiles", "top", "vfInputStream", "bottom"),
    ("processScoredFiles", "bottom", "scrubbed", "top"),
    ("ranks", "left", "translateRanksToScores", "right"),
    ("translateRanksToScores", "top", "fanlistRanksStream", "bottom"),
    ("translateRanksToScores", "bottom", "ranked", "top"),
    ("details", "right", "processSmsWaveFiles", "left"),
    ("candidates", "top", "processSmsWaveFiles", "bottom"),
    ("processSmsWaveFiles", "right", "prepped", "left"),
    ("processSmsWaveFiles", "right", "reserved", "left"),
    ("waveFile", "right", "generateSmsWaveCodes", "left"),
    ("pacman", "top", "generateSmsWaveCodes", "bottom"),
    ("generateSmsWaveCodes", "right", "scheduled", "left"),
    ("scheduled", "right", "processScheduledWave", "left"),
    ("processScheduledWave", "right", "assigned", "left"),
    ("scheduled", "bottom", "smsWaveScheduler", "top"),
    ("schedulerTimes", "right", "smsWaveScheduler", "left"),
    ("smsWaveScheduler", "right", "sms-wave-step-fn", "left"),
    ("sms-wave-step-fn", "right", "smsWaveSend", "left"),
    ("smsWaveSend", "right", "sms", "left"),
    ("smsWaveSend", "right", "emailQueue", "left"),
    ("smsWaveSend", "bottom", "triggered", "top"),
    ("triggered", "bottom", "loadCodeAssignmentsToStream", "top"),
    ("loadCodeAssignmentsToStream", "left", "inputStreamAgain", "right"),
    ("inputStreamAgain", "left", "transformCodeAssignments", "right"),
    ("inputStreamAgain", "bottom", "lakeAgain", "top"),
    ("transformCodeAssignments", "left", "saveSelectionStream", "right"),
    ("saveSelectionStream", "left", "saveSelection", "right"),
    ("saveSelection", "bottom", "entries", "top"),
    ("saveSelection", "bottom", "demandTable", "top"),
    ("saveSelection", "bottom", "verdictQueue", "top"),
    ("saveStatsTimes", "right", "saveStats", "left"),
    ("entryRows", "top", "saveStats", "bottom"),
    ("saveStats", "right", "adminStats", "left"),
    ("adminStats", "right", "slackStats", "left"),
    ("slackTimes", "top", "slackStats", "bottom"),
    ("slackStats", "right", "slack", "left"),
)


def picture() -> str:
    """Return the picture as SVG."""
    height = BANDS[-1][0] + BANDS[-1][1] + 70
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' role="img" aria-labelledby="title desc"'
        ' font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        '<title id="title">Data flow of the fifteen workers</title>',
        '<desc id="desc">Seven stages from top to bottom: collect, scrub and score, select,'
        " assign codes, notify, record, report.</desc>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#4a4658"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>',
        *_bands(),
        *(line for arrow in ARROWS for line in _arrow(*arrow)),
        *(line for box in BOXES.values() for line in _box(box)),
        *_legend(height - 36),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bands() -> Iterator[str]:
    for top, height, title in BANDS:
        yield (
            f'<rect x="12" y="{top}" width="{WIDTH - 24}" height="{height}" rx="10"'
            ' fill="#f7f7fa"/>'
        )
        yield (
            f'<text x="{LEFT}" y="{top + 24}" font-size="15" font-weight="600"'
            f' fill="#4a4658">{escape(title)}</text>'
        )


def _box(box: Box) -> Iterator[str]:
    fill, edge = FILLS[box.kind]
    dashed = ' stroke-dasharray="5 4"' if box.kind == "clock" else ""
    radius = {"worker": 10, "stream": 22}.get(box.kind, 3)
    yield (
        f'<rect x="{box.x}" y="{box.y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}"'
        f' height="{BOX_HEIGHT}" rx="{radius}" fill="{fill}" stroke="{edge}"'
        f' stroke-width="1.5"{dashed}/>'
    )
    ink = "#ffffff" if box.kind == "worker" else "#1f1c2b"
    middle = box.x + BOX_WIDTH // 2
    title_y = box.y - 3 if box.detail else box.y + 5
    whole_name = box.kind == "worker"
    yield (
        f'<text x="{middle}" y="{title_y}" font-size="13.5" font-weight="600" fill="{ink}"'
        f' text-anchor="middle">{escape(box.title)}</text>'
    )
    if box.detail:
        size, weight = ("13.5", "600") if whole_name else ("12", "400")
        yield (
            f'<text x="{middle}" y="{box.y + 14}" font-size="{size}" font-weight="{weight}"'
            f' fill="{ink}" text-anchor="middle">{escape(box.detail)}</text>'
        )


def _arrow(source: str, start: Side, target: str, end: Side) -> Iterator[str]:
    (x1, y1), (x2, y2) = BOXES[source].point(start), BOXES[target].point(end)
    horizontal = {"left", "right"}
    if x1 == x2 or y1 == y2:
        path = f"M{x1} {y1}L{x2} {y2}"
    elif start in horizontal and end in horizontal:
        middle = (x1 + x2) // 2
        path = f"M{x1} {y1}H{middle}V{y2}H{x2}"
    elif start in horizontal:
        path = f"M{x1} {y1}H{x2}V{y2}"
    elif end in horizontal:
        path = f"M{x1} {y1}V{y2}H{x2}"
    else:
        middle = (y1 + y2) // 2
        path = f"M{x1} {y1}V{middle}H{x2}V{y2}"
    yield (
        f'<path d="{path}" fill="none" stroke="#4a4658" stroke-width="1.5"'
        ' marker-end="url(#head)"/>'
    )


def _legend(y: int) -> Iterator[str]:
    x = LEFT
    for kind, text in LEGEND:
        fill, edge = FILLS[kind]
        dashed = ' stroke-dasharray="4 3"' if kind == "clock" else ""
        yield (
            f'<rect x="{x}" y="{y - 11}" width="24" height="15" rx="4" fill="{fill}"'
            f' stroke="{edge}"{dashed}/>'
        )
        yield f'<text x="{x + 32}" y="{y + 2}" font-size="13" fill="#1f1c2b">{escape(text)}</text>'
        x += 62 + len(text) * 7


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")
