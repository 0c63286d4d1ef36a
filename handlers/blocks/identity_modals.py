"""Modals in which a billing address is proved, and in which specialists link people to customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.domain import buttons
from bot.domain.identity import Proof
from bot.domain.links import CODE_DIGITS, Link
from handlers.blocks.elements import Block, context, divider, mrkdwn, plain, section
from handlers.blocks.text import day, escaped, mention, one_line, place

ADDRESS_BLOCK: Final = "address"
CODE_BLOCK: Final = "code"
PERSON_BLOCK: Final = "person"
CUSTOMERS_BLOCK: Final = "customers"
REASON_BLOCK: Final = "reason"
CHANNEL_BLOCK: Final = "channel"
OTHERS_BLOCK: Final = "others"
ENDS_BLOCK: Final = "ends"
FIELD: Final = "field"
"""The action id of each input: a modal's state keeps what was entered as `values[BLOCK][FIELD]`."""

MAX_REASON: Final = 300
MAX_CUSTOMERS: Final = 1500
MAX_LINKS: Final = 20
"""Links that are listed; the newest."""
MAX_OPTION: Final = 75

ASKS_ADDRESS: Final = (
    "Type the e-mail address that gets your invoices from us. I use it once, to find your account and to mail you a "
    "code, and do not keep it."
)
CODE_SENT: Final = (
    "If this address is a billing address of ours, a code is on its way to it. It is good for 10 minutes."
)
NO_CODE: Final = (
    "No mail after some minutes? Look into your spam folder, or close this window and start again. A specialist can "
    "help you too. Type the code nowhere but here."
)
ABOUT_LINKS: Final = (
    "A linked person sees these customers' payments in their direct messages with Handrail, for 90 days. Only link "
    "somebody when you are sure that the payments are theirs."
)
NO_LINKS: Final = "No links now."


def address_modal(where: str) -> Block:
    """Where somebody types their billing address. `where` is the message of the button, for `private_metadata`."""
    element = {"type": "email_text_input", "placeholder": plain("name@example.com"), "focus_on_load": True}
    blocks = [section(plain(ASKS_ADDRESS)), _input(ADDRESS_BLOCK, "Billing e-mail address", element)]
    return _modal(buttons.PROVE_VIEW, where, "Prove your address", "Send the code", blocks)


def code_modal(where: str) -> Block:
    """Where the code is typed. The same for every address."""
    element = {
        "type": "plain_text_input",
        "min_length": CODE_DIGITS,
        "max_length": 2 * CODE_DIGITS,
        "placeholder": plain(f"{CODE_DIGITS} digits"),
        "focus_on_load": True,
    }
    blocks = [section(plain(CODE_SENT)), _input(CODE_BLOCK, "Code from the mail", element), context(plain(NO_CODE))]
    return _modal(buttons.CODE_VIEW, where, "Prove your address", "Prove it", blocks)


def link_modal(handoff: str, customer: str, links: Sequence[Link]) -> Block:
    """Where a specialist links somebody, the case's customer if they choose nobody else, and ends links of the
    customer: `links` are those that hold. `private_metadata` is the handoff's id."""
    blocks = [
        section(plain(ABOUT_LINKS)),
        _input(PERSON_BLOCK, "Whom to link", {"type": "users_select", "initial_user": customer}, optional=True),
        _input(
            CUSTOMERS_BLOCK,
            "Customer ids",
            _words("cus_…", MAX_CUSTOMERS),
            "Part several with commas or spaces.",
            optional=True,
        ),
        _input(
            REASON_BLOCK,
            "Reason",
            _words("How you know that it is them", MAX_REASON),
            "It is kept with the link.",
            optional=True,
        ),
        _input(CHANNEL_BLOCK, "Channel, for billing contacts of a company", _channels(), optional=True),
        _input(OTHERS_BLOCK, "Also these people of the channel", _people(), optional=True),
        divider(),
        section(mrkdwn(f"*Links of {mention(customer)}*")),
        *_listed(links),
    ]
    return _modal(buttons.LINK_VIEW, handoff, "Link to a customer", "Save", blocks)


def _listed(links: Sequence[Link]) -> list[Block]:
    if not links:
        return [context(plain(NO_LINKS))]
    shown = links[:MAX_LINKS]
    options = [{"text": plain(_option(link), MAX_OPTION), "value": link.id} for link in shown]
    choice = {"type": "static_select", "placeholder": plain("None"), "options": options}
    said = [section(mrkdwn(_described(link))) for link in shown]
    return [
        *said,
        _input(ENDS_BLOCK, "End one of these", choice, "It ends at once, for everybody whom it names.", optional=True),
    ]


def _described(link: Link) -> str:
    customers = escaped(_ids(link), 1500)
    how = "proved with a code" if link.proof is Proof.CODE else f"linked by {mention(link.made_by)}"
    parts = [f"*{customers}*", how, f"until {day(link.expires_at)}"]
    if link.channel is not None:
        parts.append(f"for {_contacts(link)} {place(link.channel)}")
    if link.proof is not Proof.CODE:
        parts.append(f"reason: {escaped(one_line(link.reason), MAX_REASON)}")
    return " · ".join(parts)


def _option(link: Link) -> str:
    whom = "" if link.channel is None else f" for {_contacts(link)}"
    return f"{day(link.expires_at)}{whom}: {_ids(link)}"


def _contacts(link: Link) -> str:
    return "1 person" if len(link.contacts) == 1 else f"{len(link.contacts)} people"


def _ids(link: Link) -> str:
    return ", ".join(customer.id for customer in link.customers)


def _words(placeholder: str, most: int) -> Block:
    return {"type": "plain_text_input", "placeholder": plain(placeholder), "max_length": most}


def _channels() -> Block:
    kept = {"include": ["public", "private"], "exclude_bot_users": True}
    return {"type": "conversations_select", "placeholder": plain("No channel"), "filter": kept}


def _people() -> Block:
    return {"type": "multi_users_select", "placeholder": plain("Nobody else"), "max_selected_items": 19}


def _input(block: str, label: str, element: Block, hint: str | None = None, *, optional: bool = False) -> Block:
    found: Block = {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "element": {**element, "action_id": FIELD},
        "optional": optional,
    }
    return found if hint is None else {**found, "hint": plain(hint)}


def _modal(callback: str, metadata: str, title: str, submit: str, blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": metadata,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }
