"""Made-up people with random names, e-mail addresses and phone numbers."""

from random import Random  # noqa: TID251 - the caller passes a seeded generator
from typing import Final

import attrs

LOCALES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "en-us": (
        ("Ada", "Grace", "Alan", "Mary", "Marcus", "Nia", "Otis", "Zoe", "Liam", "Ruth"),
        ("Hopper", "Brown", "Freeman", "O'Neil", "Baker", "Young", "Diaz", "Kim", "Stone", "Lee"),
    ),
    "fr-ca": (
        ("Chloé", "Étienne", "Maude", "Noël", "Zoé", "Jérôme", "Léa", "Anaïs", "Gaël", "Marie-Ève"),
        ("Tremblay", "Gagnon", "Côté", "Bouchard", "Lévesque", "Fortin", "Bélanger", "Roy"),
    ),
    "es-mx": (
        ("José", "María del Carmen", "Íñigo", "Lucía", "Raúl", "Belén", "Andrés", "Inés"),
        ("Muñoz", "de la Cruz", "Peña", "Ibáñez", "Quiñones", "Núñez", "Gómez", "Ávila"),
    ),
    "de-de": (
        ("Jörg", "Käthe", "Björn", "Annelie", "Götz", "Wiebke", "Sören", "Traudl"),
        ("Müller", "Groß", "Schäfer", "Weiß", "Köhler", "Böhm", "von der Heide", "Krüger"),
    ),
    "ja-jp": (
        ("陽菜", "蓮", "結衣", "大翔", "美咲", "健太", "直子", "聡太郎"),
        ("佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "加藤", "松田"),
    ),
}

DOMAINS: Final = ("gmail.com",) * 6 + ("yahoo.com", "hotmail.com", "outlook.com", "icloud.com")
BAD_DOMAINS: Final = ("mailinator.com", "sub.mailinator.com", "10minutemail.com", "gmx.de")
_AREA_CODES: Final = (212, 646, 718, 213, 310, 312, 415, 416, 305)


@attrs.frozen(kw_only=True)
class Person:
    """A made-up fan; `number` makes the ids, the e-mail address and the phone number unique."""

    number: int
    locale: str
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    email: str = attrs.field(repr=False)
    phone: str | None = attrs.field(repr=False)
    member_id: str | None


def make_person(number: int, rng: Random) -> Person:
    """Return the person with this number; about one in ten has invalid data."""
    locale = rng.choice(tuple(LOCALES))
    first_names, last_names = LOCALES[locale]
    return Person(
        number=number,
        locale=locale,
        first_name=rng.choice(first_names),
        last_name=rng.choice(last_names),
        email=_email(number, rng),
        phone=_phone(number, rng),
        member_id=f"m{number * 7}" if rng.random() < 0.9 else None,
    )


def _email(number: int, rng: Random) -> str:
    domain = rng.choice(BAD_DOMAINS) if rng.random() < 0.04 else rng.choice(DOMAINS)
    email = f"fan{number}.{rng.choice('abcdefgh')}@{domain}"
    share = rng.random()
    if share < 0.02:
        return f"  {email.upper()} "
    if share < 0.025:
        return email.replace("@", " at ")
    return "" if share < 0.03 else email


def _phone(number: int, rng: Random) -> str | None:
    north_american = f"{rng.choice(_AREA_CODES)}555{number % 10_000:04d}"
    share = rng.random()
    forms = (
        (0.02, None),
        (0.03, "n/a"),
        (0.04, f"555-CALL-{number % 1000}"),
        (0.06, f"({north_american[:3]}) {north_american[3:6]}-{north_american[6:]}"),
        (0.08, f"1{north_american}"),
        (0.11, f"+447{400_000_000 + number % 99_999_999:09d}"),
        (0.13, f"+5215522{number % 1_000_000:06d}"),
    )
    unique = f"+1{rng.choice(_AREA_CODES)}{201 + number // 10_000 % 600}{number % 10_000:04d}"
    return next((form for limit, form in forms if share < limit), unique)
