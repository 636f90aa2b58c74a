"""A folder of plausible uploads of one campaign, with the errors of real ones.

The same number of fans and the same seed produce the same bytes on every machine.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded by the caller
from typing import Any, Final, TextIO

from campaign_workers.adapters.local.atomic_files import atomic_write
from campaign_workers.samples.people import Person, make_person

CAMPAIGN: Final = "campaign.json"
CAMPAIGN_ID: Final = "world-tour-2026"
OPENS: Final = datetime(2026, 9, 1, tzinfo=UTC)
REGISTRATION_DAYS: Final = 10
PRESALE: Final = "2026-10-05T15:00:00Z"
TEXT: Final = "{firstName}, you're in! {code} unlocks the presale: {link}"

MARKETS: Final = (
    ("nyc", "New York - Madison Square Garden", "New York", "America/New_York", "TM", 0.045),
    ("lax", "Los Angeles - Crypto.com Arena", "Los Angeles", "America/Los_Angeles", "TM", 0.04),
    ("chi", "Chicago - United Center", "Chicago", "America/Chicago", "NON_TM", 0.025),
    ("mex", "Ciudad de México - Palacio de los Deportes", "Ciudad de México",
     "America/Mexico_City", "NON_TM", 0.02),
    ("tor", "Toronto - Scotiabank Arena", "Toronto", "America/Toronto", "TM", 0.02),
    ("ldn", "London - The O2", "London", "Europe/London", "NON_TM", 0.015),
    ("sfo", "San Francisco - Chase Center", "San Francisco", "America/Los_Angeles", "TM", 0.0175),
    ("mia", "Miami - Kaseya Center", "Miami", "America/New_York", "NON_TM", 0.0125),
)  # fmt: skip
"""Id, name, city, time zone, ticket type, and the limit as a share of the fans."""

POPULARITY: Final = (30, 22, 12, 10, 9, 7, 6, 4)


def generate(folder: Path, *, fans: int, seed: int) -> None:
    """Write the uploads of a campaign with `fans` fans into `folder`, and create the folder.

    Raises:
        ValueError: `fans` is not positive.
    """
    if fans < 1:
        raise ValueError("fans: expected at least 1")
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)  # noqa: S311 - plausible, not secret
    people = [make_person(number, rng) for number in range(1, fans + 1)]
    wishes = [_market_wishes(rng) for _ in people]
    _write_text(folder / CAMPAIGN, _document())
    _write_lines(folder / "registrations.jsonl", _registrations(people, wishes, rng))
    _write_table(folder / "scored.txt", _scored_rows(people, wishes, rng), "\t", bom=True)
    _write_table(folder / "fanclub-ranks.csv", _ranks(people, rng), ",")
    _write_table(folder / "market-details.csv", _market_details(fans), ",")
    blocked = rng.sample(people, max(1, fans // 300))
    _write_lines(
        folder / "blocklist-emails.txt", ["# known resellers", *(p.email.strip() for p in blocked)]
    )
    _write_lines(folder / "blocklist-domains.txt", ["# scalper rings", "GMX.de", "example.org"])
    _write_lines(
        folder / "allowlist-patterns.txt",
        ["# press and crew", f"{blocked[0].email.strip()}", "*@proton.me"],
    )
    _write_table(folder / "external-codes.csv", _codes(fans, seed), ",")


def is_made_up(folder: Path) -> bool:
    """Return whether the uploads in `folder` were written by `generate`, which may replace them."""
    document = folder / CAMPAIGN
    return document.is_file() and document.read_bytes() == _document().encode()


def _document() -> str:
    return json.dumps(_campaign(), indent=1, ensure_ascii=False) + "\n"


def _campaign() -> dict[str, Any]:
    return {
        "_id": CAMPAIGN_ID,
        "type": "registration",
        "status": "OPEN",
        "name": "World Tour 2026",
        "categoryId": 4711,
        "artist": {"id": "a1", "name": "The Placeholders"},
        "options": {"allowIntlPhones": False},
        "scoringType": "banded",
        "slack": {"channels": {"stats": ["#world-tour"]}},
        "markets": [
            {
                "id": market,
                "name": name,
                "city": city,
                "timezone": zone,
                "ticketer": "TM" if ticket_type == "TM" else "OTHER",
            }
            for market, name, city, zone, ticket_type, _ in MARKETS
        ],
    }


def _market_wishes(rng: Random) -> list[str]:
    markets = [market[0] for market in MARKETS]
    count = rng.choices((1, 2, 3, 4), (32, 36, 26, 6))[0]
    return list(dict.fromkeys(rng.choices(markets, POPULARITY, k=count)))


def _registrations(
    people: Sequence[Person], wishes: Sequence[list[str]], rng: Random
) -> Iterator[str]:
    step = timedelta(days=REGISTRATION_DAYS) / len(people)
    for position, (fan, wish) in enumerate(zip(people, wishes, strict=True)):
        created = OPENS + position * step
        line = json.dumps(_registration(fan, wish, created, rng), ensure_ascii=False)
        share = rng.random()
        if share < 0.001:
            yield line.replace('"registration"', '"telemetry"')
        elif share < 0.0015:
            yield "{not json"
        elif share < 0.003:
            yield line
        yield line


def _registration(fan: Person, wish: list[str], created: datetime, rng: Random) -> dict[str, Any]:
    confirmed = created + timedelta(minutes=rng.randrange(1, 5000))
    return {
        "type": "registration",
        "campaignId": CAMPAIGN_ID,
        "userId": f"u-{fan.number:07d}",
        "globalUserId": f"g-{fan.number:07d}",
        "memberId": fan.member_id,
        "email": fan.email or f"fan{fan.number}@gmail.com",
        "phone": fan.phone,
        "firstName": f" {fan.first_name}",
        "lastName": f"{fan.last_name} ",
        "locale": fan.locale,
        "marketIds": wish,
        "optInEmail": rng.random() < 0.6,
        "optInSms": rng.random() < 0.7,
        "phoneConfirmed": f"{confirmed:%Y-%m-%dT%H:%M:00Z}" if rng.random() < 0.92 else None,
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
    }


def _scored_rows(
    people: Sequence[Person], wishes: Sequence[list[str]], rng: Random
) -> Iterator[tuple[str, ...]]:
    yield (
        "globalUserId", "memberId", "campaignId", "email", "phone", "phoneType",
        "phoneConfirmed", "score", "marketIds", "firstName", "lastName", "locale",
    )  # fmt: skip
    for fan, wish in zip(people, wishes, strict=True):
        row = _scored_row(fan, wish, rng)
        yield row
        if rng.random() < 0.007:
            yield (*row[:7], f"{rng.random():.6f}", *row[8:])


def _scored_row(fan: Person, wish: list[str], rng: Random) -> tuple[str, ...]:
    score = f"{rng.betavariate(3, 3):.6f}"
    if rng.random() < 0.001:
        score = rng.choice(("abc", "1.5", "-0.2", "NaN", ""))
    shared = rng.random() < 0.02
    return (
        f"g-{fan.number:07d}" if rng.random() < 0.995 else "",
        fan.member_id or "",
        CAMPAIGN_ID,
        fan.email,
        "+12125550199" if shared else fan.phone or "",
        rng.choice(("mobile",) * 8 + ("voip", "landline")),
        "2026-09-02T10:00:00Z" if rng.random() < 0.92 else "",
        score,
        "|".join(wish),
        fan.first_name,
        fan.last_name,
        fan.locale,
    )


def _ranks(people: Sequence[Person], rng: Random) -> Iterator[tuple[str, ...]]:
    yield ("rank", "globalUserId", "memberId", "email")
    members = rng.sample(people, max(1, len(people) // 4))
    for rank, fan in enumerate(members, start=1):
        has_user_id = rng.random() < 0.65
        cell = rng.choice(("first", "-3", "")) if rng.random() < 0.002 else str(rank)
        yield (
            cell,
            f"g-{fan.number:07d}" if has_user_id else "",
            fan.member_id or "",
            fan.email.strip() or f"fan{fan.number}@gmail.com",
        )


def _market_details(fans: int) -> Iterator[tuple[str, ...]]:
    yield ("marketId", "marketName", "ticketType", "limit", "link", "smsText", "presaleDateTime")
    for market, name, _, _, ticket_type, share in MARKETS:
        limit = max(1, round(fans * share))
        link = f"https://tickets.example/{market}"
        yield (market, name, ticket_type, str(limit), link, TEXT, PRESALE)


def _codes(fans: int, seed: int) -> Iterator[tuple[str, ...]]:
    yield ("code",)
    for number in range(max(10, fans // 8)):
        digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest().upper()
        yield (f"{'ABCDEFGHJK'[number % 10]}{digest[:9]}",)


def _write_text(path: Path, text: str) -> None:
    with _open_atomic(path) as file:
        file.write(text)


def _write_lines(path: Path, lines: Iterator[str] | list[str]) -> None:
    with _open_atomic(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def _write_table(
    path: Path, rows: Iterator[tuple[str, ...]], delimiter: str, *, bom: bool = False
) -> None:
    with _open_atomic(path, "utf-8-sig" if bom else "utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)


@contextmanager
def _open_atomic(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    with atomic_write(path) as part, part.open("w", encoding=encoding, newline="") as file:
        yield file
