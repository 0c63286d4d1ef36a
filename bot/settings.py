"""Settings, read from the environment (and `.env`) in `bot.app` and `bot.__main__` alone.

Every setting is explained in `.env.example`; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.redaction import redacted
from bot.errors import SettingsError

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{2,}")


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
        return tuple([*values, password.group(1)] if password else values)


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
