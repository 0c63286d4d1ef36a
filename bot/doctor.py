"""`doctor`: each setting and each dependency, really tried, one line each: how it is, and what to do.

Nothing is written but a probe file in an existing DATA_DIR, which is removed again. Neither secrets nor the words of
Slack or of an exception are shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from pydantic import SecretStr, ValidationError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.app import SystemClock, check_environment, required_for_run
from bot.ask import printable
from bot.domain.articles import Audience, Publication, Revision
from bot.domain.redaction import redacted
from bot.errors import ArticleError, DataDirError, DeliveryError, EnvironmentUnfit, Unavailable, UsageError
from bot.settings import Settings
from bot.storage import datadir
from bot.storage.reading import Schema, publication_in, reading, schema_in
from bot.telemetry import register_secret
from handlers.desk import Flaw, SlackDesk
from handlers.messenger import TIMEOUT_SECONDS, asked, reading_client
from knowledge.embedder import MiniLM
from knowledge.loader import shipped

Say = Callable[[str], None]
MANIFEST = Path(__file__).parent.parent / "manifest.json"
MOST_PEOPLE = 200  # members of one group that are looked at

_WITHOUT = {
    "support_channels": "Handrail answers in direct messages and where it is mentioned",
    "specialist_group": "only ADMIN_USERS may take cases. Give a user group's id (S…), or user ids with commas",
    "admin_users": "there is no admin. Give user ids such as U0123ABCD, with commas",
    "database_url": "SQLite in DATA_DIR is used",
    "chroma_url": "each process keeps the articles' vectors in memory",
    "executor_id": "a stable name is chosen",
    "stripe_api_key": "no look-ups: Handrail knows articles, and nobody's payments",
    "mail_from": "no codes are sent by mail",
    "smtp_url": "no codes are sent by mail: specialists link people to customers",
}
"""What it means that a setting without a default is not set."""

_ADVISED = frozenset({"specialist_group", "admin_users"})
_SLACK = ("slack_bot_token", "slack_app_token", "support_channels", "specialist_channel", "specialist_group",
          "admin_users")  # fmt: skip
_PASSING = frozenset({"unreachable", "no_response", "unreadable_response", "ratelimited", "internal_error",
                      "service_unavailable", "request_timeout", "fatal_error"})  # fmt: skip
_NO_DETAILS = "cards show no payment details"
_MENDED = {
    Flaw.UNSEEN: "Invite the bot",
    Flaw.ARCHIVED: "Choose another channel",
    Flaw.DIRECT: "Choose a private channel",
    Flaw.PUBLIC: "Make it private",
    Flaw.SHARED: "Choose one that is not",
    Flaw.CROWDED: "Choose one for specialists alone",
    Flaw.OUTSIDERS: "Take them out of it",
}


class Mark(StrEnum):
    """How a thing is. `missing` and `wrong` keep `run` from doing its work."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass
class Report:
    """Says one line a thing, and counts what is to be mended."""

    say: Say
    to_mend: int = 0

    def tell(self, mark: Mark, what: str, meaning: str) -> None:
        """One thing. A token in the wrong place is taken out, and what a terminal would obey."""
        self.to_mend += mark in (Mark.MISSING, Mark.WRONG)
        self.say(f"  {mark:<8} {what}: " + printable(redacted(meaning)))


async def examine(say: Say) -> int:
    """Say how everything is. 0 when `run` would work, else 1."""
    report = Report(say)
    say("Settings, from the environment and .env")
    settings, wrong = _settings(report)
    for secret in settings.secrets():
        register_secret(secret)
    _tell_settings(report, settings, wrong)
    say("\nThis machine")
    _tell_python(report)
    _tell_data_dir(report, settings.data_dir)
    if "database_url" not in wrong:
        await _tell_database(report, settings)
    await asyncio.to_thread(_tell_embedding, report)
    if settings.chroma_url is not None:
        await asyncio.to_thread(_tell_chroma, report, settings.chroma_url)
    say("\nStripe")
    if "stripe_api_key" in wrong or "stripe_api_url" in wrong:
        report.tell(
            Mark.WARNING, "Stripe", "not looked at: that takes a STRIPE_API_KEY and an address that can be used"
        )
    else:
        await _tell_stripe(report, settings)
    say("\nSlack")
    if any(getattr(settings, name) for name in _SLACK) or wrong.keys() & set(_SLACK):
        await _tell_slack(report, settings)
    else:
        say("  Nothing is set. `make demo` works without: it brings a Slack workspace of its own.")
    mend = f"not work yet: {report.to_mend} missing or wrong"
    say(f"\n`run` would {mend if report.to_mend else 'work'}.")
    return min(report.to_mend, 1)


