"""The forms in which somebody proves their billing address with a code.

Address and code go from Slack's body to `bot.services.identity`, and nowhere else: neither is stored, logged, or part
of what is set off afterwards. Who proves is who Slack says submitted, never what a form says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import buttons
from bot.domain.incoming import Click, Incoming, Kind, Place
from bot.domain.links import CODE_DIGITS, address_of
from bot.errors import Unavailable
from bot.ports import Cases, Engine, Inbox
from bot.services import words
from bot.services.identity import Identity
from bot.services.waking import accept
from handlers.blocks.elements import Block
from handlers.blocks.identity_modals import ADDRESS_BLOCK, CODE_BLOCK, FIELD, address_modal, code_modal
from handlers.blocks.modals import notice_modal
from handlers.errands import Errands
from handlers.events import read_submission
from handlers.messenger import asked

_CODE: Final = re.compile(rf"[0-9]{{{CODE_DIGITS}}}")
_PLACE: Final = re.compile(r"[A-Z][A-Z0-9]{1,40}:\d{1,12}\.\d{1,9}")


@dataclass(frozen=True, slots=True)
class ProofViews:
    """Bolt listeners for the two forms. `identity` is None where no provider, or no mail, is set up; `store_errors` is
    what the stores raise while they do not answer."""

    identity: Identity | None
    cases: Cases
    inbox: Inbox
    engine: Engine
    store_errors: tuple[type[Exception], ...] = ()
    errands: Errands = field(default_factory=Errands)

    async def open_address(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """*Prove my billing e-mail*: the form for the address, or a word on why not."""
        await ack()
        view = await self._address_view(str(body["user"]["id"]), _button_place(body))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def _address_view(self, user: str, where: str) -> Block:
        if self.identity is None:
            return notice_modal(words.LOOKUPS_OFF)
        channel, _, ts = where.partition(":")
        case = await self.cases.by_message(channel, ts)
        return notice_modal(words.NOT_YOURS) if case is not None and case.customer != user else address_modal(where)

    async def submit_address(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The submitted address: the form for the code comes at once, the code is sent meanwhile. Nothing that is said,
        and no time that it takes, depends on whose the address is."""
        address = typed(view, ADDRESS_BLOCK)
        if self.identity is None:
            return await refuse(ack, ADDRESS_BLOCK, words.LOOKUPS_OFF)
        if address_of(address) is None:
            return await refuse(ack, ADDRESS_BLOCK, words.WRITE_AN_ADDRESS)
        who = read_submission(body, "")
        await ack(response_action="update", view=code_modal(_where(view)))
        self.errands.start(self.identity.request_code(who.team, who.user, address))
        return None

    async def submit_code(
        self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """The submitted code: a right one sets off the look-up again, of a wrong one no more is said than that."""
        code = "".join(typed(view, CODE_BLOCK).split())
        if self.identity is None:
            return await refuse(ack, CODE_BLOCK, words.LOOKUPS_OFF)
        if not _CODE.fullmatch(code):
            return await refuse(ack, CODE_BLOCK, words.TYPE_SIX_DIGITS)

        async def later(closing: Block | None) -> None:
            await show_later(client, view, closing)

        work = self._prove(self.identity, read_submission(body, ""), _where(view), code)
        try:
            closing = await self.errands.promptly(work, later)
        except TimeoutError:
            return await refuse(ack, CODE_BLOCK, words.TAKES_LONGER)
        except self._passing:
            return await refuse(ack, CODE_BLOCK, words.TRY_AGAIN)
        if closing is None:
            return await refuse(ack, CODE_BLOCK, words.CODE_NOT_RIGHT)
        await ack(response_action="update", view=closing)
        return None

    @property
    def _passing(self) -> tuple[type[Exception], ...]:
        """What will not be so in a moment."""
        return (Unavailable, *self.store_errors)

    async def close(self) -> None:
        """Return when no code is being asked for or proved any more."""
        await self.errands.close()

    async def _prove(self, identity: Identity, who: Incoming, where: str, code: str) -> Block | None:
        """What is shown once the code is right; None when it is not."""
        link = await identity.prove(who.team, who.user, code)
        if link is None:
            return None
        try:
            looking = await self._look_again(who, where, link.id)
        except self.store_errors:
            looking = False  # what is proved stays proved
        return notice_modal(words.PROVEN_LOOKING if looking else words.PROVEN)

    async def _look_again(self, who: Incoming, where: str, link_id: str) -> bool:
        """Set off the look-up of the case whose button was pressed, if it is theirs."""
        channel, _, ts = where.partition(":")
        case = await self.cases.by_message(channel, ts)
        if case is None or case.customer != who.user:
            return False
        await accept(_again(who, where, link_id), self.inbox, self.engine)
        return True


def typed(view: Mapping[str, Any], block: str) -> str:
    """What was entered into a text input of a submitted form; blank when nothing was."""
    return str(entered(view, block).get("value") or "").strip()


def entered(view: Mapping[str, Any], block: str) -> Mapping[str, Any]:
    """What Slack says of an input of a submitted form."""
    found = view["state"]["values"].get(block, {}).get(FIELD) or {}
    return found if isinstance(found, Mapping) else {}


async def refuse(ack: AsyncAck, block: str, problem: str) -> None:
    """Say at its field what is wrong."""
    await ack(response_action="errors", errors={block: problem})


async def show_later(client: AsyncWebClient, view: Mapping[str, Any], closing: Block | None) -> None:
    """What came after Slack's patience takes the place of the form, if it is still open. Raises DeliveryError."""
    if closing is not None:
        await asked(client.views_update(view_id=str(view["id"]), view=closing))


def _button_place(body: Mapping[str, Any]) -> str:
    """The message of the button, as `channel:ts`; blank when it is none that we know how to find again."""
    container = body.get("container") or {}
    where = f"{container.get('channel_id', '')}:{container.get('message_ts', '')}"
    return where if _PLACE.fullmatch(where) else ""


def _where(view: Mapping[str, Any]) -> str:
    return str(view.get("private_metadata") or "")


def _again(who: Incoming, where: str, link_id: str) -> Incoming:
    """A click that nobody made: once for each link, however often it is stored."""
    return replace(
        who,
        channel=who.user,
        place=Place.DM,
        kind=Kind.ACTION,
        ts=f"0.{int(hashlib.sha256(link_id.encode()).hexdigest()[:12], 16)}",
        click=Click(buttons.AGAIN, where, None),
    )
