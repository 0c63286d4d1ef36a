"""The forms of verified identity in a local workspace: real Bolt, real Slack adapters, real stores; provider, mail,
engine and time are fakes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import buttons
from bot.domain.articles import Priority
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.identity import IdentityRule
from bot.domain.incoming import Incoming, Place
from bot.domain.outbox import Changes, Spoken
from bot.domain.redaction import redacted
from bot.domain.replies import Line, Speaker
from bot.ports import Profiles
from bot.services.identity import Identity, identity_key
from bot.services.linking import Linking
from bot.services.waking import Waker
from bot.storage import database
from bot.storage.audit import SqlAudit
from bot.storage.cases import SqlCases
from bot.storage.inbox import SqlInbox
from bot.storage.links import SqlCodes, SqlLinks
from bot.storage.outbox import SqlOutbox
from handlers.blocks.elements import actions, button
from handlers.blocks.identity_modals import FIELD
from handlers.bolt import build_app, socket_handler
from handlers.directory import SlackDirectory
from handlers.errands import Errands
from handlers.identity_views import ProofViews
from handlers.intake import Intake
from handlers.link_views import LinkViews
from handlers.messenger import posting_client
from handlers.profiles import SlackProfiles
from handlers.views import Views
from integrations.workspace import Person, Workspace, WorkspaceConfig, demo_seed
from integrations.workspace.people import SubmitResult
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.mail import FakeMail
from tests.fakes.payments import FakePayments

ANA, BEN, GIL, MIRA, TOM = "U0ANA", "U0BEN", "U0GIL", "U0MIRA", "U0TOM"
EVE = Person("U0EVE", "eve", "Eve Adler", email="eve@partner.example", is_stranger=True, team_id="T0PARTNER")
DESK, SUPPORT = "G0DESK", "C0SUPPORT"
BILLING, UNKNOWN = "billing@acme.example.com", "nobody@example.com"
ACME = "cus_sandbox_acme"
PATIENCE = 20.0


@dataclass
class Forms:
    """A workspace with the forms in it, and everything around them."""

    ws: Workspace
    sql: AsyncEngine
    clock: FakeClock
    cases: SqlCases
    inbox: SqlInbox
    links: SqlLinks
    engine: FakeEngine
    payments: FakePayments
    mail: FakeMail
    identity: Identity
    proofs: ProofViews
    linking: LinkViews

    async def asked_by(self, user: str, channel: str | None = None) -> tuple[str, str]:
        """A case of `user`, in their direct conversation unless a channel is given; where the bot said its answer, with
        the button."""
        channel = channel or await self.ws.open_im(user)
        ts = await self.posted(channel, buttons.PROVE, None)
        case = self._case(user, channel, ts)
        line = Spoken(case.id, Line(Speaker.BOT, self.ws.bot_user_id, redacted("answer"), ts, self.clock.now()))
        await self.cases.apply(Changes(cases=(case,), lines=(line,)))
        return channel, ts

    async def card_about(self, user: str) -> tuple[str, str]:
        """A handoff of `user`, and the ts of its card with the button."""
        case = self._case(user, await self.ws.open_im(user), "1700000000.000001")
        handoff = Handoff(
            id=self.clock.new_id("handoff"),
            case=case.id,
            customer=user,
            topic=self.clock.new_id("topic"),
            question=redacted("where is my refund?"),
            reason=Reason.ASKED,
            priority=Priority.NORMAL,
            created_at=self.clock.now(),
        )
        await self.cases.apply(Changes(cases=(case,), handoff=handoff))
        return handoff.id, await self.posted(DESK, buttons.LINK, handoff.id)

    async def opened(self, user: str, channel: str, ts: str, action: str = buttons.PROVE) -> dict[str, Any]:
        """The form that a click opens."""
        before = {view["id"] for view in self.ws.open_views(user)}
        result = await self.ws.click(user, channel, ts, action)
        assert result.ok

        def opened(ws: Workspace) -> list[dict[str, Any]]:
            return [view for view in ws.open_views(user) if view["id"] not in before]

        view = (await self.ws.wait_for(opened, timeout=PATIENCE))[-1]
        assert isinstance(view, dict)
        return view

    async def submit(self, user: str, view: dict[str, Any], **fields: Any) -> SubmitResult:
        """Submit a form; `fields` by block."""
        return await self.ws.submit_view(user, view["id"], {block: {FIELD: value} for block, value in fields.items()})

    async def code_form(self, user: str, address: str = BILLING) -> dict[str, Any]:
        """The second form, with its code on the way, or not."""
        view = await self.opened(user, *await self.asked_by(user))
        result = await self.submit(user, view, address=address)
        assert result.ok, result
        assert result.view is not None
        await self.settled()
        return result.view

    def code(self) -> str:
        """The code of the newest mail."""
        (code,) = re.findall(r"\b[0-9]{6}\b", self.mail.sent[-1].text)
        return str(code)

    async def settled(self) -> None:
        """Nothing runs beside the forms any more."""
        await self.proofs.close()
        await self.linking.close()
        await self.identity.settled()

    async def set_off(self) -> list[Incoming]:
        """What the forms stored to be carried out."""
        rows = [await self.inbox.get(wake.subject) for wake in self.engine.woken if wake.kind == "act"]
        return [row.incoming for row in rows if row is not None]

    async def told_inside(self) -> list[str]:
        """What is on its way into threads of cards."""
        outbox = SqlOutbox(self.sql, self.clock)
        lanes = [wake.lane for wake in self.engine.woken if wake.kind == "deliver"]
        found = []
        for lane in dict.fromkeys(lanes):
            row = await outbox.next(lane)
            while row is not None:
                found.append(f"{row.internal_of}: {row.deed.content.text}")  # type: ignore[union-attr]
                await outbox.cancelled(row.id)
                row = await outbox.next(lane)
        return found

    def _case(self, user: str, channel: str, ts: str) -> Case:
        return Case(
            id=self.clock.new_id("case"),
            conversation=f"{self.ws.team_id}:{channel}:{self.clock.new_id('thread')}",
            team=self.ws.team_id,
            channel=channel,
            place=Place.DM,
            thread_ts=None,
            customer=user,
            status=Status.OPEN,
            owner=None,
            version=0,
            last_ts=ts,
        )

    async def posted(self, channel: str, action: str, value: str | None) -> str:
        """The bot says something with this button; the message's ts."""
        client = posting_client(self.ws.bot_token, self.ws.api_url)
        blocks = [actions(button("Press", action, value))]
        answer = await client.chat_postMessage(channel=channel, text="press", blocks=blocks)
        return str(answer["ts"])


