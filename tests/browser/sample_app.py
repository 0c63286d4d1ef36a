"""A small Bolt app for the browser tests: it answers words with the blocks, modals and views the page must draw.

It is written as any Bolt app would be, and talks to the workspace over a real socket.
"""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def button(text: str, action_id: str, **more: Any) -> Block:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def option(text: str, value: str) -> Block:
    return {"text": plain(text), "value": value}


EVIL = "<img src=x onerror=alert(1)> <script>alert(2)</script> <javascript:alert(3)|click me> *bold*"

ANSWER: list[Block] = [
    {
        "type": "markdown",
        "text": "Refunds usually reach a **card** within *5–10 business days* after we send them.\n\n"
        "- The bank decides the exact day\n- A pending charge disappears by itself\n\n"
        "| Method | Days |\n|---|---:|\n| Card | 5–10 |\n| Bank transfer | 2–3 |",
    },
    {"type": "context", "elements": [mrkdwn("*When refunds arrive* · revision 3 · effective since 2 March 2026")]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": plain("Helpful"), "value": "good"},
                "negative_button": {"text": plain("Not helpful"), "value": "bad"},
            }
        ],
    },
    {"type": "actions", "elements": [button("Talk to a specialist", "talk"), button("Report a charge", "form")]},
]

CARD: list[Block] = [
    {"type": "header", "text": plain("Case 1042 · Refund not received")},
    {
        "type": "section",
        "fields": [
            mrkdwn("*Customer*\nAna Souza"),
            mrkdwn("*Priority*\n:red_circle: Urgent"),
            mrkdwn("*Reason*\nAsked for a person"),
            mrkdwn("*Waiting since*\n4 minutes"),
        ],
    },
    {"type": "divider"},
    {"type": "section", "text": mrkdwn("&gt; I was charged twice for order `A-20391` and the refund has not arrived.")},
    {
        "type": "actions",
        "elements": [
            button("Reply", "form", style="primary"),
            button(
                "Done", "done", style="danger",
                confirm={"title": plain("Close this case?"), "text": mrkdwn("Ana will be told."),
                         "confirm": plain("Close it"), "deny": plain("Keep open"), "style": "danger"},
            ),
            {"type": "static_select", "action_id": "priority", "placeholder": plain("Priority"),
             "options": [option("Urgent", "p1"), option("Normal", "p3"), option("Low", "p4")]},
            {"type": "overflow", "action_id": "more",
             "options": [option("Assign to me", "me"), option("Mute", "mute")]},
        ],
    },
]  # fmt: skip

GALLERY: list[Block] = [
    {"type": "header", "text": plain("Every block :tada:")},
    {"type": "section", "text": mrkdwn("With an accessory"), "accessory": button("Look", "noop", value="1")},
    {"type": "section", "text": mrkdwn("Choose a day"), "accessory": {
        "type": "datepicker", "action_id": "day", "initial_date": "2026-03-02"}},
    {"type": "section", "text": mrkdwn("Which receipts?"), "accessory": {
        "type": "checkboxes", "action_id": "boxes",
        "options": [{**option("January", "1"), "description": mrkdwn("_paid_")}, option("February", "2")]}},
    {"type": "section", "text": mrkdwn("One of these"), "accessory": {
        "type": "radio_buttons", "action_id": "radio", "initial_option": option("Card", "card"),
        "options": [option("Card", "card"), option("Bank transfer", "bank")]}},
    {"type": "image", "image_url": "https://elsewhere.example/cat.png", "alt_text": "A cat on an invoice",
     "title": plain("From elsewhere")},
    {"type": "rich_text", "elements": [
        {"type": "rich_text_section", "elements": [
            {"type": "text", "text": "Rich "}, {"type": "text", "text": "text", "style": {"bold": True}},
            {"type": "text", "text": " with "}, {"type": "link", "url": "https://example.com/help", "text": "a link"}]},
        {"type": "rich_text_list", "style": "ordered", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "first"}]},
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "second"}]}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "total  12.00"}]}]},
    {"type": "table", "column_settings": [{"align": "left"}, {"align": "right"}], "rows": [
        [{"type": "raw_text", "text": "Invoice"}, {"type": "raw_text", "text": "Amount"}],
        [{"type": "raw_text", "text": "INV-7"}, {"type": "raw_text", "text": "12.00 EUR"}]]},
]  # fmt: skip

HOME: list[Block] = [
    {"type": "header", "text": plain("Welcome to Handrail")},
    {"type": "section", "text": mrkdwn("Ask about *payments*, *refunds* and *receipts*. Answers name their source.")},
    {"type": "actions", "elements": [button("Report a charge", "form", style="primary"), button("My cases", "cases")]},
    {"type": "divider"},
    {"type": "section", "fields": [mrkdwn("*Open cases*\n2"), mrkdwn("*Answered today*\n14")]},
    {"type": "input", "block_id": "language", "dispatch_action": True, "label": plain("Language of answers"),
     "element": {
        "type": "static_select", "action_id": "pick", "initial_option": option("English", "en"),
        "options": [option("English", "en"), option("Português", "pt")]}},
    {"type": "context", "elements": [mrkdwn("Local workspace · nothing leaves this machine")]},
]  # fmt: skip

