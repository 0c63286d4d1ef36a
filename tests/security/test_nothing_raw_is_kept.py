"""A card number goes through every kind of event at LOG_LEVEL=DEBUG, and is then found nowhere of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.domain import buttons
from integrations.workspace import Workspace, WorkspaceConfig
from tests.fakes.child import running_bot

CARDS = ("4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "６０１１ １１１１ １１１１ １１１７")
ANA, BEN, MIRA, GENERAL, SUPPORT, DESK = "U0ANA", "U0BEN", "U0MIRA", "C0GENERAL", "C0SUPPORT", "G0DESK"
DIGITS = ("4242424242424242", "5555555555554444", "378282246310005", "6011111111111117", "６０１１")


async def _through_every_event(ws: Workspace) -> None:
    card, other, third, wide = CARDS
    dm = await ws.open_im(ANA)
    first = await ws.post(ANA, dm, f"charge {card} please, how long does a refund take?")
    await ws.edit(ANA, dm, first, f"or charge {other} please")
    await ws.post(ANA, dm, third, thread_ts=first)
    await ws.post(
        ANA, dm, "see the file", files=({"name": f"card {card}.png", "title": card, "mimetype": "image/png"},)
    )
    gone = await ws.post(ANA, dm, f"my number is {wide}")
    await ws.delete(ANA, dm, gone)
    mention = await ws.post(BEN, GENERAL, f"<@{ws.bot_user_id}> I want to talk to a human, my card is {card} cvc 123")
    await ws.post(BEN, GENERAL, f"still {other}", thread_ts=mention)
    await ws.post(BEN, SUPPORT, f"declined {third}, why?")
    await ws.open_home(ANA)
    for event in _odd_events(card):
        await ws.send_raw_event(event)
    shown = await ws.wait_for(
        lambda now: next((one for one in now.messages(DESK) if "blocks" in one and BEN in str(one)), None), timeout=30
    )
    assert shown is not None
    await ws.click(MIRA, DESK, shown["ts"], buttons.REPLY)
    view = (await ws.wait_for(lambda now: now.open_views(MIRA)))[-1]
    result = await ws.submit_view(MIRA, view["id"], {"reply": {"text": f"is it {card}?"}})
    assert result.ok
    await ws.wait_for(lambda now: [one for one in now.messages(GENERAL, mention) if "is it" in one["text"]], timeout=30)


def _odd_events(card: str) -> list[dict[str, Any]]:
    message = {"type": "message", "channel": GENERAL, "channel_type": "channel", "ts": "1795375427.000100"}
    return [
        {"type": "never_heard_of", "text": card},
        {**message, "user": ANA, "bot_id": "B0OTHER", "text": card},
        {**message, "subtype": "bot_message", "text": card, "username": card},
        {**message, "user": card, "text": card},
        {**message, "user": ANA, "ts": card, "text": card},
        {**message, "user": ANA, "text": {"nested": card}, "blocks": [{"type": "section", "text": card}]},
        {**message, "subtype": "message_changed", "message": card, "previous_message": {"text": card}},
        {"type": "reaction_added", "user": ANA, "reaction": card, "item": {"type": "message", "text": card}},
        {"type": "app_home_opened", "tab": "home", "user": card, "channel": card, "event_ts": card},
    ]


async def test_a_card_number_is_found_nowhere_in_output_and_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with Workspace(WorkspaceConfig()) as ws:
        async with running_bot(ws, data, LOG_LEVEL="DEBUG") as child:
            await _through_every_event(ws)
            await ws.idle()
            secrets = [ws.bot_token.encode(), ws.app_token.encode()]
            assert await child.stop() == 0
        kept = {"output": bytes(child.output)}
        kept |= {str(path.name): path.read_bytes() for path in data.rglob("*") if path.is_file()}

    assert len(kept) > 2
    assert b"DEBUG" in kept["output"]
    for name, content in kept.items():
        squeezed = bytes(byte for byte in content if byte not in b" -\t\r\n")
        for digits in DIGITS:
            assert digits.encode() not in squeezed, f"{digits} in {name}"
        for secret in secrets:
            assert secret not in content, f"a token in {name}"
