"""Banking77: what real customers asked a bank, as questions for our articles.

Source: Banking77 (Casanueva, Temčinas, Gerz, Henderson, Vulić, 2020: "Efficient Intent Detection with Dual Sentence
Encoders"), PolyAI-LDN/task-specific-datasets on GitHub, licence CC-BY-4.0. The file (columns `text,category`) is not
part of this project.

It is for measuring only. No row of it is a phrasing of an article, a phrasing of what is not ours, or an example that
calibration learns from, and none may become one: then it would measure nothing. `evaluate` counts the questions that
are a phrasing word for word, so that a leak is seen.

The customers are a bank's, ours are those of a shop by subscription. So only intents are asked that are about a payment
at a shop. A bank's own products are left out: top-ups, transfers, cash machines, the bank's cards and PINs, identity
checks, its exchange of currencies to hold. Left out too, because their rows are about several things or it would be a
stretch to call an article right: `supported_cards_and_currencies` (mostly topping up), `visa_or_mastercard` (which
card the bank issues), `card_not_working`, `reverted_card_payment?` (refunded, declined and pending ones),
`terminate_account` and `edit_personal_details` (of the bank's account), `cash_withdrawal_not_recognised`,
`card_about_to_expire` (a new one from the bank).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.errors import UsageError
from bot.measure.questions import ROOT, Question

BANKING77: Final = "banking77"
"""The name of the set."""

USUAL_FILE: Final = ROOT.parent / "shared" / "data" / "banking77_train.csv"
SOURCE: Final = "Banking77, PolyAI-LDN/task-specific-datasets, CC-BY-4.0"

RIGHT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Asking how one gets a refund, or for this one: the labels do not part the rules from the demand.
        "request_refund": ("refund-request", "refund-policy"),
        # "Where is it" and "how long does it take" stand in one intent.
        "Refund_not_showing_up": ("refund-status", "refund-timing"),
        "transaction_charged_twice": ("duplicate-charge",),
        # Mostly one dollar or pound; some rows say only that there is an extra charge, some that it is pending.
        "extra_charge_on_statement": ("card-check-charge", "unknown-charge", "pending-charge"),
        # "I do not recognise it" and "I did not make it" stand in one intent.
        "card_payment_not_recognised": ("unknown-charge", "unauthorised-charge"),
        "direct_debit_payment_not_recognised": ("unknown-charge", "unauthorised-charge"),
        "declined_card_payment": ("payment-declined",),
        "pending_card_payment": ("pending-charge",),
        # The bank's fee for paying abroad. Rows that only say "a fee" count too, so this is a lower bound.
        "card_payment_fee_charged": ("foreign-fee",),
        "card_payment_wrong_exchange_rate": ("foreign-fee",),
        # What converting costs; the article says who takes such fees.
        "exchange_charge": ("foreign-fee",),
        "compromised_card": ("unauthorised-charge",),
        # To us a lost or stolen card is one that others may pay with.
        "lost_or_stolen_card": ("unauthorised-charge",),
    }
)


def read_banking77(path: Path, published: Collection[str]) -> list[Question]:
    """The rows of every intent that a published article covers, by intent. Raises UsageError with the file's name."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(path, csv.DictReader(file))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8 ({error}). Is it Banking77's?") from None
    found = []
    for intent, text, line in rows:
        right = tuple(name for name in RIGHT.get(intent, ()) if name in published)
        if right:
            found.append(Question(text, right, intent, f"{path.name}, line {line}"))
    if not found:
        raise UsageError(f"{path} has no row of an intent that a published article covers. Is it Banking77's?")
    return sorted(found, key=lambda question: question.group)


def uncovered(published: Collection[str]) -> list[str]:
    """The intents of RIGHT that no published article covers."""
    return [intent for intent, right in RIGHT.items() if not set(right) & set(published)]


def _rows(path: Path, reader: csv.DictReader[str]) -> list[tuple[str, str, int]]:
    if not {"text", "category"} <= set(reader.fieldnames or ()):
        raise UsageError(f"{path}, line 1: the columns text and category are expected. Is it Banking77's train.csv?")
    return [(row["category"] or "", (row["text"] or "").strip(), reader.line_num) for row in reader if row["text"]]
