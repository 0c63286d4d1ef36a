"""The form in which specialists link people to customers, and end links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.identity import CustomerRef, Provider
from bot.domain.redaction import Redacted, redacted
from bot.errors import NotFound, Unavailable
from bot.ports import Cases, Directory
from bot.services import words
from bot.services.identity import Refusal
from bot.services.linking import Linking, Wish
from handlers.blocks.elements import Block
from handlers.blocks.identity_modals import (
    CHANNEL_BLOCK,
    CUSTOMERS_BLOCK,
    ENDS_BLOCK,
    OTHERS_BLOCK,
    PERSON_BLOCK,
    REASON_BLOCK,
    link_modal,
)
from handlers.blocks.modals import notice_modal
from handlers.errands import Errands
from handlers.events import read_submission
from handlers.identity_views import entered, refuse, show_later, typed

_CUSTOMER: Final = re.compile(r"cus_[A-Za-z0-9_]{6,64}")
_REFUSALS: Final[Mapping[Refusal, tuple[str, Redacted]]] = {
    Refusal.NOT_STAFF: (PERSON_BLOCK, words.STAFF_ONLY),
    Refusal.SELF: (PERSON_BLOCK, words.NOT_YOURSELF),
    Refusal.NO_REASON: (REASON_BLOCK, words.WRITE_A_REASON),
    Refusal.NO_CUSTOMER: (CUSTOMERS_BLOCK, words.WRITE_CUSTOMERS),
    Refusal.NOBODY: (PERSON_BLOCK, words.CHOOSE_A_PERSON),
    Refusal.TOO_MANY: (CUSTOMERS_BLOCK, words.TOO_MANY_LINKED),
}


@dataclass(frozen=True, slots=True)
class LinkViews:
    """Bolt listeners for the form. `linking` is None where no provider is set up; `store_errors` is what the stores
    raise while they do not answer."""

    linking: Linking | None
    cases: Cases
    directory: Directory
    store_errors: tuple[type[Exception], ...] = ()
    errands: Errands = field(default_factory=Errands)

    async def open_link(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """*Link to a customer* on a card: the form, or a word on why not."""
        await ack()
        view = await self._link_view(str(body["user"]["id"]), str(body["actions"][0].get("value", "")))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def _link_view(self, user: str, handoff_id: str) -> Block:
        if not await self.directory.is_staff(user):
            return notice_modal(words.STAFF_ONLY)
        if self.linking is None:
            return notice_modal(words.LOOKUPS_OFF)
        try:
            handoff = await self.cases.handoff(handoff_id)
            case = await self.cases.get(handoff.case)
        except NotFound:
            return notice_modal(words.NO_SUCH_CASE)
        return link_modal(handoff.id, case.customer, await self.linking.live(case.team, case.customer))

    async def submit_link(
        self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """The submitted form: what is wrong is said at its field, else what was done."""
        if self.linking is None:
            return await refuse(ack, PERSON_BLOCK, words.LOOKUPS_OFF)
        wish = _read(view)
        if isinstance(wish, tuple):
            return await refuse(ack, *wish)
        who = read_submission(body, "")

        async def later(done: tuple[Redacted, ...] | Refusal) -> None:
            await show_later(client, view, None if isinstance(done, Refusal) else _closing(done))

        try:
            if not await self.directory.is_staff(who.user):
                return await refuse(ack, PERSON_BLOCK, words.STAFF_ONLY)
            done = await self.errands.promptly(self.linking.carry_out(who.user, who.team, wish), later)
        except TimeoutError:
            return await refuse(ack, PERSON_BLOCK, words.TAKES_LONGER)
        except NotFound:
            return await refuse(ack, PERSON_BLOCK, words.NO_SUCH_CASE)
        except self._passing:
            return await refuse(ack, PERSON_BLOCK, words.TRY_AGAIN)
        if isinstance(done, Refusal):
            return await refuse(ack, *_REFUSALS[done])
        await ack(response_action="update", view=_closing(done))
        return None

    @property
    def _passing(self) -> tuple[type[Exception], ...]:
        """What will not be so in a moment."""
        return (Unavailable, *self.store_errors)

    async def close(self) -> None:
        """Return when no link is being made or ended any more."""
        await self.errands.close()


def _read(view: Mapping[str, Any]) -> Wish | tuple[str, Redacted]:
    """What the form wishes, or the field where it is wrong and why."""
    listed = [one for one in re.split(r"[\s,;]+", typed(view, CUSTOMERS_BLOCK)) if one]
    if not all(_CUSTOMER.fullmatch(one) for one in listed):
        return CUSTOMERS_BLOCK, words.WRITE_CUSTOMERS
    chosen = entered(view, ENDS_BLOCK).get("selected_option") or {}
    wish = Wish(
        handoff=str(view.get("private_metadata") or ""),
        users=_people(view),
        channel=entered(view, CHANNEL_BLOCK).get("selected_conversation"),
        customers=tuple(CustomerRef(Provider.STRIPE, one) for one in listed),
        reason=redacted(typed(view, REASON_BLOCK)),
        ends=chosen.get("value"),
    )
    if not wish.links and wish.ends is None:
        return CUSTOMERS_BLOCK, words.NOTHING_CHOSEN
    if wish.links and len(wish.users) > 1 and wish.channel is None:
        return CHANNEL_BLOCK, words.CHOOSE_A_CHANNEL
    return wish


def _people(view: Mapping[str, Any]) -> tuple[str, ...]:
    first = entered(view, PERSON_BLOCK).get("selected_user")
    others = entered(view, OTHERS_BLOCK).get("selected_users") or ()
    return tuple(dict.fromkeys(str(one) for one in (first, *others) if one))


def _closing(done: tuple[Redacted, ...]) -> Block:
    return notice_modal("\n\n".join(done))
