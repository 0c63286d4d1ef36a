"""What can be broken on purpose: delivery, the Web API, sockets, tokens. Seeded, so a run can be repeated."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Literal

from integrations.workspace.delivery.sockets import SocketHub

Rate = Literal["duplicate", "reorder", "drop_ack", "lose_response", "ratelimited", "server_error"]
_API_FAULTS: tuple[Rate, ...] = ("ratelimited", "server_error", "lose_response")


class Faults:
    """The fault switch of a workspace (``ws.faults``). Everything is off until set."""

    def __init__(self, hub: SocketHub, seed: int) -> None:
        self._hub = hub
        self._chance = random.Random(seed)  # repeatable on purpose
        self._rates: dict[Rate, float] = {}
        self._delay = (0.0, 0.0)
        self._methods: tuple[str, ...] = ("",)
        self._scripts: defaultdict[str, deque[str]] = defaultdict(deque)
        self.is_down = False
        self.token_revoked = False

    def set(
        self,
        *,
        duplicate: float = 0.0,
        delay: tuple[float, float] = (0.0, 0.0),
        reorder: float = 0.0,
        drop_ack: float = 0.0,
        lose_response: float = 0.0,
        ratelimited: float = 0.0,
        server_error: float = 0.0,
        methods: tuple[str, ...] = ("",),
        seed: int | None = None,
    ) -> None:
        """Replace all random faults. Numbers are probabilities; ``delay`` is (probability, at most seconds).

        duplicate: an event is delivered twice, same event id, two envelopes
        delay: an event is sent late; reorder: it waits until one to five later ones have gone, or 50 ms
        drop_ack: the acknowledgement of an event is ignored, so it is delivered again
        lose_response: a Web API call takes effect, then the connection breaks without a response
        ratelimited: HTTP 429 with ``Retry-After: 1``, no effect; server_error: HTTP 503, no effect
        methods: prefixes of the Web API methods that the last three apply to; the default is every method, as
        with the real thing (a failed ``auth.test`` makes Bolt acknowledge and drop the event it was about to handle)
        """
        self._rates = {
            "duplicate": duplicate, "reorder": reorder, "drop_ack": drop_ack, "lose_response": lose_response,
            "ratelimited": ratelimited, "server_error": server_error,
        }  # fmt: skip
        self._delay = delay
        self._methods = methods
        if seed is not None:
            self._chance.seed(seed)

    def clear(self) -> None:
        """Everything works again; closed sockets stay closed until the app reconnects."""
        self.set()
        self._scripts.clear()
        self.down(False)
        self.token_revoked = False

    def script(self, method: str, outcomes: Iterable[str]) -> None:
        """Fix what happens to the next calls of a method, one outcome each, before chance has a say.

        Outcomes: ``ok``, ``lose_response``, ``ratelimited``, ``server_error``, or any error code of Slack's, which is
        answered without effect.
        """
        self._scripts[method].extend(outcomes)

    async def close_sockets(self) -> None:
        """Close every Socket Mode connection; apps may reconnect."""
        await self._hub.close_all()

    async def disconnect(self, reason: Literal["refresh_requested", "warning", "link_disabled"]) -> None:
        """Send every socket Slack's ``disconnect`` frame."""
        self._hub.disconnect(reason)

    def revoke_token(self) -> None:
        """Every call with a bot token fails with ``token_revoked``, and no new socket can be opened."""
        self.token_revoked = True

    def down(self, is_down: bool) -> None:
        """The Web API answers 503, sockets are closed at once and new ones are refused; or all that ends."""
        self.is_down = is_down
        self._hub.refusing = is_down
        if is_down:
            self._hub.drop_all()

    def happens(self, rate: Rate) -> bool:
        """Draw whether a fault strikes now."""
        chance = self._rates.get(rate, 0.0)
        return chance > 0 and self._chance.random() < chance

    def between(self, low: int, high: int) -> int:
        """Draw a whole number."""
        return self._chance.randint(low, high)

    def delay(self) -> float:
        """Seconds an event is held back; mostly 0."""
        chance, longest = self._delay
        return self._chance.uniform(0, longest) if chance > 0 and self._chance.random() < chance else 0.0

    def of_call(self, method: str) -> str:
        """What happens to this Web API call: ``ok``, a fault's name, or an error code."""
        if self.is_down:
            return "server_error"
        if self._scripts[method]:
            return self._scripts[method].popleft()
        if not method.startswith(self._methods):
            return "ok"
        return next((fault for fault in _API_FAULTS if self.happens(fault)), "ok")
