"""What a customer reads about payments: which there were, which look alike, which failed and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.findings import AlikeFound, FailureFound, PaymentFound, PaymentsFound
from bot.domain.findings_declines import Advice
from bot.domain.findings_duplicates import Alike, Group, kept, taken
from bot.domain.lookups import Lookup
from bot.domain.tables import Table
from bot.domain.transactions import Method, Payment, PaymentState, Refund, RefundState
from bot.services.money_words import Reader, format_day, format_money
from bot.services.outside_words import linked, outside, quoted

MOST_ROWS: Final = 20
LINKS_ARE_PRIVATE: Final = "It opens for whoever has it, so please do not pass it on."
FALLS_AWAY: Final = "Your bank may show it as pending for some days; the line then falls away by itself."

_BRANDS: Final = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "card": "Card",
    "us_bank_account": "Bank account",
    "sepa_debit": "Bank account (SEPA)",
    "bacs_debit": "Bank account (Bacs)",
    "ach_debit": "Bank account",
    "customer_balance": "Bank transfer",
    "paypal": "PayPal",
    "link": "Link",
    "klarna": "Klarna",
    "ideal": "iDEAL",
}
_WALLETS: Final = {"apple_pay": "Apple Pay", "google_pay": "Google Pay", "link": "Link", "samsung_pay": "Samsung Pay"}
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_ADVICE: Final = {
    Advice.GENERIC: "It was declined, and there is no reason that I could pass on. Another card or payment method "
    "often works; a specialist can look at it too.",
    Advice.OUR_RULE: "An automatic check stopped it before it reached your bank, so your bank did not refuse it. "
    "Please wait a little before you try again. A specialist can look at it.",
    Advice.CONTACT_ISSUER: "The bank that issued the card can say why, and can often allow the payment: please ask it, "
    "or use another card or payment method.",
    Advice.TRY_LATER: "This is usually a passing problem. Please try again in some hours; if it stays, ask your bank.",
    Advice.OTHER_METHOD: "Please use another card or payment method.",
    Advice.REENTER: "A detail did not match. Please enter the number, expiry date, security code and postcode again on "
    "the payment page, and send none of them here.",
    Advice.AUTHENTICATE: "Your bank wanted to check that it is you who pays, and that step was not completed. "
    "Please pay again and confirm it in your bank's app or with the code that your bank sends.",
    Advice.CHECK_DUPLICATE: "It looked the same as a payment shortly before. Please check whether that one went "
    "through before you pay again.",
}
_REASONS: Final = {
    "insufficient_funds": "There was not enough money, or a limit was reached.",
    "withdrawal_count_limit_exceeded": "A limit of the card was reached.",
    "expired_card": "The card had expired.",
    "account_closed": "The account is closed.",
    "currency_not_supported": "The card does not take this currency.",
}


def paid_with(method: Method) -> str:
    """Such as `Visa ending 4242 (Apple Pay)`; "" when it is not known."""
    name = _BRANDS.get(method.brand or method.kind, "") or _BRANDS.get(method.kind, "")
    if not name:
        return ""
    ending = f" ending {method.last4}" if method.last4 else ""
    wallet = f" ({_WALLETS[method.wallet]})" if method.wallet in _WALLETS and method.wallet != method.kind else ""
    return f"{name}{ending}{wallet}"


def counted(number: int) -> str:
    """In words up to ten."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


def state_of(payment: Payment) -> str:
    """In a word or two."""
    if taken(payment) and payment.refunded.amount > 0:
        return "partly refunded" if kept(payment) else "refunded"
    return {
        PaymentState.SUCCEEDED: "paid",
        PaymentState.PENDING: "on its way",
        PaymentState.HELD: "on hold, not taken",
        PaymentState.CANCELLED: "released, not taken",
        PaymentState.FAILED: "did not go through",
    }[payment.state]


def payment_table(payments: Sequence[Payment], reader: Reader) -> Table:
    """A row for each payment."""
    return Table(
        ("Day", "Amount", "Paid with", "State", "For"),
        tuple(
            (
                format_day(payment.created_at, reader),
                format_money(payment.money, reader.locale),
                paid_with(payment.method),
                state_of(payment),
                outside(payment.description, 40),
            )
            for payment in payments[:MOST_ROWS]
        ),
    )


# ---- which there were ------------------------------------------------------------------------------------------


def payment_words(found: PaymentFound, lookup: Lookup, reader: Reader) -> list[str]:
    """One payment: what happened to it, what it was for, what went back."""
    payment = found.payment
    said = [" ".join([_happened(payment, reader), *_named(payment)])]
    said += [_refund_line(refund, reader) for refund in found.refunds]
    if not found.refunds and payment.refunded.amount > 0:
        said.append(f"Of this, {format_money(payment.refunded, reader.locale)} was refunded.")
    if payment.receipt_url and payment.state is PaymentState.SUCCEEDED:
        said.append(
            f"{linked('Receipt', payment.receipt_url)}: the link works for 30 days at most. {LINKS_ARE_PRIVATE}"
        )
    if lookup is Lookup.UNKNOWN_CHARGE:
        said.append(
            "If it still says nothing to you, a specialist can look at it with you, and your bank can tell more."
        )
    return said


