"""What a look-up costs beside an answer from an article, and whether people wait for one another when the provider is
slow: Handrail in a process of its own, the workspace and a Stripe sandbox in this one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.measure.child import Child
from bot.measure.scene import bot_environment, crowd, workspace
from bot.measure.trial import QUESTIONS, Silent, percentile
from integrations.stripe.sandbox import Sandbox
from integrations.stripe.sandbox_loader import STORY, load
from integrations.stripe.sandbox_story import Story
from integrations.workspace import Workspace

TOGETHER = 20
SAMPLES = 40
WARM_UP = 4
SLOW = 1.0
"""Seconds that the slow provider takes for each request."""
LOOK_UPS = (
    "where is my refund?",
    "show me my last payments",
    "was I charged twice?",
    "what is this charge, I do not recognise it",
    "why was my payment declined?",
    "when is my next bill?",
    "can I get a copy of my invoice?",
    "what is the status of my dispute?",
)
"""One for each look-up."""
MANY = "lea"
"""The customer of the story with more payments than a page holds."""
ANSWERED_WITHIN = 60.0


class LookupTrial:
    """Measures one Handrail. `folder` is its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._people = crowd(TOGETHER + WARM_UP)

    async def run(self) -> dict[str, float]:
        """Milliseconds; "slow_alone" and "slow_together" in seconds. Raises Silent, ChildFailed."""
        async with Sandbox(_story(len(self._people))) as sandbox, workspace(self._people) as ws:
            money = {"STRIPE_API_KEY": sandbox.key, "STRIPE_API_URL": sandbox.url, "IDENTITY_RULE": "email"}
            environment = bot_environment(ws, self._folder, None, "bench") | money
            child = Child("handrail-lookups", ("-m", "bot", "run"), environment, self._folder)
            await child.start()
            try:
                return await _Asking(ws, child, sandbox, [one.id for one in self._people]).measure()
            finally:
                await child.stop()


class _Asking:
    def __init__(self, ws: Workspace, child: Child, sandbox: Sandbox, people: Sequence[str]) -> None:
        self._ws = ws
        self._child = child
        self._sandbox = sandbox
        self._people = people[:TOGETHER]
        self._others = people[TOGETHER:]

    async def measure(self) -> dict[str, float]:
        for user in self._others:
            await self._turn(user, QUESTIONS[0])
            await self._turn(user, LOOK_UPS[0])
        policy, looked = [], []
        for number in range(SAMPLES):
            user = self._people[number % TOGETHER]
            policy.append(await self._turn(user, QUESTIONS[number % len(QUESTIONS)]))
            looked.append(await self._turn(user, LOOK_UPS[0]))
        quick = percentile(looked, 50)
        self._sandbox.fault("slow", times=-1, seconds=SLOW)
        in_a_row = [await self._turn(user, text) for user, text in zip(self._people, LOOK_UPS, strict=False)]
        in_a_row.append(await self._turn(self._people[-1], LOOK_UPS[1]))
        alone = [await self._turn(user, LOOK_UPS[0]) for user in self._people[:3]]
        together = await asyncio.gather(*(self._turn(user, LOOK_UPS[0]) for user in self._people))
        self._sandbox.well()
        return {
            "policy_turn_p50": percentile(policy, 50),
            "look_up_turn_p50": quick,
            "requests_in_a_row": max((taken - quick) / 1000 / SLOW for taken in in_a_row) // 1,
            "slow_alone_p50": percentile(alone, 50),
            "slow_together_p50": percentile(together, 50),
            "slow_together_worst": max(together),
        }

    async def _turn(self, user: str, question: str) -> float:
        """Milliseconds from posting a question in a DM until the answer is in the workspace."""
        channel = await self._ws.open_im(user)
        began = time.perf_counter()
        ts = await self._ws.post(user, channel, question)

        def answered(_: Workspace) -> bool:
            newest = self._ws.messages(channel)[-1]
            return bool(newest["user"] == self._ws.bot_user_id and newest["ts"] > ts)

        try:
            await self._ws.wait_for(answered, timeout=ANSWERED_WITHIN)
        except TimeoutError as error:
            raise Silent(f"{self._child.name} does not answer: {error}\n{self._child.tail()}") from None
        return (time.perf_counter() - began) * 1000


def _story(count: int) -> Story:
    """The sandbox's story with everybody of the crowd a customer: like Ana, the last of those who ask together like the
    one with many payments."""
    story = load(STORY)
    known = {customer.name: customer for customer in story.customers}
    some = [known[MANY] if number == TOGETHER - 1 else known["ana"] for number in range(count)]
    ours = tuple(replace(one, name=f"c{n}", email=f"c{n}@example.com") for n, one in enumerate(some))
    return replace(story, customers=(*story.customers, *ours))
