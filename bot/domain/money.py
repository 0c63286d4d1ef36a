"""Money as payment providers give it: an integer in a currency's minor unit.

How many decimals that unit has is Stripe's own table (docs.stripe.com/currencies), which disagrees with ISO 4217 and
with Babel's in places: it is embedded here, and nobody else's exponent is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

NO_DECIMALS: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905 - read as a table
)
THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_ONLY: Final = frozenset({"isk", "ugx"})
"""Given with two decimals that are always zero, and shown without them."""

_CODE = re.compile(r"[a-z]{3}")


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in the minor unit of `currency` (ISO 4217, lower case). Below zero is money that goes the other way.
    Raises ValueError for what is no currency code."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.currency):
            raise ValueError(f"no currency code: {self.currency!r}")

    @property
    def exponent(self) -> int:
        """Decimals of the minor unit: `amount` is this power of ten too large."""
        if self.currency in NO_DECIMALS:
            return 0
        return 3 if self.currency in THREE_DECIMALS else 2

    @property
    def decimals(self) -> int:
        """Decimals that people are shown."""
        return 0 if self.currency in WHOLE_ONLY and self.amount % 100 == 0 else self.exponent

    @property
    def decimal(self) -> Decimal:
        """In the major unit, exact."""
        return Decimal(self.amount).scaleb(-self.exponent)
