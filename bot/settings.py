"""Settings, read from the environment (and `.env`) in `bot.app` and `bot.__main__` alone.

Every setting is explained in `.env.example`; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from bot.domain.identity import IdentityRule
from bot.domain.redaction import redacted
from bot.errors import SettingsError

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{2,}")
_STRIPE_KEY = re.compile(r"(?P<kind>rk|sk)_(?!(?:test|live)_?$)[A-Za-z0-9_]+")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Mode(StrEnum):
    """How Slack reaches us. `http` comes with a later release."""

    SOCKET = "socket"


class LogLevel(StrEnum):
    """Levels of Python's logging."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _listed(value: object) -> object:
    """`a, b` as a tuple; anything else is left to pydantic."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,\s]+", value) if part)
    return value


Listed = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What an operator can choose. Secrets are never printed: they are SecretStr, and the log masks them."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    support_channels: Listed = ()
    specialist_channel: str | None = None
    specialist_group: Listed = ()
    admin_users: Listed = ()
    channel_wait_seconds: float = Field(default=60.0, ge=0, le=3600)
    mode: Mode = Mode.SOCKET
    database_url: str | None = None
    chroma_url: str | None = None
    data_dir: Path = Path("data")
    # What is checked against another setting comes after it.
    stripe_allow_secret_key: bool = False
    stripe_api_key: SecretStr | None = None
    stripe_api_url: str = "https://api.stripe.com"
    identity_rule: IdentityRule = IdentityRule.LINKED
    mail_from: str | None = None
    smtp_url: SecretStr | None = None
    executor_id: str | None = None
    log_level: LogLevel = LogLevel.INFO

    @field_validator("support_channels", "specialist_group", "admin_users", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _listed(value)

    @field_validator("support_channels")
    @classmethod
    def _channels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _all_match(value, _CHANNEL, "channel ids such as C0123ABCD (right-click a channel, Copy link)")

    @field_validator("specialist_channel")
    @classmethod
    def _channel(cls, value: str | None) -> str | None:
        if value is not None:
            _all_match((value,), _CHANNEL, "one channel id such as C0123ABCD")
        return value

    @field_validator("admin_users")
    @classmethod
    def _admins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _all_match(value, _USER, "user ids such as U0123ABCD")

    @field_validator("specialist_group")
    @classmethod
    def _group(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) == 1 and _GROUP.fullmatch(value[0]):
            return value
        return _all_match(value, _USER, "one user group id such as S0123ABCD, or user ids such as U0123ABCD")

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _prefixed(value, "xoxb-", "a bot token (OAuth & Permissions, Bot User OAuth Token)")

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _prefixed(value, "xapp-", "an app-level token with connections:write (Basic Information)")

    @field_validator("slack_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]", value):
            raise ValueError("must be an https:// address, or http:// on this machine")
        return value if value.endswith("/") else value + "/"

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"postgres(ql)?(\+psycopg)?://|sqlite:///", value):
            raise ValueError("must start with postgresql:// (or be left out for SQLite in DATA_DIR)")
        return value

    @field_validator("chroma_url")
    @classmethod
    def _chroma_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/@\s:]+(:\d{1,5})?/?", value):
            raise ValueError("must look like http://chroma:8000 (or be left out for a Chroma in this process)")
        return value

    @field_validator("stripe_allow_secret_key", mode="before")
    @classmethod
    def _allowed(cls, value: object) -> object:
        if isinstance(value, bool) or value in ("0", "1"):
            return value
        raise ValueError("must be 0 or 1")

    @field_validator("stripe_api_key")
    @classmethod
    def _stripe_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        found = _STRIPE_KEY.fullmatch(value.get_secret_value())
        if found is None:
            raise ValueError("expected a restricted key: it begins with rk_live_ or rk_test_ (Developers, API keys)")
        if found["kind"] == "sk" and not info.data.get("stripe_allow_secret_key"):
            raise ValueError(
                "is a secret key (sk_), which can move money. Make a restricted key (rk_) that can only read, or set "
                "STRIPE_ALLOW_SECRET_KEY=1"
            )
        return value

    @field_validator("stripe_api_url")
    @classmethod
    def _stripe_url(cls, value: str, info: ValidationInfo) -> str:
        bare = value.rstrip("/")
        parts = _parts(bare)
        plain = parts is not None and parts.scheme == "http" and parts.host in _HERE
        if parts is None or not (parts.scheme == "https" or plain) or bare != f"{parts.scheme}://{parts.place}":
            raise ValueError("must be https://host without a path, or http:// on this machine")
        key: SecretStr | None = info.data.get("stripe_api_key")
        if plain and key is not None and "_live_" in key.get_secret_value():
            raise ValueError("must be an https:// address: a live key is sent nowhere else")
        return bare

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and not _MAIL.fullmatch(value):
            raise ValueError("must be one plain address such as billing@example.com")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        parts = _parts(value.get_secret_value())
        if parts is None or parts.scheme not in ("smtp", "smtps") or parts.rest or not parts.login_whole:
            raise ValueError(
                "must look like smtp://user:password@host:587 or smtps://…, with %40 for an @ in user or password"
            )
        if "mail_from" in info.data and info.data["mail_from"] is None:
            raise ValueError("is not enough: set MAIL_FROM too, the address that codes are sent from")
        return value

    @property
    def executor(self) -> str:
        """A name that is stable across restarts of this process: with another name, what it had begun would block
        its conversations for ever, so not the host's name, which containers change."""
        return self.executor_id or "local"

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the log's mask."""
        held = (getattr(self, name) for name in type(self).model_fields)
        values = [value.get_secret_value() for value in held if isinstance(value, SecretStr)]
        password = re.search(r"://[^/@:]*:([^@/]+)@", self.database_url or "")
        values += [password.group(1)] if password else []
        of_mail = urlsplit(self.smtp_url.get_secret_value()).password if self.smtp_url else None
        return tuple(dict.fromkeys([*values, of_mail, unquote(of_mail)] if of_mail else values))


