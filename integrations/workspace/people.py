"""Acting as people: what somebody at Slack's client can do. Tests and the page use the same code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.workspace import events
from integrations.workspace.blockkit.state import is_empty, reported, state_of
from integrations.workspace.blockkit.walk import find_element
from integrations.workspace.core import Core
from integrations.workspace.errors import ApiError, NoSuchThing, NotAllowed
from integrations.workspace.posting import MAX_TEXT, Draft
from integrations.workspace.seed import App, Channel, Person
from integrations.workspace.storage.messages import Message
from integrations.workspace.storage.views import ShownView


@dataclass(frozen=True, slots=True)
class ClickResult:
    """Whether the app acknowledged a click. ``error``: ``timeout`` (3 s) or ``no_app`` (no socket is open)."""

    ok: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What a submission led to.

    ``errors``: block id → message under the field. ``closed``: this modal is gone from the screen. ``view``: the modal
    the person sees now, or None. ``error``: ``timeout``, ``no_app``, or the code of an answer Slack would refuse.
    """

    ok: bool
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    view: dict[str, Any] | None = None
    error: str | None = None


class People:
    """Actions of people. All raise `NoSuchThing` or `NotAllowed`; posting also `ApiError` as the Web API does."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def person(self, user: str) -> Person:
        """Somebody who can act: a known, active human."""
        person = self._core.directory.people.get(user)
        if person is None or person.deleted:
            raise NoSuchThing("user_not_found", user)
        if person.is_bot:
            raise NotAllowed("is_bot", f"{person.real_name} is an app; nobody can act as it.")
        return person

    def channel(self, user: str, channel_id: str) -> Channel:
        """A conversation the person is in. One that they are not in does not exist for them."""
        self.person(user)
        channel = self._core.directory.channels.get(channel_id)
        if channel is None or user not in channel.members:
            raise NoSuchThing("channel_not_found", channel_id)
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        """A stored message."""
        message = self._core.messages.get(channel.id, ts)
        if message is None:
            raise NoSuchThing("message_not_found", ts)
        return message

    def post(
        self, user: str, channel_id: str, text: str, thread_ts: str | None, files: Sequence[dict[str, Any]]
    ) -> str:
        """Write a message; returns its ts."""
        channel = self.channel(user, channel_id)
        if not text and not files:
            raise ApiError("no_text")
        if len(text) > MAX_TEXT:
            raise ApiError("msg_too_long")
        return str(self._core.posting.post(channel, user, Draft(text, thread_ts, files=files))["ts"])

    def edit(self, user: str, channel_id: str, ts: str, text: str) -> None:
        """Change one's own message."""
        channel = self.channel(user, channel_id)
        message = self._own(user, channel, ts)
        if not text:
            raise ApiError("no_text")
        if len(text) > MAX_TEXT:
            raise ApiError("msg_too_long")
        self._core.posting.edit_text(channel, message, text, user)

    def delete(self, user: str, channel_id: str, ts: str) -> None:
        """Delete one's own message."""
        channel = self.channel(user, channel_id)
        self._core.posting.delete(channel, self._own(user, channel, ts))

    def react(self, user: str, channel_id: str, ts: str, name: str, *, add: bool) -> None:
        """Put an emoji on a message or take it off."""
        channel = self.channel(user, channel_id)
        self._core.posting.react(channel, self.message(channel, ts), user, name, add=add)

    def mark(self, user: str, channel_id: str, ts: str) -> None:
        """Remember how far somebody has read."""
        channel = self.channel(user, channel_id)
        self._core.messages.mark(user, channel.id, ts)
        self._core.changes.tell("read", channel=channel, person=user)

    def open_im(self, user: str, app: App) -> Channel:
        """The direct message of a person and an app; opened at the first use."""
        self.person(user)
        return self._direct(user, app.bot_user)

    def open_home(self, user: str, app: App, tab: str) -> None:
        """Look at an app's tab: ``home`` or ``messages``. The app hears ``app_home_opened``."""
        channel = self.open_im(user, app)
        shown = self._core.board.views.home(app.id, user)
        view = shown.body if shown is not None and tab == "home" else None
        with self._core.database.transaction():
            event = events.home_opened(user, channel, tab, view, self._core.clock.ts())
            self._core.dispatcher.emit(app, event)

    def set_member(self, user: str, channel_id: str, *, member: bool, inviter: str = "") -> None:
        """Bring somebody, or an app's bot user, into a channel, or take them out. Apps in it hear of it."""
        channel = self._core.directory.channels.get(channel_id)
        if channel is None or user not in self._core.directory.people:
            raise NoSuchThing("channel_not_found" if channel is None else "user_not_found", channel_id)
        if (user in channel.members) == member:
            return
        with self._core.database.transaction():
            after = self._core.directory.set_member(channel, user, member=member)
            event = events.membership(member, user, after, self._core.directory.team_id, inviter, self._core.clock.ts())
            listeners = self._core.directory.apps_in(after if member else channel)
            for app in listeners:
                self._core.dispatcher.emit(app, event)
        self._core.changes.tell("channel", channel=after)

    async def click(
        self, user: str, channel_id: str, ts: str, action_id: str, block_id: str | None, value: Any, state: Any = None
    ) -> ClickResult:
        """Use an element of a message; waits for the app's acknowledgement."""
        channel = self.channel(user, channel_id)
        hidden = self._core.posting.ephemerals.find(user, channel.id, ts)
        message = hidden or self.message(channel, ts)
        app = self._app(str(message.get("app_id")))
        container: dict[str, Any] = {
            "type": "message", "message_ts": ts, "channel_id": channel.id, "is_ephemeral": hidden is not None,
        }  # fmt: skip
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        payload = self._action(user, app, message.get("blocks", []), action_id, block_id, value)
        payload |= {
            "container": container,
            "channel": {"id": channel.id, "name": _channel_name(channel)},
            "state": {"values": state_of(message.get("blocks", []), state or {})},
        }
        if hidden is None:
            payload["message"] = events.visible(message)
        answer = await self._core.interactions.ask(app.id, payload, answerable=False)
        return ClickResult(answer.failure is None, answer.failure)

    async def click_view(
        self, user: str, view_id: str, action_id: str, block_id: str | None, value: Any, state: Any = None
    ) -> ClickResult:
        """Use an element of a modal or Home; waits for the app's acknowledgement."""
        shown = self._shown(user, view_id)
        app = self._app(shown.app)
        blocks = shown.body["blocks"]
        view = shown.body | {"state": {"values": state_of(blocks, state or {})}}
        payload = self._action(user, app, blocks, action_id, block_id, value, view_id)
        payload |= {"container": {"type": "view", "view_id": view_id}, "view": view}
        answer = await self._core.interactions.ask(app.id, payload, answerable=False)
        return ClickResult(answer.failure is None, answer.failure)

    async def submit(self, user: str, view_id: str, values: dict[str, dict[str, Any]]) -> SubmitResult:
        """Press a modal's submit button. Empty required fields are refused before the app hears of it, as in Slack."""
        shown = self._shown(user, view_id)
        if shown.kind != "modal":
            raise NotAllowed("not_a_modal", "Only modals are submitted.")
        app = self._app(shown.app)
        state = state_of(shown.body["blocks"], values)
        missing = _refused_fields(shown.body["blocks"], state)
        if missing:
            return SubmitResult(False, missing, view=shown.body)
        payload = self._base("view_submission", user, app) | {
            "trigger_id": self._core.triggers.new(app.id, user, view_id),
            "view": shown.body | {"state": {"values": state}},
            "response_urls": [],
        }
        answer = await self._core.interactions.ask(app.id, payload)
        if answer.failure is not None:
            return SubmitResult(False, view=shown.body, error=answer.failure)
        return self._after_submission(app, shown, answer.payload)

    async def close_view(self, user: str, view_id: str, *, clear: bool) -> None:
        """Close a modal, or the whole stack. The app hears ``view_closed`` of those that asked for it."""
        shown = self._shown(user, view_id)
        whole_stack = clear or bool(shown.body.get("clear_on_close"))
        for closed in self._core.board.close(shown, whole_stack=whole_stack):
            if closed.body.get("notify_on_close"):
                app = self._app(closed.app)
                payload = self._base("view_closed", user, app)
                payload |= {"view": closed.body, "is_cleared": whole_stack}
                await self._core.interactions.ask(app.id, payload, answerable=False)

    def _after_submission(self, app: App, shown: ShownView, answer: dict[str, Any]) -> SubmitResult:
        if answer.get("response_action") == "errors":
            known = {block["block_id"] for block in shown.body["blocks"] if block.get("type") == "input"}
            given = answer.get("errors")
            errors = {key: str(text) for key, text in given.items() if key in known} if isinstance(given, dict) else {}
            return SubmitResult(False, errors, view=shown.body, error=None if errors else "invalid_errors")
        if self._core.board.views.get(shown.id) is None:
            # Closed by the app, or by the person in another window, while the app was thinking.
            stack = self._core.board.stack(shown.person)
            return SubmitResult(True, closed=True, view=stack[-1] if stack else None)
        try:
            now = self._core.board.answered(app, shown, answer)
        except ApiError as error:
            return SubmitResult(False, view=shown.body, error=error.code)
        still_there = any(one["id"] == shown.id for one in self._core.board.stack(shown.person))
        return SubmitResult(True, closed=not still_there, view=now)

    def _direct(self, user: str, other: str) -> Channel:
        with self._core.database.transaction():
            channel, was_open = self._core.directory.open_direct((user, other), int(self._core.clock.now()))
        if not was_open:
            self._core.changes.tell("channel", channel=channel)
        return channel

    def _own(self, user: str, channel: Channel, ts: str) -> Message:
        message = self.message(channel, ts)
        if message.get("user") != user or message.get("subtype") == "tombstone":
            raise NotAllowed("not_your_message", "Only the author can change a message.")
        return message

    def _app(self, app_id: str) -> App:
        app = self._core.directory.apps.get(app_id)
        if app is None:
            raise NotAllowed("not_an_app", "Only messages and views of apps can be used.")
        return app

    def _shown(self, user: str, view_id: str) -> ShownView:
        self.person(user)
        shown = self._core.board.views.get(view_id)
        if shown is None or shown.person != user:
            raise NoSuchThing("view_not_found", view_id)
        return shown

    def _base(self, kind: str, user: str, app: App) -> dict[str, Any]:
        person = self.person(user)
        team_id = self._core.directory.team_id
        return {
            "type": kind,
            "team": {"id": team_id, "domain": self._core.directory.team_name.lower()},
            "user": {
                "id": user, "username": person.name, "name": person.name, "team_id": person.team_id or team_id,
            },
            "api_app_id": app.id,
            "token": "local-verification-token",
            "enterprise": None,
            "is_enterprise_install": False,
        }  # fmt: skip

    def _action(
        self, user: str, app: App, blocks: Sequence[dict[str, Any]], action_id: str, block_id: str | None, value: Any,
        view_id: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        found = find_element(blocks, action_id, block_id)
        if found is None:
            raise NoSuchThing("action_not_found", action_id)
        block, element = found
        action = {
            "action_id": action_id, "block_id": block["block_id"], "action_ts": self._core.clock.ts(),
            **_action_value(element, value),
        }  # fmt: skip
        return self._base("block_actions", user, app) | {
            "trigger_id": self._core.triggers.new(app.id, user, view_id),
            "actions": [action],
        }


def _action_value(element: dict[str, Any], value: Any) -> dict[str, Any]:
    kind = element.get("type")
    if kind in ("button", "icon_button", "workflow_button"):
        chosen = value if isinstance(value, str) else element.get("value")
        action = {"type": kind, "text": element.get("text")}
        return action | {"value": chosen} if chosen is not None else action
    if kind == "feedback_buttons":
        # One element with two values; the click says which of them.
        chosen = value if isinstance(value, str) else element["positive_button"]["value"]
        side = "positive_button" if chosen == element["positive_button"]["value"] else "negative_button"
        return {"type": kind, "value": chosen, "text": element[side]["text"]}
    return reported(element, value)


def _refused_fields(blocks: Sequence[dict[str, Any]], state: dict[str, dict[str, dict[str, Any]]]) -> dict[str, str]:
    """What Slack's client itself says about inputs, before anything is sent."""
    refused: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        value = state[block["block_id"]][element["action_id"]]
        if is_empty(value):
            if not block.get("optional"):
                refused[block["block_id"]] = "Please complete this required field."
            continue
        if element.get("type") != "plain_text_input":
            continue
        length, least, most = len(str(value["value"])), element.get("min_length", 0), element.get("max_length", 3000)
        if length > most:
            refused[block["block_id"]] = f"Please shorten this to {most} characters or fewer."
        elif length < least:
            refused[block["block_id"]] = f"Please lengthen this to {least} characters or more."
    return refused


def _channel_name(channel: Channel) -> str:
    return {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
