"""What must be answered within Slack's three seconds: opening the reply modal, and taking its submission."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotFound
from bot.ports import Cases, Directory, Engine, Inbox
from bot.services import words
from bot.services.waking import accept
from handlers.blocks.modals import MAX_REPLY, REPLY_ACTION, REPLY_BLOCK, notice_modal, reply_modal
from handlers.events import read_submission

log = logging.getLogger(__name__)

EMPTY = "Write what the customer should read."
TOO_LONG = f"Shorten it to {MAX_REPLY:,} characters: longer texts do not fit into one message."


@dataclass(frozen=True, slots=True)
class Views:
    """Bolt listeners for the reply modal."""

    cases: Cases
    directory: Directory
    inbox: Inbox
    engine: Engine

    async def open_reply(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """*Reply* on a card: the modal, or a word on why not."""
        await ack()
        view = await self._reply_view(str(body["user"]["id"]), str(body["actions"][0].get("value", "")))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def _reply_view(self, user: str, handoff_id: str) -> dict[str, Any]:
        if not await self.directory.is_staff(user):
            return notice_modal(words.STAFF_ONLY)
        try:
            handoff = await self.cases.handoff(handoff_id)
        except NotFound:
            return notice_modal(words.CLOSED_ALREADY)
        if handoff.closed_at is not None:
            return notice_modal(words.CLOSED_ALREADY)
        return reply_modal(handoff.id, handoff.question)

    async def submit_reply(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The submitted reply: wrong input is said at its field, right input is stored and then acknowledged."""
        state = view["state"]["values"].get(REPLY_BLOCK, {}).get(REPLY_ACTION, {})
        text = str(state.get("value") or "")
        if not text.strip():
            return await _refuse(ack, EMPTY)
        if len(text) > MAX_REPLY:
            return await _refuse(ack, TOO_LONG)
        if not await self.directory.is_staff(str(body["user"]["id"])):
            return await _refuse(ack, words.STAFF_ONLY)
        handoff = await self.cases.handoff(str(view.get("private_metadata", "")))
        if handoff.closed_at is not None:
            return await _refuse(ack, words.CLOSED_ALREADY)
        await accept(read_submission(body, text), self.inbox, self.engine)
        await ack()
        return None


async def _refuse(ack: AsyncAck, problem: str) -> None:
    await ack(response_action="errors", errors={REPLY_BLOCK: problem})
