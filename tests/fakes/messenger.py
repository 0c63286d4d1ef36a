"""A Slack that only remembers, and fails on request. Passes the contract suite that `SlackMessenger` passes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.replies import Address, Content, Home, Reply
from bot.errors import DeliveryDeferred, DeliveryRefused
from bot.ports import Clock


@dataclass(slots=True)
class Posted:
    """A message as Slack has it; `content` is the newest, after updates."""

    ts: str
    to: Address
    content: Content
    mark: str


@dataclass(frozen=True, slots=True)
class Hinted:
    to: Address
    user: str
    reply: Reply


class FakeMessenger:
    """Keeps everything that was sent, in order.

    `script(method, *outcomes)` fixes what happens to the next calls of `post`, `find`, `update`, `react`, `hint`
    or `home`; afterwards calls succeed. Outcomes:

        ok
        lost_response          takes effect, then DeliveryDeferred("no_response")
        ratelimited[:SECONDS]  no effect, DeliveryDeferred with retry_after (1 s unless told)
        server_error           no effect, DeliveryDeferred("http_503"), which may have been stored for all we know
        unreachable            no effect, DeliveryDeferred("unreachable"), certainly not stored
        refused:CODE           no effect, DeliveryRefused(CODE)

    `channels`: the only ones there are; None takes any. `during`, when set, is awaited with the method's name after
    the effect and before the response: the place for what happens while a request is in flight.
    """

    def __init__(self, clock: Clock | None = None, channels: Collection[str] | None = None) -> None:
        self.posts: list[Posted] = []
        self.reactions: set[tuple[str, str, str]] = set()
        self.hints: list[Hinted] = []
        self.homes: list[tuple[str, Home]] = []
        self.calls: list[str] = []
        self.during: Callable[[str], Awaitable[None]] | None = None
        self._clock = clock
        self._channels = channels
        self._scripts: defaultdict[str, deque[str]] = defaultdict(deque)
        self._last_micros = 0

    def script(self, method: str, *outcomes: str) -> None:
        self._scripts[method].extend(outcomes)

    def said(self, to: Address) -> list[Content]:
        """What stands in a thread, or at the top level of a channel, oldest first."""
        return [one.content for one in self.posts if one.to == to]

    async def post(self, to: Address, content: Content, mark: str) -> str:
        outcome = self._begin("post", to.channel)
        ts = self._next_ts()
        self.posts.append(Posted(ts, to, content, mark))
        await self._end("post", outcome)
        return ts

    async def find(self, to: Address, mark: str, since: datetime) -> str | None:
        outcome = self._begin("find", to.channel)
        oldest = (since - timedelta(minutes=15)).timestamp()
        found = (one.ts for one in self.posts if (one.to, one.mark) == (to, mark) and float(one.ts) > oldest)
        await self._end("find", outcome)
        return next(found, None)

    async def update(self, to: Address, ts: str, content: Content) -> None:
        outcome = self._begin("update", to.channel)
        message = next((one for one in self.posts if (one.to.channel, one.ts) == (to.channel, ts)), None)
        if message is None:
            raise DeliveryRefused("message_not_found")
        message.content = content
        await self._end("update", outcome)

    async def react(self, to: Address, ts: str, emoji: str) -> None:
        outcome = self._begin("react", to.channel)
        self.reactions.add((to.channel, ts, emoji))
        await self._end("react", outcome)

    async def hint(self, to: Address, user: str, reply: Reply) -> None:
        outcome = self._begin("hint", to.channel)
        self.hints.append(Hinted(to, user, reply))
        await self._end("hint", outcome)

    async def home(self, user: str, home: Home) -> None:
        outcome = self._begin("home", None)
        self.homes.append((user, home))
        await self._end("home", outcome)

    def _begin(self, method: str, channel: str | None) -> str:
        self.calls.append(method)
        outcome, _, detail = (self._scripts[method].popleft() if self._scripts[method] else "ok").partition(":")
        if outcome == "refused":
            raise DeliveryRefused(detail)
        if outcome == "ratelimited":
            raise DeliveryDeferred("ratelimited", float(detail or 1), maybe_stored=False)
        if outcome == "server_error":
            raise DeliveryDeferred("http_503")
        if outcome == "unreachable":
            raise DeliveryDeferred("unreachable", maybe_stored=False)
        if outcome not in ("ok", "lost_response"):
            raise ValueError(f"no such outcome: {outcome}")
        if channel is not None and self._channels is not None and channel not in self._channels:
            raise DeliveryRefused("channel_not_found")
        return outcome

    async def _end(self, method: str, outcome: str) -> None:
        if self.during is not None:
            await self.during(method)
        if outcome == "lost_response":
            raise DeliveryDeferred("no_response")

    def _next_ts(self) -> str:
        now = self._clock.now() if self._clock is not None else datetime.now(UTC)
        self._last_micros = max(self._last_micros + 1, int(now.timestamp() * 1_000_000))
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"