def _settings(report: Report) -> tuple[Settings, dict[str, str]]:
    """What can be used, and by name what is wrong with the rest, which then counts as not set."""
    wrong: dict[str, str] = {}
    file: str | None = ".env"
    while True:
        instead = {name: Settings.model_fields[name].get_default() for name in wrong}
        try:
            return Settings(_env_file=file, **instead), wrong  # type: ignore[call-arg]  # pydantic-settings' own
        except ValidationError as error:
            wrong |= {str(one["loc"][0]): one["msg"].removeprefix("Value error, ") for one in error.errors()}
        except (OSError, UnicodeDecodeError):
            if file is None:
                raise
            report.tell(Mark.WRONG, ".env", "cannot be read as UTF-8 text, so nothing in it counts. Mend the file")
            file = None


def _tell_settings(report: Report, settings: Settings, wrong: Mapping[str, str]) -> None:
    parts = (line.partition(" (") for line in required_for_run(settings))
    needed = {name: where.removesuffix(")") for name, _, where in parts}
    for field in Settings.model_fields:
        name, value = field.upper(), getattr(settings, field)
        if field in wrong:
            report.tell(Mark.WRONG, name, wrong[field])
        elif name in needed:
            report.tell(Mark.MISSING, name, f"not set, but needed: {needed[name]}")
        elif not value and field in _WITHOUT:
            report.tell(Mark.WARNING if field in _ADVISED else Mark.OK, name, f"not set: {_WITHOUT[field]}")
        else:
            report.tell(Mark.OK, name, f"{'set' if field in settings.model_fields_set else 'default'}{_shown(value)}")


def _shown(value: object) -> str:
    """A value for the eye; nothing of a secret, or of an address that may hold one."""
    if isinstance(value, SecretStr) or (isinstance(value, str) and "://" in value and "@" in value):
        return ""
    if isinstance(value, bool):
        return f", {value:d}"
    return f", {', '.join(value) if isinstance(value, tuple) else value}"


def _tell_python(report: Report) -> None:
    try:
        check_environment()
    except EnvironmentUnfit as unfit:
        report.tell(Mark.WRONG, "Python", str(unfit))
    else:
        report.tell(Mark.OK, "Python", f"{platform.python_version()} with SQLite {sqlite3.sqlite_version}")


def _tell_data_dir(report: Report, path: Path) -> None:
    path = path.absolute()
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    if there != path and not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        report.tell(Mark.WRONG, "DATA_DIR", f"{path} cannot be made. Set DATA_DIR to a folder that can be written")
        return
    try:
        if there == path:
            datadir.prepare(path)
        if (path / datadir.LOCK_FILE).exists():
            with datadir.held(path):
                pass
    except DataDirError as error:
        report.tell(Mark.WRONG, "DATA_DIR", str(error))
    else:
        how = "writable, no other Handrail runs on it" if there == path else "will be made at the first start"
        report.tell(Mark.OK, "DATA_DIR", f"{path}: {how}, {shutil.disk_usage(there).free // 2**20:,} MB free")


async def _tell_database(report: Report, settings: Settings) -> None:
    published = Publication(0, ())
    try:
        async with reading(settings.database_url, settings.data_dir) as engine:
            if engine is None:
                report.tell(Mark.OK, "database", "none yet: the first start makes it")
            else:
                schema, kind = await schema_in(engine), engine.url.get_backend_name()
                report.tell(Mark.WRONG if schema is Schema.NEWER else Mark.OK, "database", f"{kind}, {schema}")
                published = await publication_in(engine) if schema is not Schema.NEWER else published
    except UsageError:
        mend = "Check DATABASE_URL and that its server answers; or restore handrail.db in DATA_DIR from a backup"
        report.tell(Mark.WRONG, "database", f"cannot be read. {mend}")
    if settings.database_url is None or settings.database_url.startswith("sqlite"):
        await asyncio.to_thread(_tell_engine_file, report, settings.data_dir / "engine.db")
    _tell_articles(report, published)


