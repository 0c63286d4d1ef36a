"""A billing address and its code go through the forms of a real bot at DEBUG, and are found nowhere of ours."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from bot.domain import buttons
from bot.services import words
from handlers.blocks.elements import actions, button
from handlers.blocks.identity_modals import ADDRESS_BLOCK, CODE_BLOCK, FIELD
from handlers.messenger import posting_client
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Workspace, WorkspaceConfig
from tests.fakes.child import running_bot
from tests.fakes.smtp_server import SmtpServer, smtp_server

NORA, ADDRESS, TYPED = "U0NORA", "ana@souza.example", "Ana@Souza.example"
PATIENCE = 30.0


async def _prove(ws: Workspace, mail: SmtpServer) -> tuple[str, str]:
    """Somebody whose Slack e-mail is another one proves the billing address; the code, and a wrong one typed before."""
    dm = await ws.open_im(NORA)
    asked = await ws.post(NORA, dm, "how long does a refund take to arrive on my card?")
    answer = await ws.wait_for(lambda _: _said(ws, dm, asked), timeout=PATIENCE)
    # The test is about the forms: it does not lean on which answers have the button.
    client = posting_client(ws.bot_token, ws.api_url)
    await client.chat_update(
        channel=dm, ts=answer[0]["ts"], text="?", blocks=[actions(button("Prove it", buttons.PROVE))]
    )
    assert (await ws.click(NORA, dm, answer[0]["ts"], buttons.PROVE)).ok
    view = (await ws.wait_for(lambda now: now.open_views(NORA), timeout=PATIENCE))[-1]
    sent = await ws.submit_view(NORA, view["id"], {ADDRESS_BLOCK: {FIELD: TYPED}})
    assert sent.ok
    async with asyncio.timeout(PATIENCE):
        while not mail.mails:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.02)
    code = re.findall(r"\b[0-9]{6}\b", mail.mails[0].message.get_content())[0]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    refused = await ws.submit_view(NORA, view["id"], {CODE_BLOCK: {FIELD: wrong}})
    assert refused.errors == {CODE_BLOCK: words.CODE_NOT_RIGHT}
    proved = await ws.submit_view(NORA, view["id"], {CODE_BLOCK: {FIELD: code}})
    assert words.PROVEN_LOOKING in str(proved.view)
    await ws.wait_for(lambda _: len(_said(ws, dm, asked)) > 1, timeout=PATIENCE)
    return code, wrong


def _said(ws: Workspace, channel: str, after: str) -> list[dict[str, Any]]:
    return [one for one in ws.messages(channel) if one.get("user") == ws.bot_user_id and one["ts"] > after]


async def test_a_billing_address_and_its_code_are_in_no_output_and_no_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with Workspace(WorkspaceConfig()) as ws, Sandbox() as stripe, smtp_server() as mail:
        settings = {
            "LOG_LEVEL": "DEBUG",
            "STRIPE_API_KEY": stripe.key,
            "STRIPE_API_URL": stripe.url,
            "SMTP_URL": mail.url,
            "MAIL_FROM": "billing@example.com",
        }
        async with running_bot(ws, data, **settings) as child:
            code, wrong = await _prove(ws, mail)
            await ws.idle()
            assert await child.stop() == 0
        kept = {"output": bytes(child.output)}
        kept |= {path.name: path.read_bytes() for path in data.rglob("*") if path.is_file()}

    assert len(kept) > 2
    assert b"DEBUG" in kept["output"]
    for name, content in kept.items():
        assert ADDRESS.encode() not in content.lower(), f"the address in {name}"
        for typed in (code, wrong):
            # Not inside of hashes, nor as a fraction of a second.
            assert not re.search(rb"(?<![0-9A-Za-z.])%b(?![0-9A-Za-z])" % typed.encode(), content), f"a code in {name}"
