"""The page's JSON calls. Each names the person it acts as; there is no login on a local workspace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from integrations.workspace import jsonsafe
from integrations.workspace.core import Core
from integrations.workspace.errors import ApiError, NoSuchThing, NotAllowed, StoreUnavailable
from integrations.workspace.page import shapes
from integrations.workspace.page.feed import PageFeed
from integrations.workspace.people import People
from integrations.workspace.richtext import from_typed
from integrations.workspace.seed import App
from integrations.workspace.storage.messages import LAST_TS

Answer = dict[str, Any]
_PAGE_SIZE = 50
_MAX_PAGE_SIZE = 200


class Input:
    """What the page sent: query parameters or a JSON object. Raises HTTP 400 for what has the wrong type."""

    def __init__(self, values: Answer) -> None:
        self._values = values

    def text(self, name: str, *, required: bool = True) -> str:
        """A string."""
        value = self._values.get(name, "")
        if not isinstance(value, str) or (required and not value):
            raise NotAllowed("invalid_arguments", f"{name} is missing or is not a text.")
        return value

    def optional(self, name: str) -> str | None:
        """A string that may be absent."""
        return None if self._values.get(name) is None else self.text(name, required=False) or None

    def flag(self, name: str) -> bool:
        """A boolean, absent meaning false."""
        return self._values.get(name) is True

    def table(self, name: str) -> Answer:
        """An object, absent meaning empty."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise NotAllowed("invalid_arguments", f"{name} is not an object.")
        return value

    def nested(self, name: str) -> dict[str, Answer]:
        """An object of objects: values by block and action."""
        table = self.table(name)
        if not all(isinstance(value, dict) for value in table.values()):
            raise NotAllowed("invalid_arguments", f"{name} is not an object of objects.")
        return table


Action = Callable[[Input], Awaitable[Answer]]