@dataclass(frozen=True, slots=True)
class _Parts:
    """An address. `place`: host and port as written; `rest`: what follows them; `login_whole`: user and password are
    both there, or neither."""

    scheme: str
    host: str
    place: str
    rest: str
    login_whole: bool


def _parts(url: str) -> _Parts | None:
    """None for what is no address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or port == 0:
        return None
    rest = parts.path.strip("/") or parts.query or parts.fragment
    place = parts.netloc.rpartition("@")[2]
    return _Parts(parts.scheme, host, place, rest, bool(parts.username) == bool(parts.password))


def _all_match(values: tuple[str, ...], pattern: re.Pattern[str], expected: str) -> tuple[str, ...]:
    wrong = [value for value in values if not pattern.fullmatch(value)]
    if wrong:
        # A token in the wrong line must not be echoed.
        raise ValueError(f"{redacted(', '.join(wrong))}: expected {expected}")
    return values


def _prefixed(value: SecretStr | None, prefix: str, expected: str) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(prefix):
        raise ValueError(f"does not start with {prefix}: expected {expected}")
    return value


def live_keys(environment: Mapping[str, str], env_file: Path | None = Path(".env")) -> tuple[str, ...]:
    """Where a key to real money is set: the names of settings, for `.env` with its name. Nothing else is looked at."""
    name = "STRIPE_API_KEY"
    written: Mapping[str, Any] = {}
    if env_file is not None and env_file.is_file():
        written = DotEnvSettingsSource(Settings, env_file=env_file)()
    found = [name] if "_live_" in environment.get(name, "") else []
    return (*found, f"{name} in {env_file}") if "_live_" in str(written.get(name.lower(), "")) else tuple(found)


def load_settings(overrides: Mapping[str, Any] | None = None, *, env_file: str | None = ".env") -> Settings:
    """Settings of this process. Raises SettingsError that names each wrong one, never its value if secret."""
    try:
        return Settings(_env_file=env_file, **dict(overrides or {}))  # type: ignore[call-arg]  # pydantic-settings' own
    except UnicodeDecodeError:
        raise SettingsError(f"The file {env_file} is not UTF-8 text. Save it as UTF-8.") from None
    except ValidationError as error:
        problems = [f"{str(problem['loc'][0]).upper()}: {_plain(problem['msg'])}" for problem in error.errors()]
        raise SettingsError("Some settings cannot be used. " + "; ".join(problems)) from None


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
