"""One Web API call: its arguments, whatever encoding they came in, and the app that makes it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from integrations.workspace import jsonsafe
from integrations.workspace.core import Core
from integrations.workspace.errors import ApiError
from integrations.workspace.seed import App, Channel, Person
from integrations.workspace.storage.messages import FIRST_TS, LAST_TS, Message, normal_ts

Answer = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call with a valid token. ``args`` hold strings (forms) or JSON values."""

    core: Core
    app: App
    args: dict[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """A string argument; numbers in JSON bodies are taken as their digits, as Slack does for timestamps."""
        value = self.args.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ApiError("invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        """A string argument that must be there and not empty."""
        value = self.text(name)
        if not value:
            raise ApiError("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean argument in any of Slack's spellings."""
        value = self.args.get(name)
        if value is None:
            return default
        return value is True or str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to ``most``; larger values are cut, as Slack does."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError as error:
            raise ApiError("invalid_limit") from error
        if number < 1:
            raise ApiError("invalid_limit")
        return min(number, most)

    def parsed(self, name: str, error: str) -> Any:
        """A structured argument: a JSON value, or the same as a string in forms. None when absent or empty."""
        value = self.args.get(name)
        if isinstance(value, str) and value:
            try:
                return jsonsafe.loads(value)
            except ValueError as broken:
                raise ApiError(error) from broken
        return value or None if not isinstance(value, list | dict) else value

    def channel(self, name: str = "channel", *, member: bool = True) -> Channel:
        """The conversation named by an argument. One the app cannot see is ``channel_not_found``, a public one it
        is not in is ``not_in_channel`` when ``member`` is asked for."""
        channel = self.core.directory.channels.get(self.text(name))
        if channel is None:
            raise ApiError("channel_not_found")
        inside = self.app.bot_user in channel.members
        if not inside and channel.kind != "public":
            raise ApiError("channel_not_found")
        if not inside and member:
            raise ApiError("not_in_channel")
        return channel

    def person(self, name: str = "user") -> Person:
        """The person named by an argument."""
        person = self.core.directory.people.get(self.text(name))
        if person is None:
            raise ApiError("user_not_found")
        return person

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """The message named by an argument."""
        message = self.core.messages.get(channel.id, self.text(name))
        if message is None:
            raise ApiError("message_not_found")
        return message

    def window(self) -> tuple[str, str]:
        """``oldest``, ``latest`` and ``inclusive`` as exclusive bounds for the message store."""
        oldest, latest = normal_ts(self.text("oldest", "0")), normal_ts(self.text("latest") or LAST_TS)
        if oldest is None:
            raise ApiError("invalid_ts_oldest")
        if latest is None:
            raise ApiError("invalid_ts_latest")
        if self.flag("inclusive"):
            # No timestamp lies between a whole microsecond and the same with a further digit.
            oldest, latest = (_just_before(oldest) if oldest > FIRST_TS else oldest), latest + "0"
        return oldest, latest


Method = Callable[[Call], Awaitable[Answer]]


def _just_before(ts: str) -> str:
    seconds, _, micros = ts.partition(".")
    total = int(seconds) * 1_000_000 + int(micros) - 1
    return f"{total // 1_000_000:010d}.{total % 1_000_000:06d}"


def cursor_for(position: str) -> str:
    """An opaque cursor."""
    return base64.b64encode(f"next:{position}".encode()).decode()


def position_of(cursor: str) -> str | None:
    """What `cursor_for` was given; None without a cursor. Raises ``invalid_cursor``."""
    if not cursor:
        return None
    try:
        decoded = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError("invalid_cursor") from error
    if not decoded.startswith("next:"):
        raise ApiError("invalid_cursor")
    return decoded.removeprefix("next:")


def page_of(call: Call, items: list[T], default: int, most: int) -> tuple[list[T], Answer]:
    """One page of a list, and the ``response_metadata`` that leads to the next."""
    limit = call.number("limit", default, most)
    start = position_of(call.text("cursor")) or "0"
    if not start.isdecimal():
        raise ApiError("invalid_cursor")
    first = int(start)
    after = first + limit
    return items[first:after], {"next_cursor": cursor_for(str(after)) if after < len(items) else ""}