def payments_words(found: PaymentsFound, reader: Reader) -> tuple[list[str], Table]:
    """Several payments, in a table."""
    number = len(found.payments)
    said = f"These are the {counted(number)} newest payments" if found.more else f"I found {counted(number)} payments"
    older = f" Older ones are left out: {found.more} more." if found.more else ""
    return [f"{said} on record for you.{older}"], payment_table(found.payments, reader)


def _happened(payment: Payment, reader: Reader) -> str:
    amount, day = f"**{format_money(payment.money, reader.locale)}**", format_day(payment.created_at, reader)
    method = paid_with(payment.method)
    using = f" with {method}" if method else ""
    match payment.state:
        case PaymentState.SUCCEEDED:
            return f"A payment of {amount} was made on {day}{using}."
        case PaymentState.PENDING:
            return f"A payment of {amount} was started on {day}{using}. It is on its way, which can take business days."
        case PaymentState.HELD:
            ends = f" It ends by {format_day(payment.hold_until, reader)}." if payment.hold_until else ""
            return f"{amount} was set aside on {day}{using}. It is a hold: nothing has been taken.{ends}"
        case PaymentState.CANCELLED:
            return f"{amount} was set aside on {day}{using} and released again: nothing was taken. {FALLS_AWAY}"
        case PaymentState.FAILED:
            return f"A payment of {amount} on {day}{using} did not go through, so it was not taken. {FALLS_AWAY}"


def _named(payment: Payment) -> list[str]:
    found = []
    if quoted(payment.statement):
        found.append(f"On statements it is called {quoted(payment.statement)}.")
    if quoted(payment.description):
        found.append(f"It is for {quoted(payment.description)}.")
    return found


def _refund_line(refund: Refund, reader: Reader) -> str:
    amount, day = format_money(refund.money, reader.locale), format_day(refund.created_at, reader)
    if refund.state is RefundState.SUCCEEDED:
        return f"A refund of {amount} was handed to the bank on {day}."
    return f"A refund of {amount} was created on {day} and is still pending."


# ---- which look alike ------------------------------------------------------------------------------------------


def alike_words(found: AlikeFound, reader: Reader) -> tuple[list[str], Table, bool]:
    """Payments that look alike, in a table; whether a specialist must check them."""
    said = [_group_words(group, found.plans, reader) for group in found.groups]
    if found.more:
        said.append(f"There are {found.more} more groups of such payments, which are older.")
    rows = [payment for group in found.groups for payment in reversed(group.payments)]
    if len(rows) > MOST_ROWS:
        said.append(f"The newest {MOST_ROWS} are listed.")
    checks = any(group.alike is Alike.SEVERAL for group in found.groups)
    return said, payment_table(rows, reader), checks


def _group_words(group: Group, plans: int, reader: Reader) -> str:
    amount = f"**{format_money(group.payments[0].money, reader.locale)}**"
    number = sum(map(taken, group.payments))
    others = len(group.payments) - number
    same = f"I see {counted(number)} payments of the same amount, {amount}"
    tries = f"I see {counted(others)} attempts of {amount}"
    match group.alike:
        case Alike.SEVERAL:
            checks = f"{same}. A specialist checks whether each of them is as it should be."
            return " ".join([checks, *_possible_reasons(group, plans)])
        case Alike.RETURNED:
            which = "All but one of them were" if any(map(kept, group.payments)) else "Each of them was"
            return f"{same}. {which} refunded; a refund takes some days to show."
        case Alike.HOLD if number == 0:
            return f"{tries}, and none was taken. Holds fall away by themselves."
        case Alike.HOLD:
            return (
                f"One payment of {amount} was taken. What stands beside it is a hold: money that was set aside and not "
                "taken. It falls away by itself, most often within 7 days."
            )
        case Alike.RETRY:
            which = f"{_tries(others)} did not go through and was not taken."
            return f"One payment of {amount} was taken. {which} {FALLS_AWAY}"
        case Alike.NOT_TAKEN:
            return f"{tries}. None went through, and none was taken. {FALLS_AWAY}"


def _tries(number: int) -> str:
    return "Another try" if number == 1 else f"Each of {counted(number)} other tries"


def _possible_reasons(group: Group, plans: int) -> list[str]:
    found = []
    if plans > 1:
        found.append(f"There are {counted(plans)} subscriptions on record for you, and each has its own payments.")
    if group.customers > 1:
        found.append(f"They are spread over {counted(group.customers)} customer accounts of yours.")
    return found


# ---- which failed ----------------------------------------------------------------------------------------------


def failure_words(found: FailureFound, reader: Reader) -> list[str]:
    """A payment that failed, and what helps. Says nothing of the provider's code."""
    payment = found.payment
    method = paid_with(payment.method)
    said = [
        f"The payment of **{format_money(payment.money, reader.locale)}** on {format_day(payment.created_at, reader)}"
        f"{f' with {method}' if method else ''} did not go through, so it was not taken."
    ]
    if found.attempts > 1:
        said[0] += f" It was the last of {counted(found.attempts)} attempts."
    if found.paid is not None:
        amount, day = format_money(found.paid.money, reader.locale), format_day(found.paid.created_at, reader)
        said.append(f"A payment of {amount} went through after it, on {day}.")
    reason = _REASONS.get(payment.decline.code) if payment.decline and found.advice is not Advice.GENERIC else None
    if reason and found.advice is not Advice.OUR_RULE:
        said.append(f"{reason} {_ADVICE[found.advice]}")
    else:
        said.append(_ADVICE[found.advice])
    return said