FORM: Block = {
    "type": "modal",
    "callback_id": "report",
    "title": plain("Report a charge"),
    "submit": plain("Send"),
    "close": plain("Cancel"),
    "blocks": [
        {"type": "section", "text": mrkdwn("A specialist reads this. Please *never* write a full card number."),
         "accessory": {"type": "overflow", "action_id": "more",
                       "options": [option("Explain", "why"), option("Clear", "no")]}},
        {"type": "input", "block_id": "amount", "label": plain("Amount"),
         "hint": plain("As on the statement, without the currency"),
         "element": {"type": "number_input", "action_id": "v", "is_decimal_allowed": True}},
        {"type": "input", "block_id": "email", "label": plain("E-mail"),
         "element": {"type": "email_text_input", "action_id": "v", "placeholder": plain("name@example.com")}},
        {"type": "input", "block_id": "kind", "label": plain("What happened?"), "element": {
            "type": "radio_buttons", "action_id": "v", "initial_option": option("Charged twice", "twice"),
            "options": [option("Charged twice", "twice"), option("I do not know this charge", "unknown")]}},
        {"type": "input", "block_id": "note", "optional": True, "label": plain("Anything else"),
         "element": {"type": "plain_text_input", "action_id": "v", "multiline": True}},
    ],
}  # fmt: skip


def build(client: AsyncWebClient) -> AsyncApp:
    """The app, not yet connected."""
    app = AsyncApp(client=client)

    @app.event("message")
    async def on_message(event: dict[str, Any], say: Any, client: AsyncWebClient) -> None:
        if event.get("subtype") or event.get("bot_id"):
            return
        text = event["text"]
        thread = event.get("thread_ts") or (None if event["channel_type"] == "im" else event["ts"])
        if "whisper" in text:
            await client.chat_postEphemeral(
                channel=event["channel"], user=event["user"], text="Please delete it: it looked like a card number."
            )
        elif "card for the desk" in text:
            await client.chat_postMessage(channel="G0DESK", text="Case 1042", blocks=CARD)
        elif "evil" in text:
            blocks = [
                {"type": "section", "text": mrkdwn(EVIL)},
                {"type": "markdown", "text": f"{EVIL} [link](javascript:alert(4))"},
                {"type": "actions", "elements": [button("<b>x</b>", "noop", url="javascript:alert(5)")]},
            ]
            await say(text=EVIL, blocks=blocks, thread_ts=thread)
        elif "slow" in text:
            elements = [button("Never answers", "never")]
            await say(text="slow", blocks=[{"type": "actions", "elements": elements}], thread_ts=thread)
        elif "gallery" in text:
            await say(text="Every block", blocks=GALLERY, thread_ts=thread)
        elif "refund" in text:
            await say(text="Refunds take 5–10 business days.", blocks=ANSWER, thread_ts=thread)
        else:
            await say(text=f"You said: {text}", thread_ts=thread)

    @app.event("app_mention")
    async def on_mention() -> None:
        """The same words arrive as a message event."""

    for quiet_event in ("reaction_added", "reaction_removed", "message_changed"):
        app.event(quiet_event)(on_mention)

    @app.event("app_home_opened")
    async def on_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": HOME})

    @app.action("form")
    async def open_form(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.view("report")
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        amount = float(view["state"]["values"]["amount"]["v"]["value"])
        if amount > 1000:
            await ack(response_action="errors", errors={"amount": "Please write to us about amounts over 1,000."})
            return
        await ack()
        await client.chat_postMessage(
            channel=body["user"]["id"], text=f"Thank you. We look into the charge of {amount:.2f}."
        )

    @app.action("done")
    async def done(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text="Case closed",
            blocks=[{"type": "section", "text": mrkdwn("Case closed by <@" + body["user"]["id"] + ">")}],
        )

    @app.action("never")
    async def never() -> None:
        await asyncio.sleep(0)

    for quiet in ("feedback", "talk", "noop", "cases", "priority", "more", "day", "boxes", "radio", "pick"):
        app.action(quiet)(_just_ack)
    return app


async def _just_ack(ack: Any) -> None:
    await ack()


async def connect(api_url: str, bot_token: str, app_token: str) -> AsyncSocketModeHandler:
    """The app, connected. Close it with ``await handler.close_async()``."""
    handler = AsyncSocketModeHandler(build(AsyncWebClient(token=bot_token, base_url=api_url)), app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    return handler