def _tell_engine_file(report: Report, path: Path) -> None:
    try:
        with path.open("rb") as file:  # SQLite itself would change the files beside a database that is in use
            sound = file.read(16) in (b"SQLite format 3\0", b"")
    except FileNotFoundError:
        report.tell(Mark.OK, "engine", "no file yet: the first start makes it")
    except OSError as error:
        report.tell(Mark.WRONG, "engine", f"{path} cannot be read: {error.strerror}")
    else:
        meaning = f"{path.name} is there" if sound else f"{path} is no database. Move it away: a start makes a new one"
        report.tell(Mark.OK if sound else Mark.WRONG, "engine", meaning)


def _tell_articles(report: Report, published: Publication) -> None:
    where = f"publication {published.number}"
    if not published.number:
        where = "the shipped ones, until others are imported"
        try:
            published = Publication(0, tuple(Revision(1, article) for article in shipped()))
        except ArticleError as error:
            report.tell(Mark.WRONG, "articles", f"{error}. `python -m bot knowledge check` lists everything")
            return
    articles = [revision.article for revision in published.revisions]
    late = [one.id for one in articles if one.review_by < datetime.now(UTC).date()]
    if not any(one.audience is Audience.CUSTOMER for one in articles):
        report.tell(Mark.WARNING, "articles", f"{where}: none is for customers, so each question goes to a person")
    elif late:
        mend = "Read them, raise their review_by, and import them again"
        report.tell(Mark.WARNING, "articles", f"{len(articles)}, {where}. To be reviewed: {', '.join(late)}. {mend}")
    else:
        report.tell(Mark.OK, "articles", f"{len(articles)}, {where}; none past its review_by")


def _tell_chroma(report: Report, url: str) -> None:
    from knowledge.vectors import ChromaServer

    try:
        ChromaServer(url).ping()
    except Unavailable:
        report.tell(Mark.WRONG, "Chroma", "the server at CHROMA_URL does not answer. Start it, or leave CHROMA_URL out")
    else:
        report.tell(Mark.OK, "Chroma", "the server answers")


def _tell_embedding(report: Report) -> None:
    try:
        MiniLM().embed(["Where is my refund?"])
    except EnvironmentUnfit as unfit:
        report.tell(Mark.WARNING, "embeddings", f"{unfit} Until then questions are matched by their words only.")
    else:
        report.tell(Mark.OK, "embeddings", "model and tokenizer are the pinned files; a question was embedded")


async def _tell_stripe(report: Report, settings: Settings) -> None:
    """Each permission that look-ups need, by reading one object at most."""
    if settings.stripe_api_key is None:
        report.tell(Mark.OK, "Stripe", "not set: no look-ups")
        return
    from integrations.stripe.permissions import NEEDED, lacking
    from integrations.stripe.reading import Trouble

    key = settings.stripe_api_key.get_secret_value()
    if key.startswith("sk_"):
        more = "is a secret key, more than is needed: who gets it can move money. Make a restricted key that only reads"
        report.tell(Mark.WARNING, "STRIPE_API_KEY", more)
    try:
        found = await lacking(key, settings.stripe_api_url, allow_secret_key=settings.stripe_allow_secret_key)
    except UsageError as unfit:
        report.tell(Mark.WRONG, "Stripe", str(unfit))
        return
    if isinstance(found, Trouble) and found.down:
        mend = "Check the network and STRIPE_API_URL, and try again"
        report.tell(Mark.WRONG, "Stripe", f"could not be read ({found.text}). {mend}")
    elif isinstance(found, Trouble):
        report.tell(Mark.WRONG, "Stripe", f"refuses us ({found.text}). Copy STRIPE_API_KEY again, or make a new one")
    elif found:
        mend = "Give the key Read for these (Developers, API keys, Edit)"
        report.tell(Mark.MISSING, "Stripe permissions", f"{', '.join(found)}. {mend}")
    else:
        whose = "live" if "_live_" in key else "test"
        report.tell(Mark.OK, "Stripe", f"all {len(NEEDED)} lists that look-ups need can be read, {whose} data")


