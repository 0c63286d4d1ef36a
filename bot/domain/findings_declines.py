"""What to do after a payment failed, by the provider's decline code (docs.stripe.com/declines/codes)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.domain.transactions import Decline


class Advice(StrEnum):
    """What helps. GENERIC: no reason may or can be told; nobody is blamed, since it may have been a rule of ours."""

    GENERIC = "generic"
    OUR_RULE = "our rule"
    CONTACT_ISSUER = "contact the issuer"
    TRY_LATER = "try again later"
    OTHER_METHOD = "use another method"
    REENTER = "re-enter the details"
    AUTHENTICATE = "authenticate"
    CHECK_DUPLICATE = "check for a duplicate"


GENERIC_CODES: Final = frozenset({"lost_card", "stolen_card", "fraudulent", "merchant_blacklist"})
"""Must look like a decline without a reason, to everybody: who holds the card may not be who owns it."""

_CLASSES: Final[Mapping[Advice, str]] = {
    Advice.CONTACT_ISSUER: """
        call_issuer card_not_supported card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again
        invalid_account invalid_amount new_account_information_available no_action_taken not_permitted pickup_card
        restricted_card revocation_of_all_authorizations revocation_of_authorization security_violation
        service_not_allowed stop_payment_order transaction_not_allowed debit_not_authorized
    """,
    Advice.TRY_LATER: """
        approve_with_id issuer_not_available processing_error reenter_transaction try_again_later
    """,
    Advice.OTHER_METHOD: """
        expired_card insufficient_funds pin_try_exceeded testmode_decline withdrawal_count_limit_exceeded
        account_closed bank_account_declined no_account offline_pin_required online_or_offline_pin_required
    """,
    Advice.REENTER: """
        incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip invalid_cvc invalid_expiry_month
        invalid_expiry_year invalid_number invalid_pin
    """,
    Advice.AUTHENTICATE: """
        authentication_required authentication_not_handled mobile_device_authentication_required
        payment_intent_authentication_failure setup_intent_authentication_failure
    """,
    Advice.CHECK_DUPLICATE: "duplicate_transaction",
}
_BY_CODE: Final = {code: advice for advice, codes in _CLASSES.items() for code in codes.split()}


def advice_on(decline: Decline | None) -> Advice:
    """The class of a decline. The codes that must look generic do, even where our own rule knew of them."""
    if decline is None or decline.code in GENERIC_CODES:
        return Advice.GENERIC
    return Advice.OUR_RULE if decline.ours else _BY_CODE.get(decline.code, Advice.GENERIC)


def tellable_code(decline: Decline | None) -> str | None:
    """The code, where it may be told to anybody."""
    return decline.code if decline is not None and advice_on(decline) in _CLASSES else None
