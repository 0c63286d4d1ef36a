"""`Workspace`: a running local workspace, and what tests and demos do in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from integrations.workspace.clock import Clock
from integrations.workspace.config import WorkspaceConfig
from integrations.workspace.core import ApiCall, Core
from integrations.workspace.delivery.records import DeliveryRecord
from integrations.workspace.faults import Faults
from integrations.workspace.mailbox import Mailbox
from integrations.workspace.people import ClickResult, People, SubmitResult
from integrations.workspace.seed import App
from integrations.workspace.server import Server
from integrations.workspace.storage.directory import Directory

T = TypeVar("T")
_SHOWN_ON_TIMEOUT = 12


class Workspace:
    """A Slack-compatible workspace on this machine.

    Actions of people return once the message is stored and its events are on their way; none waits for the app,
    except clicks and submissions, which wait for its acknowledgement as Slack's client does. They raise `NoSuchThing`,
    `NotAllowed` or `ApiError`. Times are workspace seconds (`clock`).
    """

    def __init__(self, config: WorkspaceConfig | None = None) -> None:
        self.config = config or WorkspaceConfig()
        self.config.check()
        self._running: Core | None = None
        self._actors: People | None = None
        self._server: Server | None = None

    async def start(self) -> None:
        """Open the state file, bind the port, take up undelivered events.

        Raises `PortInUse` or `StoreUnavailable`; nothing stays open then.
        """
        if self._running is not None:
            raise RuntimeError("the workspace is already running")
        core = Core(self.config)
        people = People(core)
        server = Server(core, people)
        try:
            port = await server.start()
        except BaseException:
            core.close()
            raise
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        core.base_url = f"http://{host}:{port}"
        core.dispatcher.start()
        self._running, self._actors, self._server = core, people, server

    async def stop(self) -> None:
        """Close everything. What was accepted is in the state file. Harmless when not running."""
        server, core = self._server, self._running
        self._server = self._running = self._actors = None
        if server is not None and core is not None:
            await server.stop()
            core.close()

    async def __aenter__(self) -> Workspace:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- where and what it is ---------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Address of the page."""
        return self._core.base_url

    @property
    def api_url(self) -> str:
        """``base_url`` for Slack's SDK."""
        return f"{self._core.base_url}/api/"

    @property
    def app(self) -> App:
        """The first app; its tokens and ids are also attributes of the workspace."""
        return next(iter(self._core.directory.apps.values()))

    @property
    def bot_token(self) -> str:
        """``xoxb-…`` of the first app."""
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        """``xapp-…`` of the first app."""
        return self.app.app_token

    @property
    def bot_user_id(self) -> str:
        return self.app.bot_user

    @property
    def bot_id(self) -> str:
        return self.app.bot_id

    @property
    def app_id(self) -> str:
        return self.app.id

    @property
    def team_id(self) -> str:
        return self._core.directory.team_id

    @property
    def clock(self) -> Clock:
        """Workspace time; ``clock.advance(seconds)`` lets time pass."""
        return self._core.clock

    @property
    def faults(self) -> Faults:
        """The fault switch."""
        return self._core.faults

    @property
    def directory(self) -> Directory:
        """People, conversations, groups and apps as they are now."""
        return self._core.directory

    @property
    def mailbox(self) -> Mailbox:
        """Mail to the people here; ``mailbox.deliver(to, subject, text)`` sends some. Gone when the workspace stops."""
        return self._core.mailbox

    @property
    def calls(self) -> deque[ApiCall]:
        """The newest Web API calls."""
        return self._core.calls

    @property
    def deliveries(self) -> deque[DeliveryRecord]:
        """The newest deliveries: sent, acked, expired, lost…"""
        return self._core.deliveries.records

    @property
    def lost_events(self) -> list[str]:
        """Ids of events that were given up after the last attempt."""
        return self._core.dispatcher.lost()

    @property
    def sockets(self) -> int:
        """Open Socket Mode connections."""
        return self._core.hub.count()

    # --- acting as people -------------------------------------------------------------------------------------------

    async def post(
        self, user: str, channel: str, text: str, thread_ts: str | None = None, files: Sequence[dict[str, Any]] = ()
    ) -> str:
        """Write a message, ``text`` in Slack's form (escaped, ``<@U…>``); returns its ts."""
        return self._people.post(user, channel, text, thread_ts, files)

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Change one's own message."""
        self._people.edit(user, channel, ts, text)

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Delete one's own message."""
        self._people.delete(user, channel, ts)

    async def react(self, user: str, channel: str, ts: str, name: str, *, remove: bool = False) -> None:
        """Put an emoji on a message or take it off."""
        self._people.react(user, channel, ts, name, add=not remove)

    async def join(self, user: str, channel: str, *, inviter: str = "") -> None:
        """Bring a person, or an app's bot user, into a channel."""
        self._people.set_member(user, channel, member=True, inviter=inviter)

    async def leave(self, user: str, channel: str) -> None:
        """Take a person, or an app's bot user, out of a channel."""
        self._people.set_member(user, channel, member=False)

    async def click(
        self, user: str, channel: str, message_ts: str, action_id: str, *, block_id: str | None = None,
        value: Any = None, state: dict[str, dict[str, Any]] | None = None,
    ) -> ClickResult:  # fmt: skip
        """Use an element of a message. ``value`` chooses an option, a date, a user…; buttons have their own."""
        return await self._people.click(user, channel, message_ts, action_id, block_id, value, state)

    async def click_view(
        self, user: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Any = None,
        state: dict[str, dict[str, Any]] | None = None,
    ) -> ClickResult:  # fmt: skip
        """The same on a Home or modal."""
        return await self._people.click_view(user, view_id, action_id, block_id, value, state)

    async def submit_view(self, user: str, view_id: str, values: dict[str, dict[str, Any]]) -> SubmitResult:
        """Submit a modal. ``values`` by block id and action id: plain strings, option values, or Slack's objects."""
        return await self._people.submit(user, view_id, values)

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> None:
        """Close a modal, or with ``clear`` the whole stack."""
        await self._people.close_view(user, view_id, clear=clear)

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Look at the app's ``home`` or ``messages`` tab: it hears ``app_home_opened``."""
        self._people.open_home(user, self.app, tab)

    async def open_im(self, user: str) -> str:
        """Id of the direct message between the person and the bot."""
        return self._people.open_im(user, self.app).id

    # --- looking ----------------------------------------------------------------------------------------------------

    def home(self, user: str) -> dict[str, Any] | None:
        """The Home the app published for the person."""
        shown = self._core.board.views.home(self.app.id, user)
        return shown.body if shown else None

    def open_views(self, user: str) -> list[dict[str, Any]]:
        """The modals the person sees, bottom first."""
        return self._core.board.stack(user)

    def messages(
        self, channel: str, thread_ts: str | None = None, *, include_ephemeral_for: str | None = None
    ) -> list[dict[str, Any]]:
        """Slack-shaped messages with their metadata, oldest first: all of a conversation, replies too, or one thread.

        With ``include_ephemeral_for`` also what only that person was shown there.
        """
        found = self._core.messages.all(channel)
        if include_ephemeral_for is not None:
            found += self._core.posting.ephemerals.all_of(include_ephemeral_for, channel)
            found.sort(key=lambda message: str(message["ts"]))
        if thread_ts is None:
            return found
        return [message for message in found if thread_ts in (message["ts"], message.get("thread_ts"))]

    def statuses(self, channel: str) -> dict[str, str]:
        """The typing statuses of the first app that are shown in a conversation, by ``thread_ts``."""
        shown = self._core.statuses.of(channel)
        return {status.thread_ts: status.text for status in shown if status.app.id == self.app_id}

    async def send_raw_event(self, event: dict[str, Any]) -> str:
        """Deliver an arbitrary event to the first app: unknown types, malformed ones, other bots. Returns its id."""
        with self._core.database.transaction():
            return self._core.dispatcher.emit(self.app, event)

    async def wait_for(self, condition: Callable[[Workspace], T], timeout: float = 10) -> T:  # noqa: ASYNC109 - handed to asyncio.timeout
        """The first true value of ``condition(self)``, asked after every change.

        Raises `TimeoutError` after ``timeout`` real seconds, with the newest messages and calls in its text.
        """
        try:
            return await self._core.changes.until(lambda: condition(self), timeout)
        except TimeoutError as error:
            raise TimeoutError(f"not true within {timeout} s.\n{self._summary()}") from error

    async def idle(self, timeout: float = 10) -> None:  # noqa: ASYNC109 - handed to asyncio.timeout
        """Return once every event is acknowledged or given up and no Web API call is running.

        Events that wait for a redelivery a minute away keep it waiting: advance the clock. Raises `TimeoutError`.
        """
        core = self._core
        await self.wait_for(lambda _: core.dispatcher.unfinished == 0 and core.calls_running == 0, timeout)

    def _summary(self) -> str:
        core = self._core
        newest = sorted(
            ((message["ts"], channel, message) for channel in core.directory.channels
             for message in core.messages.history(channel, "", "99999999999", _SHOWN_ON_TIMEOUT)),
            key=lambda one: one[0],
        )[-_SHOWN_ON_TIMEOUT:]  # fmt: skip
        said = [f"  {ts} {channel} {m.get('user')}: {m.get('text', '')[:100]!r}" for ts, channel, m in newest]
        calls = [f"  {call.method} → {call.outcome}" for call in list(core.calls)[-_SHOWN_ON_TIMEOUT:]]
        events = [f"  {one.kind} {one.outcome}" for one in list(core.deliveries.records)[-_SHOWN_ON_TIMEOUT:]]
        return "\n".join(["Newest messages:", *said, "Newest calls:", *calls, "Newest deliveries:", *events])

    @property
    def _core(self) -> Core:
        if self._running is None:
            raise RuntimeError("the workspace is not running: await start() first")
        return self._running

    @property
    def _people(self) -> People:
        if self._actors is None:
            raise RuntimeError("the workspace is not running: await start() first")
        return self._actors
