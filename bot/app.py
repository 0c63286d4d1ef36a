"""Wiring: settings in, a running bot out. The only place, with the command line, that reads settings."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase

from aiohttp import ClientSession, ClientTimeout
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.cases import LATE_AFTER
from bot.errors import DeliveryDeferred, DeliveryRefused, EnvironmentUnfit, SettingsError, Unavailable, UsageError
from bot.ports import Clock, Engine, Mail
from bot.services.acting import Acting
from bot.services.amending import Amending
from bot.services.delivery import Delivery
from bot.services.disclosing import Disclosing
from bot.services.identity import Identity, NoMail, identity_key
from bot.services.linking import Linking
from bot.services.lookups import Lookups
from bot.services.refund_news import RefundNewsService
from bot.services.refund_reading import RefundReading
from bot.services.speaking import Speaking
from bot.services.turn import Premises, Turn
from bot.services.waking import Waker, sweep
from bot.services.watching import Watching
from bot.services.worker import Worker
from bot.settings import Settings
from bot.storage import database, datadir
from bot.storage.articles import SqlArticles
from bot.storage.audit import SqlAudit
from bot.storage.books import SqlBooks
from bot.storage.cases import SqlCases
from bot.storage.inbox import SqlInbox
from bot.storage.links import SqlCodes, SqlLinks
from bot.storage.news import SqlNews
from bot.storage.outbox import SqlOutbox
from bot.workflows import DbosEngine
from handlers.bolt import build_app, keep_connected, socket_handler
from handlers.catchup import CatchUp
from handlers.desk import SlackDesk
from handlers.directory import SlackDirectory
from handlers.identity_views import ProofViews
from handlers.intake import Intake
from handlers.link_views import LinkViews
from handlers.messenger import TIMEOUT_SECONDS, SlackMessenger, asked, posting_client, reading_client
from handlers.presence import SlackPresence
from handlers.profiles import SlackProfiles
from handlers.views import Views
from knowledge.embedder import open_embedder
from knowledge.loader import shipped
from knowledge.service import LiveKnowledge
from knowledge.vectors import ChromaServer, LocalChroma

log = logging.getLogger(__name__)

CATCH_UP_EVERY = 300.0
"""Seconds between two passes over what may have been missed."""
PATIENCE = timedelta(seconds=2)
"""How long somebody who wrote something short and unclear is given to go on, before the bot asks back."""
REVIVE_EVERY = 10.0
"""Seconds between two looks for wake-ups that nothing runs."""


class SystemClock:
    """Implements `bot.ports.Clock` with the machine's time and chance."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self, prefix: str) -> str:
        # Letters alone: one hex id in 60,000 holds a card number, and redaction would cut it out of a button's value.
        return f"{prefix}_{''.join(secrets.choice(ascii_lowercase) for _ in range(18))}"


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are in Slack."""

    team: str
    bot_user: str
    bot: str


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything kept, over one database."""

    engine: AsyncEngine
    inbox: SqlInbox
    cases: SqlCases
    outbox: SqlOutbox
    books: SqlBooks
    articles: SqlArticles
    news: SqlNews
    links: SqlLinks
    codes: SqlCodes
    audit: SqlAudit


@dataclass(frozen=True, slots=True)
class Running:
    """A bot that is connected, with its parts for whoever tests or measures it."""

    identity: Account
    stores: Stores
    engine: Engine
    knowledge: LiveKnowledge
    catch_up: Callable[[], Awaitable[int]]
    lookups: Lookups | None


def check_environment(
    python: tuple[int, int] = sys.version_info[:2], sqlite: tuple[int, int, int] = sqlite3.sqlite_version_info
) -> None:
    """Refuse an interpreter that would crash the engine. Raises EnvironmentUnfit."""
    if python >= (3, 12) and sqlite < (3, 42, 0):
        raise EnvironmentUnfit(
            f"Python {python[0]}.{python[1]} with SQLite {'.'.join(map(str, sqlite))} crashes the engine. "
            "Use Python 3.11, or a Python that was built with SQLite 3.42 or newer."
        )


def required_for_run(settings: Settings) -> list[str]:
    """The settings that `run` cannot do without and that are missing, each with where to find it."""
    needed = {
        "SLACK_BOT_TOKEN": (settings.slack_bot_token, "OAuth & Permissions of your Slack app, starts with xoxb-"),
        "SLACK_APP_TOKEN": (settings.slack_app_token, "Basic Information of your Slack app, starts with xapp-"),
        "SPECIALIST_CHANNEL": (settings.specialist_channel, "the id of the private channel in which specialists work"),
    }
    return [f"{name} ({where})" for name, (value, where) in needed.items() if value is None]


