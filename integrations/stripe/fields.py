"""Fields of an object that came as JSON from outside: each is what it should be, or Malformed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from bot.domain.money import Money
from bot.domain.redaction import redacted
from bot.domain.transactions import MAX_TEXT

CURRENCIES: Final = frozenset(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
    cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr
    isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mru mur mvr mwk
    mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle
    sll sos srd std stn szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar
    zmw
    """.split()  # noqa: SIM905 - read as a table
)
"""What Stripe takes (docs.stripe.com/currencies). How many decimals another one has is not known to us."""

MOST: Final = 10**15
"""Minor units. Stripe's own limit is far below."""
MAX_LINK: Final = 2000

_ID = re.compile(r"[a-z]+_[A-Za-z0-9_]{1,200}")
_WORD = re.compile(r"[a-z0-9_]{1,60}")
_LINK = re.compile(r"[!-~]+")
_NOT_IN_LINK = frozenset("<>|\"'`\\ ")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Json = Mapping[str, Any]
S = TypeVar("S")


class Malformed(ValueError):
    """An object is not as Stripe documents it. Names the field, never what stood there."""


def id_of(data: Json) -> str:
    value = data.get("id")
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Malformed("id")
    return value


def reference(data: Json, name: str) -> str | None:
    """The id of another object, whether expanded or not."""
    value = data.get(name)
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def object_in(data: Json, name: str) -> Json:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def one_of(kind: Callable[[str], S], data: Json, name: str) -> S:
    try:
        return kind(str(data.get(name)))
    except ValueError:
        raise Malformed(name) from None


def currency_in(data: Json) -> str:
    value = data.get("currency")
    if not isinstance(value, str) or value.lower() not in CURRENCIES:
        raise Malformed("currency")
    return value.lower()


def money_in(data: Json, name: str) -> Money:
    amount = data.get(name)
    if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) > MOST:
        raise Malformed(name)
    return Money(amount, currency_in(data))


def time_in(data: Json, name: str) -> datetime:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 4_102_444_800:  # 1970 to 2100
        raise Malformed(name)
    return datetime.fromtimestamp(value, UTC)


def maybe_time_in(data: Json, name: str) -> datetime | None:
    return None if data.get(name) is None else time_in(data, name)


def whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST else None


def word(value: object) -> str | None:
    """A code of Stripe's, as they write all of them."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def text(value: object) -> str | None:
    """One short line without what must not be kept; None when nothing is left. Still to be escaped."""
    if not isinstance(value, str):
        return None
    seen = "".join(char if char.isprintable() else " " for char in redacted(value))
    line = " ".join(seen.split())
    return (line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1].rstrip() + "…") or None


def link(value: object) -> str | None:
    """An address that a browser may open: https, or http on this machine (the sandbox)."""
    if not isinstance(value, str) or len(value) > MAX_LINK or not _LINK.fullmatch(value) or _NOT_IN_LINK & set(value):
        return None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return None
    plain = parts.scheme == "http" and host in _LOOPBACK
    return value if host and "@" not in parts.netloc and (parts.scheme == "https" or plain) else None