class PageApi:
    """All ``/page/`` calls of one workspace."""

    def __init__(self, core: Core, people: People, feed: PageFeed) -> None:
        self._core = core
        self._people = people
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        reading = {"state": self._state, "messages": self._messages, "views": self._views, "mail": self._mail}
        writing = {
            "post": self._post, "edit": self._edit, "delete": self._delete, "react": self._react, "mark": self._mark,
            "action": self._action, "view_submit": self._submit, "view_close": self._close, "home": self._home,
            "mail": self._deliver, "mail_mark": self._mark_mail,
        }  # fmt: skip
        return [
            web.get("/page/events", self._events),
            *(web.get(f"/page/{name}", _answering(action, _from_query)) for name, action in reading.items()),
            *(web.post(f"/page/{name}", _answering(action, _from_body)) for name, action in writing.items()),
        ]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        try:
            me = self._people.person(request.query.get("as", "")).id
        except (NoSuchThing, NotAllowed) as error:
            return _refusal(error)
        return await self._feed.stream(request, me)

    async def _state(self, given: Input) -> Answer:
        directory = self._core.directory
        humans = [person.id for person in directory.people.values() if not person.is_bot and not person.deleted]
        wanted = given.optional("as")
        me = wanted if wanted in humans else humans[0]
        for app in directory.apps.values():
            self._people.open_im(me, app)
        return {
            "team": {"id": directory.team_id, "name": directory.team_name},
            "me": me,
            "people": [shapes.person(person) for person in directory.people.values() if not person.deleted],
            "channels": [shapes.channel(self._core, me, one) for one in directory.conversations_of(me)],
            "statuses": [
                shapes.status(status)
                for one in directory.conversations_of(me)
                for status in self._core.statuses.of(one.id)
            ],
            "apps": [{"id": app.id, "name": app.name, "bot_user": app.bot_user} for app in directory.apps.values()],
            "mail": {"address": self._address(me), "unread": self._core.mailbox.unread(self._address(me))},
            "usergroups": [
                {"id": group.id, "handle": group.handle, "members": list(group.members)}
                for group in directory.usergroups.values()
            ],
        }

    async def _messages(self, given: Input) -> Answer:
        me = given.text("as")
        channel = self._people.channel(me, given.text("channel"))
        thread_ts, before = given.optional("thread_ts"), given.optional("before")
        limit = _page_size(given.optional("limit"))
        if thread_ts is None:
            newest_first = self._core.messages.history(channel.id, "", before or LAST_TS, limit + 1)
        else:
            newest_first = self._core.messages.newest_replies(channel.id, thread_ts, before or LAST_TS, limit + 1)
        has_more = len(newest_first) > limit
        messages = newest_first[:limit][::-1]
        if thread_ts is not None and not has_more:
            messages = [self._people.message(channel, thread_ts), *messages]
        if before is None:
            hidden = self._core.posting.ephemerals.of(me, channel.id, thread_ts)
            messages = sorted([*messages, *hidden], key=lambda message: str(message["ts"]))
        return {"messages": [shapes.message(channel.id, one) for one in messages], "has_more": has_more}

    async def _views(self, given: Input) -> Answer:
        return {"views": self._core.board.stack(self._people.person(given.text("as")).id)}

    async def _post(self, given: Input) -> Answer:
        text = from_typed(given.text("text"), self._core.directory)
        ts = self._people.post(given.text("as"), given.text("channel"), text, given.optional("thread_ts"), ())
        return {"ts": ts}

    async def _edit(self, given: Input) -> Answer:
        text = from_typed(given.text("text"), self._core.directory)
        self._people.edit(given.text("as"), given.text("channel"), given.text("ts"), text)
        return {}

    async def _delete(self, given: Input) -> Answer:
        self._people.delete(given.text("as"), given.text("channel"), given.text("ts"))
        return {}

    async def _react(self, given: Input) -> Answer:
        add = not given.flag("remove")
        self._people.react(given.text("as"), given.text("channel"), given.text("ts"), given.text("name"), add=add)
        return {}

    async def _mark(self, given: Input) -> Answer:
        self._people.mark(given.text("as"), given.text("channel"), given.text("ts"))
        return {}

    async def _action(self, given: Input) -> Answer:
        me, action = given.text("as"), given.table("action")
        action_id, block_id = Input(action).text("action_id"), given.optional("block_id")
        # Buttons report a bare value; everything else the object Slack sends.
        is_button = action.get("type") in ("button", "icon_button", "workflow_button", "feedback_buttons")
        value = action.get("value") if is_button else action
        state = Input(given.table("state")).nested("values")
        view_id = given.optional("view_id")
        if view_id is not None:
            result = await self._people.click_view(me, view_id, action_id, block_id, value, state)
        else:
            place = given.text("channel"), given.text("message_ts")
            result = await self._people.click(me, *place, action_id, block_id, value, state)
        return {"ok": True} if result.ok else {"ok": False, "error": result.error}

    async def _submit(self, given: Input) -> Answer:
        result = await self._people.submit(given.text("as"), given.text("view_id"), given.nested("values"))
        answer: Answer = {"ok": result.ok, "closed": result.closed}
        if result.errors:
            answer["errors"] = result.errors
        return answer | {"error": result.error} if result.error else answer

    async def _close(self, given: Input) -> Answer:
        await self._people.close_view(given.text("as"), given.text("view_id"), clear=given.flag("clear"))
        return {}

    async def _home(self, given: Input) -> Answer:
        app = self._app(given.optional("app"))
        me = given.text("as")
        self._people.open_home(me, app, given.optional("tab") or "home")
        shown = self._core.board.views.home(app.id, me)
        return {"view": shown.body if shown else None, "app": app.id}

    async def _mail(self, given: Input) -> Answer:
        mails = self._core.mailbox.of(self._address(given.text("as")))
        return {"mails": [shapes.mail(one) for one in mails]}

    async def _mark_mail(self, given: Input) -> Answer:
        self._core.mailbox.mark(self._address(given.text("as")))
        return {}

    async def _deliver(self, given: Input) -> Answer:
        """For an app in another process: a mail server has no person that it acts as."""
        self._core.mailbox.deliver(given.text("to"), given.text("subject"), given.text("text"))
        return {}

    def _address(self, me: str) -> str:
        return self._people.person(me).email

    def _app(self, app_id: str | None) -> App:
        apps = self._core.directory.apps
        if app_id is None:
            return next(iter(apps.values()))
        if app_id not in apps:
            raise NoSuchThing("app_not_found", app_id)
        return apps[app_id]


def _answering(
    action: Action, read: Callable[[web.Request], Awaitable[Answer]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An HTTP handler: errors become 4xx with a code and a sentence."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer = await action(Input(await read(request)))
        except (NoSuchThing, NotAllowed, ApiError, StoreUnavailable) as error:
            return _refusal(error)
        return web.json_response({"ok": True} | answer)

    return handler


def _refusal(error: NoSuchThing | NotAllowed | ApiError | StoreUnavailable) -> web.Response:
    match error:
        case NoSuchThing(kind=code):
            status = 404
        case NotAllowed(kind=code):
            status = 400 if code == "invalid_arguments" else 403
        case ApiError(code=code):
            status = 400
        case _:
            code, status = "internal_error", 507
    return web.json_response({"ok": False, "error": code, "message": str(error)}, status=status)


async def _from_query(request: web.Request) -> Answer:
    return dict(request.query)


async def _from_body(request: web.Request) -> Answer:
    try:
        given = jsonsafe.loads((await request.read()).decode() or "{}")
    except ValueError as error:
        raise NotAllowed("invalid_arguments", "The body is not JSON.") from error
    if not isinstance(given, dict):
        raise NotAllowed("invalid_arguments", "The body is not a JSON object.")
    return given


def _page_size(given: str | None) -> int:
    if given is None or not given.isdecimal():
        return _PAGE_SIZE
    return max(1, min(int(given), _MAX_PAGE_SIZE))