@asynccontextmanager
async def open_stores(settings: Settings, clock: Clock) -> AsyncIterator[Stores]:
    """The stores over a database of this version's shape. Raises UsageError when it cannot be opened."""
    try:
        url = database.app_url(settings.database_url, settings.data_dir)
        await asyncio.to_thread(database.migrate, url)
    except (SQLAlchemyError, ValueError) as error:
        raise UsageError(
            f"The database cannot be opened ({type(error).__name__}). Check DATABASE_URL and that its server answers, "
            "or leave DATABASE_URL out to use a file in DATA_DIR."
        ) from None
    engine = database.connect(url)
    try:
        yield Stores(
            engine=engine,
            inbox=SqlInbox(engine, clock),
            cases=SqlCases(engine, clock),
            outbox=SqlOutbox(engine, clock),
            books=SqlBooks(engine),
            articles=SqlArticles(engine, clock),
            news=SqlNews(engine),
            links=SqlLinks(engine),
            codes=SqlCodes(engine),
            audit=SqlAudit(engine),
        )
    finally:
        await engine.dispose()


async def open_knowledge(stores: Stores, chroma_url: str | None = None) -> LiveKnowledge:
    """The live publication; the shipped articles become the first one in an empty database."""
    if await stores.articles.publication_number() == 0:
        articles = await asyncio.to_thread(shipped)
        await stores.articles.publish(articles, author="handrail", note="shipped articles")
    embedder = await asyncio.to_thread(open_embedder)
    chunks = ChromaServer(chroma_url) if chroma_url is not None else LocalChroma()
    knowledge = LiveKnowledge(
        stores.articles, stores.articles, embedder, chunks=chunks, store_errors=(SQLAlchemyError,)
    )
    try:
        await knowledge.refresh()
    except Unavailable as error:
        raise UsageError(
            f"The server at CHROMA_URL does not answer ({error.edge}). Start it, or leave CHROMA_URL out to keep the "
            "vectors in this process."
        ) from None
    return knowledge


