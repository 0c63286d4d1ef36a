"""Clicks, modals and Home tabs, through a real Bolt app."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import NoSuchThing, Workspace

from .conftest import Connect
from .raw_app import RawApp

CARD = [
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            {
                "type": "button", "action_id": "reply", "value": "case-1",
                "text": {"type": "plain_text", "text": "Reply"},
            },
            {
                "type": "static_select", "action_id": "priority",
                "options": [
                    {"text": {"type": "plain_text", "text": word}, "value": word} for word in ("normal", "high")
                ],
            },
        ],
    }
]  # fmt: skip


def modal(callback_id: str = "answer", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal", "callback_id": callback_id, "private_metadata": "case-1",
        "title": {"type": "plain_text", "text": "Reply"}, "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {
                "type": "input", "block_id": "text", "label": {"type": "plain_text", "text": "Text"},
                "element": {"type": "plain_text_input", "action_id": "value", "max_length": 100},
            }
        ],
        **more,
    }  # fmt: skip


async def card(client: AsyncWebClient) -> str:
    return str((await client.chat_postMessage(channel="G0DESK", text="card", blocks=CARD))["ts"])


@pytest.fixture
def opens_modal(app: AsyncApp) -> AsyncApp:
    """A Bolt app whose button opens the modal."""

    @app.action("reply")
    async def reply(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    return app


async def open_modal(ws: Workspace, client: AsyncWebClient, connect: Connect, app: AsyncApp) -> dict[str, Any]:
    await connect(app)
    result = await ws.click("U0MIRA", "G0DESK", await card(client), "reply")
    assert result.ok
    return (await ws.wait_for(lambda w: w.open_views("U0MIRA")))[0]


async def test_click_tells_the_app_who_where_and_what(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await card(client)
    async with RawApp(ws) as raw:
        waiting = ws.click("U0MIRA", "G0DESK", ts, "reply")
        result, frame = await _answered(raw, waiting)
    body = frame["payload"]
    assert result.ok
    assert frame["type"] == "interactive"
    assert (body["type"], body["user"]["id"], body["user"]["team_id"]) == ("block_actions", "U0MIRA", "T0ACME")
    assert body["container"] == {
        "type": "message", "message_ts": ts, "channel_id": "G0DESK", "is_ephemeral": False,
    }  # fmt: skip
    assert body["channel"] == {"id": "G0DESK", "name": "privategroup"}
    assert body["message"]["ts"] == ts
    action = body["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("reply", "acts", "case-1")
    assert body["trigger_id"]
    assert body["api_app_id"] == ws.app_id


async def test_choosing_an_option_reports_the_whole_option(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await card(client)
    async with RawApp(ws) as raw:
        _, frame = await _answered(raw, ws.click("U0MIRA", "G0DESK", ts, "priority", value="high"))
    assert frame["payload"]["actions"][0]["selected_option"]["value"] == "high"


async def test_click_nobody_acknowledges_times_out_and_is_not_redelivered(
    ws: Workspace, client: AsyncWebClient
) -> None:
    ts = await card(client)
    assert (await ws.click("U0MIRA", "G0DESK", ts, "reply")).error == "no_app"
    async with RawApp(ws) as raw:
        ws.clock.advance(600)
        waiting = ws.click("U0MIRA", "G0DESK", ts, "reply")
        result, _ = await _answered(raw, waiting, ack=lambda: ws.clock.advance(3.1))
    assert result.error == "timeout"
    assert [one.outcome for one in ws.deliveries if one.kind == "block_actions"] == ["no_socket", "sent", "expired"]


async def test_people_cannot_click_what_is_not_there(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await card(client)
    for user, channel, action in (("U0MIRA", "G0DESK", "gone"), ("U0ANA", "G0DESK", "reply")):
        with pytest.raises(NoSuchThing):
            await ws.click(user, channel, ts, action)


async def test_modal_opens_reports_field_errors_then_closes(
    ws: Workspace, client: AsyncWebClient, connect: Connect, opens_modal: AsyncApp
) -> None:
    sent: list[tuple[str, str]] = []

    @opens_modal.view("answer")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["text"]["value"]["value"]
        if "bad" in text:
            await ack(response_action="errors", errors={"text": "Please say it kindly"})
            return
        await ack()
        sent.append((view["private_metadata"], text))

    view = await open_modal(ws, client, connect, opens_modal)
    refused = await ws.submit_view("U0MIRA", view["id"], {"text": {"value": "bad"}})
    assert (refused.ok, refused.errors) == (False, {"text": "Please say it kindly"})
    assert ws.open_views("U0MIRA")
    accepted = await ws.submit_view("U0MIRA", view["id"], {"text": {"value": "hello"}})
    assert (accepted.ok, accepted.closed, accepted.view) == (True, True, None)
    await ws.wait_for(lambda _: sent == [("case-1", "hello")])
    assert ws.open_views("U0MIRA") == []


async def test_required_and_too_long_fields_never_reach_the_app(
    ws: Workspace, client: AsyncWebClient, connect: Connect, opens_modal: AsyncApp
) -> None:
    view = await open_modal(ws, client, connect, opens_modal)
    for words in ("", "x" * 101):
        result = await ws.submit_view("U0MIRA", view["id"], {"text": {"value": words}})
        assert list(result.errors) == ["text"]
    assert not [one for one in ws.deliveries if one.kind == "view_submission"]


async def test_submission_may_push_update_and_clear(
    ws: Workspace, client: AsyncWebClient, connect: Connect, opens_modal: AsyncApp
) -> None:
    answers: list[dict[str, Any]] = [
        {"response_action": "push", "view": modal("second")},
        {"response_action": "update", "view": modal("third")},
        {"response_action": "clear"},
    ]

    @opens_modal.view({"type": "view_submission", "callback_id": "answer"})
    @opens_modal.view("second")
    @opens_modal.view("third")
    async def submitted(ack: Any) -> None:
        await ack(**answers.pop(0))

    first = await open_modal(ws, client, connect, opens_modal)
    values = {"text": {"value": "x"}}
    pushed = await ws.submit_view("U0MIRA", first["id"], values)
    assert pushed.view is not None
    assert (pushed.view["previous_view_id"], pushed.view["root_view_id"]) == (first["id"], first["id"])
    assert len(ws.open_views("U0MIRA")) == 2
    updated = await ws.submit_view("U0MIRA", pushed.view["id"], values)
    assert updated.view is not None
    assert (updated.view["id"], updated.view["callback_id"]) == (pushed.view["id"], "third")
    cleared = await ws.submit_view("U0MIRA", pushed.view["id"], values)
    assert (cleared.closed, ws.open_views("U0MIRA")) == (True, [])


async def test_trigger_opens_one_modal_within_three_seconds(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await card(client)
    triggers = []
    async with RawApp(ws) as raw:
        for _ in range(2):
            _, frame = await _answered(raw, ws.click("U0MIRA", "G0DESK", ts, "reply"))
            triggers.append(frame["payload"]["trigger_id"])
    await client.views_open(trigger_id=triggers[0], view=modal())
    ws.clock.advance(3.1)
    for trigger, code in (
        (triggers[0], "exchanged_trigger_id"), (triggers[1], "expired_trigger_id"), ("1.2.3", "invalid_trigger_id"),
    ):  # fmt: skip
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=trigger, view=modal())
        assert refused.value.response["error"] == code


async def test_view_update_checks_the_hash(
    ws: Workspace, client: AsyncWebClient, connect: Connect, opens_modal: AsyncApp
) -> None:
    view = await open_modal(ws, client, connect, opens_modal)
    changed = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal("changed"))
    assert changed["view"]["id"] == view["id"]
    with pytest.raises(SlackApiError) as refused:
        await client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    assert refused.value.response["error"] == "hash_conflict"
    assert ws.open_views("U0MIRA")[0]["callback_id"] == "changed"


async def test_closing_tells_the_app_only_if_it_asked(
    ws: Workspace, client: AsyncWebClient, connect: Connect, app: AsyncApp
) -> None:
    closed: list[str] = []

    @app.action("reply")
    async def reply(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(notify_on_close=True))

    @app.view_closed("answer")
    async def was_closed(ack: Any, view: dict[str, Any]) -> None:
        await ack()
        closed.append(view["id"])

    view = await open_modal(ws, client, connect, app)
    await ws.close_view("U0MIRA", view["id"])
    await ws.wait_for(lambda _: closed == [view["id"]])


async def test_home_is_published_and_its_buttons_work(
    ws: Workspace, client: AsyncWebClient, connect: Connect, app: AsyncApp
) -> None:
    clicked: list[str] = []

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": CARD})

    @app.action("reply")
    async def reply(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        clicked.append(body["view"]["type"])

    await connect(app)
    await ws.open_home("U0ANA")
    home = await ws.wait_for(lambda w: w.home("U0ANA"))
    assert home is not None
    assert (await ws.click_view("U0ANA", home["id"], "reply")).ok
    await ws.wait_for(lambda _: clicked == ["home"])
    with pytest.raises(SlackApiError) as refused:
        await client.views_publish(user_id="U0ANA", hash="0.old", view={"type": "home", "blocks": []})
    assert refused.value.response["error"] == "hash_conflict"


async def test_ephemeral_buttons_can_be_clicked_by_the_one_who_sees_them(ws: Workspace, client: AsyncWebClient) -> None:
    blocks = CARD
    shown = await client.chat_postEphemeral(channel="C0SUPPORT", user="U0ANA", text="hint", blocks=blocks)
    async with RawApp(ws) as raw:
        _, frame = await _answered(raw, ws.click("U0ANA", "C0SUPPORT", shown["message_ts"], "reply"))
    assert frame["payload"]["container"]["is_ephemeral"] is True
    assert "message" not in frame["payload"]


async def _answered(raw: RawApp, waiting: Any, ack: Any = None) -> tuple[Any, dict[str, Any]]:
    """Let a click wait while the test answers its envelope."""
    click = asyncio.ensure_future(waiting)
    frame = await raw.next()
    while frame["type"] != "interactive":
        frame = await raw.next()
    if ack is None:
        await raw.ack(frame)
    else:
        ack()
    return await click, frame