@asynccontextmanager
async def open_forms(
    url: URL,
    *,
    configured: bool = True,
    profiles: Profiles | None = None,
    cases: type[SqlCases] = SqlCases,
    patience: float | None = None,
) -> AsyncIterator[Forms]:
    """Forms on an empty database of this version's shape. `configured` False: no provider is set up; `profiles` and
    `cases` stand in for the usual ones, `patience` for the time that a form waits."""
    seed = demo_seed()
    ws = Workspace(WorkspaceConfig(seed=replace(seed, people=(*seed.people, EVE))))
    await ws.start()
    sql = database.connect(url)
    clock = FakeClock()
    store, inbox, links, codes = cases(sql, clock), SqlInbox(sql, clock), SqlLinks(sql), SqlCodes(sql)
    client = posting_client(ws.bot_token, ws.api_url)
    directory = SlackDirectory(client, "S0SPECIAL", ("U0ADA",), ws.team_id, clock)
    engine, payments, mail = FakeEngine(clock), FakePayments(), FakeMail()
    payments.know(ACME, BILLING)
    identity = Identity(
        links=links,
        codes=codes,
        profiles=profiles or SlackProfiles(client, ws.team_id),
        directory=directory,
        payments=payments,
        mail=mail,
        clock=clock,
        key=await identity_key(codes),
        home=ws.team_id,
        rule=IdentityRule.LINKED,
    )
    given = identity if configured else None
    errands = Errands() if patience is None else Errands(patience)
    proofs = ProofViews(given, store, inbox, engine, (SQLAlchemyError,), errands)
    linking = None if given is None else Linking(given, store, directory, Waker(engine, store, clock), DESK)
    forms = LinkViews(linking, store, directory, (SQLAlchemyError,), errands)
    authorized = AuthorizeResult(
        enterprise_id=None, team_id=ws.team_id, bot_token=ws.bot_token, bot_id=ws.bot_id, bot_user_id=ws.bot_user_id
    )
    bare, intake = posting_client(None, ws.api_url), Intake(inbox, engine, ws.bot_user_id)
    app = build_app(bare, authorized, intake, Views(store, directory, inbox, engine), proofs, forms)
    handler = socket_handler(app, ws.app_token, lambda: None)
    try:
        await handler.connect_async()
        await ws.wait_for(lambda now: now.sockets > 0, timeout=PATIENCE)
        yield Forms(ws, sql, clock, store, inbox, links, engine, payments, mail, identity, proofs, forms)
    finally:
        await handler.close_async()
        await proofs.close()
        await identity.settled()
        await sql.dispose()
        await ws.stop()


def fresh(folder: Path) -> URL:
    """An empty SQLite database of this version's shape."""
    url = database.app_url(None, folder)
    database.migrate(url)
    return url


async def kinds(sql: AsyncEngine) -> list[str]:
    """What the audit log holds, the first one first."""
    return [row.kind async for row in SqlAudit(sql).rows()]