async def identify(client: AsyncWebClient) -> Account:
    """Who the bot token says that we are. Raises SettingsError or UsageError."""
    try:
        answer = await asked(client.auth_test())
    except DeliveryRefused as error:
        raise SettingsError(
            f"Slack refuses SLACK_BOT_TOKEN ({error.code}). Copy the Bot User OAuth Token of your app again."
        ) from None
    except DeliveryDeferred as error:
        raise UsageError(f"Slack cannot be reached ({error.code}). Check the network and SLACK_API_URL.") from None
    return Account(str(answer["team_id"]), str(answer["user_id"]), str(answer.get("bot_id", "")))


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None, mail: Mail | None = None) -> AsyncIterator[Running]:
    """A connected bot, for as long as the block runs. `mail`: what codes go through instead of SMTP_URL. Raises
    UsageError with what to mend."""
    check_environment()
    missing = required_for_run(settings)
    if missing:
        raise SettingsError("Missing: " + "; ".join(missing) + ". Or try `make demo`, which needs none of them.")
    datadir.prepare(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(datadir.held(settings.data_dir))
        yield await _start(settings, clock or SystemClock(), mail, stack)


async def _start(settings: Settings, clock: Clock, mail: Mail | None, stack: AsyncExitStack) -> Running:
    token, app_token = _revealed(settings.slack_bot_token), _revealed(settings.slack_app_token)
    session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS)))
    reader = reading_client(token, settings.slack_api_url, session)
    identity = await identify(reader)
    stores = await stack.enter_async_context(open_stores(settings, clock))
    knowledge = await open_knowledge(stores, settings.chroma_url)
    stack.callback(knowledge.close)
    directory = SlackDirectory(reader, settings.specialist_group, settings.admin_users, identity.team, clock)
    poster = posting_client(token, settings.slack_api_url, session)
    messenger = SlackMessenger(poster, identity.bot_user, reader)
    engine_url = database.engine_url(settings.database_url, settings.data_dir)
    database.prepare_engine_file(engine_url)
    engine = DbosEngine(engine_url, settings.executor)
    presence = SlackPresence(poster)
    stack.push_async_callback(presence.close)
    profiles = SlackProfiles(reader, identity.team)
    lookups = await _lookups(settings, identity, stores, profiles, directory, mail, clock, stack)
    desk = SlackDesk(reader, settings.specialist_channel or "", identity.team, clock)
    await _warn_of_readers(desk, lookups)
    services = _services(
        settings, identity, stores, knowledge, directory, desk, lookups, messenger, presence, engine, clock
    )
    worker, waker = services
    await engine.launch(worker)
    stack.push_async_callback(engine.close)
    catch_up = CatchUp(reader, stores.inbox, stores.books, engine, clock, identity.team, identity.bot_user)
    missed = asyncio.Event()
    intake = Intake(stores.inbox, engine, identity.bot_user)
    authorized = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team,
        bot_token=token,
        bot_id=identity.bot,
        bot_user_id=identity.bot_user,
    )
    # Bolt takes the token from `authorized`, and warns of every other one.
    bare = posting_client(None, settings.slack_api_url, session)
    # A click waits three seconds at most, so what is asked for it is asked once.
    prompt = SlackDirectory(poster, settings.specialist_group, settings.admin_users, identity.team, clock)
    views = Views(stores.cases, prompt, stores.inbox, engine)
    proofs, links = _forms(settings, stores, lookups, prompt, engine, waker)
    app = build_app(bare, authorized, intake, views, proofs, links)
    handler = socket_handler(app, app_token, missed.set)
    await sweep(stores.books, waker, clock.new_id("start"))
    stack.push_async_callback(proofs.close)
    stack.push_async_callback(links.close)
    stack.push_async_callback(handler.close_async)
    await _connect(handler, app_token)
    background = (
        _keep_up(missed, catch_up, stores, waker, clock),
        knowledge.poll(),
        keep_connected(handler),
        _keep_waking(engine),
    )
    for routine in background:
        task = asyncio.create_task(routine)
        task.add_done_callback(_told_when_it_ends)
        stack.push_async_callback(_cancel, task)
    return Running(identity, stores, engine, knowledge, catch_up.run, lookups)


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


async def _lookups(
    settings: Settings,
    identity: Account,
    stores: Stores,
    profiles: SlackProfiles,
    directory: SlackDirectory,
    mail: Mail | None,
    clock: Clock,
    stack: AsyncExitStack,
) -> Lookups | None:
    """Look-ups, when there is a key to look with. Without a mail server no codes are sent."""
    if settings.stripe_api_key is None:
        return None
    # Slow to import, and most commands do without.
    from integrations.mail import SmtpMail
    from integrations.stripe.adapter import StripePayments

    key, allowed = _revealed(settings.stripe_api_key), settings.stripe_allow_secret_key
    payments = StripePayments(key, settings.stripe_api_url, clock, allow_secret_key=allowed)
    stack.push_async_callback(payments.close)
    if mail is None and settings.smtp_url is not None:
        mail = SmtpMail(_revealed(settings.smtp_url), settings.mail_from or "", clock)
    secret = await identity_key(stores.codes)
    customers = Identity(
        stores.links,
        stores.codes,
        profiles,
        directory,
        payments,
        mail or NoMail(),
        clock,
        key=secret,
        home=identity.team,
        rule=settings.identity_rule,
    )
    stack.push_async_callback(customers.settled)
    return Lookups(customers, payments, profiles, stores.audit, clock, by_mail=mail is not None)


def _forms(
    settings: Settings,
    stores: Stores,
    lookups: Lookups | None,
    directory: SlackDirectory,
    engine: DbosEngine,
    waker: Waker,
) -> tuple[ProofViews, LinkViews]:
    """The forms of verified identity; they say so where nothing is set up."""
    customers = None if lookups is None else lookups.identity
    provable = customers if lookups is not None and lookups.by_mail else None
    inside = settings.specialist_channel or ""
    linking = None if customers is None else Linking(customers, stores.cases, directory, waker, inside)
    proofs = ProofViews(provable, stores.cases, stores.inbox, engine, (SQLAlchemyError,))
    return proofs, LinkViews(linking, stores.cases, directory, (SQLAlchemyError,))


