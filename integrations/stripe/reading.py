"""One reading of Stripe: pages within a budget, patience when it is busy, and whose the objects are, checked again."""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import stripe

from bot.domain.identity import CustomerScope
from bot.domain.transactions import Found
from bot.ports import Clock
from bot.telemetry import count
from integrations.stripe.fields import Json, Malformed
from integrations.stripe.mapping import owner

log = logging.getLogger(__name__)

PAGE: Final = 100
"""Objects of a request: the most that Stripe gives."""
FIRST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 4.0

_PREFIX = re.compile(r"([a-z]{1,12})_")
_REQUEST = re.compile(r"req_[A-Za-z0-9]{1,40}")
_NOTHING_THERE = frozenset({"resource_missing", "email_invalid"})
"""Of a customer who is not there, or an address that can be nobody's: no objects, like for everybody else."""

T = TypeVar("T")
F = TypeVar("F")


class Garbled(Exception):
    """An answer that is JSON, but no list of Stripe's."""


@dataclass(frozen=True, slots=True)
class Page:
    """Objects with an id each, as JSON."""

    objects: Sequence[Json]
    complete: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look-up reads. `until`: the end of its budget, in the event loop's time."""

    client: stripe.StripeClient
    clock: Clock
    until: float
    now: datetime

    async def page(self, path: str, **params: object) -> Page:
        """One list, its first hundred. Waits while Stripe is busy, if it can still be in time; raises StripeError."""
        wait = FIRST_WAIT
        while True:
            try:
                answer = await self.client.raw_request_async("get", f"/v1/{path}", limit=PAGE, **params)
                return _page(answer.data)
            except stripe.InvalidRequestError as error:
                if error.code not in _NOTHING_THERE:
                    raise
                return Page((), True)
            except stripe.RateLimitError as error:
                pause = max(_asked_wait(error), wait + wait * self._chance())
                if asyncio.get_running_loop().time() + pause >= self.until:
                    raise
            count("stripe_waits")
            await asyncio.sleep(pause)
            wait = min(wait * 2, LONGEST_WAIT)

    async def pages(self, path: str, most: int, **params: object) -> Page:
        """At most `most` pages of a list, one after the other."""
        objects: list[Json] = []
        for _ in range(most):
            after = {"starting_after": objects[-1].get("id")} if objects else {}
            page = await self.page(path, **params, **after)
            objects += page.objects
            if page.complete or not page.objects:
                return Page(objects, page.complete)
        return Page(objects, False)

    def _chance(self) -> float:
        """0 to 1, so that those who were turned away together do not come back together."""
        return zlib.crc32(self.clock.new_id("wait").encode()) / 2**32


def ours(scope: CustomerScope, objects: Iterable[Json]) -> list[Json]:
    """Those of customers of the scope. Another's is a security event."""
    return [data for data in objects if _is_ours(scope, data)]


def foreign(data: Json) -> None:
    """An object of somebody else came: count it, and log what kind it is, nothing more."""
    found = _PREFIX.match(str(data.get("id")))
    count("security", what="foreign_object")
    log.warning("security: dropped an object of somebody else that Stripe sent, kind %s", found[1] if found else "?")


def facts(kind: str, objects: Iterable[Json], mapped: Callable[[Json], F | None]) -> Found[F]:
    """The objects as facts, without those that cannot be read: with one left out it is not complete."""
    found: list[F] = []
    complete = True
    for data in objects:
        try:
            fact = mapped(data)
        except Malformed as problem:
            count("stripe_malformed", what=kind)
            log.warning("Stripe sent a %s that cannot be shown; not understood: %s", kind, problem)
            complete = False
        else:
            found += [fact] if fact is not None else []
    return Found(tuple(found), complete)


async def side_by_side(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in their order; the first failure ends the others."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing was read. `down`: they are, so that others need not try. Its text holds nothing of the answer."""

    text: str
    down: bool


async def troubled(work: Awaitable[T], seconds: float) -> T | Trouble:
    """The result of `work`, or why there is none in time."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return Trouble(f"no answer within {seconds:g} seconds", True)
    except Garbled:
        return Trouble("an answer that is no list", True)
    except stripe.StripeError as error:
        refused = isinstance(error, stripe.AuthenticationError | stripe.PermissionError | stripe.InvalidRequestError)
        return Trouble(_told(error), not refused)


def _is_ours(scope: CustomerScope, data: Json) -> bool:
    customer = owner(data)
    if customer is not None and scope.holds(customer):
        return True
    foreign(data)
    return False


def _page(data: object) -> Page:
    objects = data.get("data") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(objects, list):
        raise Garbled
    named = [one for one in objects if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]]
    if len(named) < len(objects):
        count("stripe_malformed", what="object")
        log.warning("Stripe sent %d objects without an id", len(objects) - len(named))
    return Page(named, data.get("has_more") is not True)


def _asked_wait(error: stripe.StripeError) -> float:
    """Seconds that Stripe asked us to wait; 0 when it did not say."""
    asked = (error.headers or {}).get("retry-after", "")
    return float(asked) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", asked) else 0.0


def _told(error: stripe.StripeError) -> str:
    """The kind of an error, its HTTP status, the request's id and the permission that lacks, as `readonly` let them by;
    a transport's error has its kind for a message. An answer that is no JSON stands in the message whole: left out."""
    told = [type(error).__name__]
    if error.http_status is not None:
        told.append(f"HTTP {error.http_status}")
    if isinstance(error, stripe.PermissionError | stripe.APIConnectionError) and error.user_message:
        told.append(error.user_message)
    if error.request_id is not None and _REQUEST.fullmatch(error.request_id):
        told.append(error.request_id)
    return ", ".join(told)