async def _tell_slack(report: Report, settings: Settings) -> None:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        slack = _Slack(report, reading_client(token, settings.slack_api_url, session))
        if not await slack.reachable():
            return
        if settings.slack_app_token is not None:
            await slack.app_token(settings.slack_app_token.get_secret_value())
        if not token or not await slack.bot_token():
            report.tell(Mark.WARNING, "channels and people", "not looked at: that takes a working SLACK_BOT_TOKEN")
            return
        if settings.specialist_channel is not None:
            await slack.specialist_channel(settings.specialist_channel)
        for channel in settings.support_channels:
            await slack.channel("SUPPORT_CHANNELS", channel)
        await slack.specialists(settings.specialist_group)
        await slack.people("ADMIN_USERS", settings.admin_users)


def _passing(code: str) -> bool:
    return code in _PASSING or code.startswith("http_")


class _Slack:
    """What Slack says of our settings. A refusal is told by its code, and by what to do about it."""

    def __init__(self, report: Report, client: AsyncWebClient) -> None:
        self._tell, self._client = report.tell, client
        self._team, self._user, self._name = "", "", ""

    async def _try(self, request: Awaitable[AsyncSlackResponse]) -> tuple[Mapping[str, Any], str]:
        """Slack's answer, or nothing and the code of its refusal."""
        try:
            return await asked(request), ""
        except DeliveryError as error:
            return {}, error.code

    def _refused(self, what: str, code: str, mend: str, passing: Mark = Mark.WARNING) -> None:
        if _passing(code):
            self._tell(passing, what, f"could not be looked at now ({code}). Try again in a minute")
        else:
            self._tell(Mark.WRONG, what, f"Slack says {code}. {mend}")

    async def reachable(self) -> bool:
        _, code = await self._try(self._client.api_test())
        if _passing(code):
            self._tell(Mark.WRONG, "Slack", f"does not answer ({code}). Check the network, a proxy, and SLACK_API_URL")
            return False
        self._tell(Mark.OK, "Slack", "answers")
        return True

    async def app_token(self, token: str) -> None:
        """Ask for a socket's address, and leave it unused."""
        _, code = await self._try(self._client.apps_connections_open(app_token=token))
        mend = "Make an app-level token with connections:write (Basic Information) and switch Socket Mode on"
        if code:
            self._refused("SLACK_APP_TOKEN", code, mend, Mark.WRONG)
        else:
            self._tell(Mark.OK, "SLACK_APP_TOKEN", "opens a connection")

    async def bot_token(self) -> bool:
        headers: dict[str, str] = {}

        async def request() -> AsyncSlackResponse:
            response = await self._client.auth_test()
            headers.update({name.lower(): value for name, value in response.headers.items()})
            return response

        answer, code = await self._try(request())
        if code:
            mend = "Copy the Bot User OAuth Token of your app again (OAuth & Permissions)"
            self._refused("SLACK_BOT_TOKEN", code, mend, Mark.WRONG)
            return False
        self._team, self._user, self._name = (str(answer.get(key)) for key in ("team_id", "user_id", "user"))
        self._tell(Mark.OK, "SLACK_BOT_TOKEN", f"works: we are @{self._name} in {answer.get('team')}")
        self._scopes(headers.get("x-oauth-scopes"))
        return True

    def _scopes(self, granted: str | None) -> None:
        try:
            wanted = set(json.loads(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"])
        except (OSError, ValueError, KeyError, TypeError):
            self._tell(Mark.WARNING, "scopes", "not compared: manifest.json is not beside the program, or broken")
            return
        lacking = wanted - set((granted or "").replace(",", " ").split())
        if granted is None:
            self._tell(Mark.WARNING, "scopes", "not compared: Slack did not say which ones are granted")
        elif lacking:
            mend = "Add them under OAuth & Permissions and reinstall the app, or create it from manifest.json"
            self._tell(Mark.MISSING, "scopes", f"{', '.join(sorted(lacking))}. {mend}")
        else:
            self._tell(Mark.OK, "scopes", f"all {len(wanted)} of manifest.json are granted")

    async def channel(self, setting: str, channel: str) -> Mapping[str, Any]:
        """What Slack says of a channel; nothing when the bot cannot work in it."""
        what, invite = f"{setting} {channel}", f"write /invite @{self._name} in it"
        answer, code = await self._try(self._client.conversations_info(channel=channel))
        info = answer.get("channel") or {}
        if code:
            self._refused(what, code, f"Check the id. If the channel is private, {invite}")
        elif info.get("is_archived"):
            self._tell(Mark.WRONG, what, "is archived. Choose another channel")
        elif not info.get("is_member"):
            self._tell(Mark.MISSING, what, f"the bot is not in it: {invite}")
        else:
            self._tell(Mark.OK, what, f"#{info.get('name')}, and the bot is in it")
            return info
        return {}

    async def specialist_channel(self, channel: str) -> None:
        """It must be for staff alone: customers' questions are shown there, and what they paid."""
        what = f"SPECIALIST_CHANNEL {channel}"
        if not await self.channel("SPECIALIST_CHANNEL", channel):
            return
        try:
            readers = await SlackDesk(self._client, channel, self._team, SystemClock()).readers()
        except DeliveryError as error:
            mend = f"Without an answer to who reads it, {_NO_DETAILS}"
            self._refused(what, error.code, mend)
            return
        for flaw in readers.flaws:
            people = f": {', '.join(readers.outsiders)}" if flaw is Flaw.OUTSIDERS else ""
            self._tell(Mark.WARNING, what, f"{flaw}{people}. {_NO_DETAILS.capitalize()}. {_MENDED[flaw]}")
        if not readers.flaws:
            well = f"private, not shared, no guests among {len(readers.members)} people: cards may show payment details"
            self._tell(Mark.OK, what, well)
        others = [user for user in readers.apps if user != self._user]
        if others:
            self._tell(Mark.WARNING, what, f"other apps read along: {', '.join(others)}. Take out those you need not")

    async def specialists(self, group: Sequence[str]) -> None:
        if not (len(group) == 1 and group[0].startswith("S")):
            await self.people("SPECIALIST_GROUP", group)
            return
        answer, code = await self._try(self._client.usergroups_users_list(usergroup=group[0]))
        if code:
            self._refused("SPECIALIST_GROUP", code, "Check the id: it is in the link to the group, S and letters")
        elif not answer.get("users"):
            self._tell(Mark.WRONG, "SPECIALIST_GROUP", f"{group[0]} is empty. Add the people who may take cases")
        else:
            await self.people("SPECIALIST_GROUP", answer["users"])

    async def people(self, setting: str, users: Sequence[str]) -> None:
        """They must be full, active members."""
        kinds = await self._kinds(users)
        others = [f"{user} ({kind})" for user, kind in kinds.items() if kind != "member"]
        if others:
            nobody = len(others) == len(kinds) or any("_not_found" in one for one in others)
            meaning = f"only full, active members count, unlike {', '.join(others)}. Take them out, or mend the ids"
            self._tell(Mark.WRONG if nobody else Mark.WARNING, setting, meaning)
        elif kinds:
            self._tell(Mark.OK, setting, f"{len(kinds)} found, each a full member")

    async def _kinds(self, users: Sequence[str]) -> dict[str, str]:
        return {user: await self._kind(user) for user in users[:MOST_PEOPLE]}

    async def _kind(self, user: str) -> str:
        """member, guest, bot, deactivated, or Slack's code of why it is not known."""
        answer, code = await self._try(self._client.users_info(user=user))
        info: Mapping[str, Any] = answer.get("user") or {}
        if code or info.get("deleted"):
            return code or "deactivated"
        if info.get("is_bot") or user == "USLACKBOT":
            return "bot"
        outside = any(info.get(flag) for flag in ("is_restricted", "is_ultra_restricted", "is_stranger"))
        return "guest" if outside or info.get("team_id") != self._team else "member"