async def _warn_of_readers(desk: SlackDesk, lookups: Lookups | None) -> None:
    """At each start: whether the specialists' channel is a place for payment details."""
    if lookups is None:
        return
    try:
        private = await desk.private()
    except Unavailable:
        log.warning("Slack does not say who reads SPECIALIST_CHANNEL: cards show no payment details until it does")
        return
    if not private:
        log.warning(
            "SPECIALIST_CHANNEL is not private, or guests or other companies are in it: cards show no payment details"
        )


def _services(
    settings: Settings,
    identity: Account,
    stores: Stores,
    knowledge: LiveKnowledge,
    directory: SlackDirectory,
    desk: SlackDesk,
    lookups: Lookups | None,
    messenger: SlackMessenger,
    presence: SlackPresence,
    engine: DbosEngine,
    clock: Clock,
) -> tuple[Worker, Waker]:
    inside = settings.specialist_channel or ""
    waker = Waker(engine, stores.cases, clock)
    listed = frozenset(settings.support_channels)
    disclosing = None if lookups is None else Disclosing(lookups, stores.cases, stores.inbox, directory, clock, listed)
    speaking = Speaking(stores.cases, clock, identity.bot_user, inside, disclosing, tells_news=lookups is not None)
    premises = Premises(
        listed,
        inside,
        timedelta(seconds=settings.channel_wait_seconds),
        PATIENCE,
    )
    amending = Amending(stores.cases, inside)
    turn = Turn(
        stores.inbox, stores.cases, directory, knowledge, clock, waker, engine, presence, speaking, amending, premises
    )
    news = None
    if lookups is not None:
        reading = RefundReading(lookups.identity, lookups.payments, lookups.profiles, stores.audit, clock)
        news = RefundNewsService(stores.news, stores.cases, reading, desk, clock, waker, speaking)
    customers = None if lookups is None else lookups.identity
    acting = Acting(
        stores.inbox, stores.cases, directory, knowledge, clock, waker, speaking, turn, inside, news, customers
    )
    late_after = timedelta(seconds=LATE_AFTER) + premises.channel_wait
    watching = Watching(stores.cases, knowledge, clock, waker, speaking, late_after)
    delivery = Delivery(
        stores.outbox,
        stores.cases,
        messenger,
        presence,
        directory,
        desk,
        knowledge,
        engine,
        waker,
        clock,
        inside,
        stores.news,
        customers,
    )
    return Worker(stores.inbox, engine, clock, turn, acting, watching, delivery, news), waker


async def _connect(handler: AsyncSocketModeHandler, app_token: str) -> None:
    """Open the socket. Asked once by ourselves first: the SDK would retry a refused token for ever."""
    try:
        answer = await asked(handler.client.web_client.apps_connections_open(app_token=app_token))
    except DeliveryRefused as error:
        raise SettingsError(
            f"Slack refuses SLACK_APP_TOKEN ({error.code}). Make an app-level token with connections:write."
        ) from None
    except DeliveryDeferred as error:
        raise UsageError(f"Slack cannot be reached ({error.code}). Check the network and SLACK_API_URL.") from None
    handler.client.wss_uri = str(answer["url"])
    await handler.client.connect()  # type: ignore[no-untyped-call]  # the SDK says no types here


async def _keep_up(missed: asyncio.Event, catch_up: CatchUp, stores: Stores, waker: Waker, clock: Clock) -> None:
    """After each connection and every five minutes: read what was missed, wake what was forgotten."""
    while True:
        try:
            async with asyncio.timeout(CATCH_UP_EVERY):
                await missed.wait()
        except TimeoutError:
            log.debug("nothing reconnected; reading what may have been missed all the same")
        missed.clear()
        await _guarded(catch_up.run)
        await _guarded(lambda: sweep(stores.books, waker, clock.new_id("tick")))


async def _keep_waking(engine: DbosEngine) -> None:
    """What a full disk stranded in the engine goes on once there is room again."""
    while True:
        await asyncio.sleep(REVIVE_EVERY)
        await _guarded(engine.revive)


async def _guarded(work: Callable[[], Awaitable[object]]) -> None:
    """What a passing outage must not end: the next pass does it again."""
    try:
        await work()
    except (SQLAlchemyError, DeliveryRefused, DeliveryDeferred) as error:
        log.warning("keeping up failed and will be repeated: %s", type(error).__name__)


def _told_when_it_ends(task: asyncio.Task[None]) -> None:
    """None of these ends by itself: without one the bot would go deaf or stale in silence, so the process stops, and
    whoever supervises it starts it again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a background task ended; stopping, to be started again", exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
