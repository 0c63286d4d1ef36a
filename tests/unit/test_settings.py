"""Settings: what is taken, what is refused, and that a refusal never shows a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.identity import IdentityRule
from bot.errors import SettingsError
from bot.settings import LogLevel, Mode, Settings, load_settings
from integrations.mail import server_of
from integrations.stripe.readonly import DEFAULT_URL, checked_key, checked_origin

BOT_TOKEN = "xoxb-1234567890-abcdefghijkl"
APP_TOKEN = "xapp-1-A123-456-abcdefghijkl"
READING_KEY = "rk_test_made_up_for_this"
LIVE_KEY = "rk_live_made_up_for_this"
SECRET_KEY = "sk_test_made_up_for_this"


def settings(**values: object) -> Settings:
    return load_settings(values, env_file=None)


def test_everything_has_a_default() -> None:
    given = settings()
    assert given.slack_bot_token is None
    assert given.support_channels == ()
    assert given.slack_api_url == "https://slack.com/api/"
    assert given.channel_wait_seconds == 60
    assert given.mode is Mode.SOCKET
    assert given.data_dir == Path("data")
    assert given.log_level is LogLevel.INFO
    assert given.stripe_api_key is None
    assert given.stripe_api_url == DEFAULT_URL
    assert given.stripe_allow_secret_key is False
    assert given.identity_rule is IdentityRule.LINKED
    assert (given.smtp_url, given.mail_from) == (None, None)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SUPPORT_CHANNELS", "C0123ABCD, C0456EFGH")
    monkeypatch.setenv("CHANNEL_WAIT_SECONDS", "2.5")
    given = settings()
    assert given.slack_bot_token is not None
    assert given.slack_bot_token.get_secret_value() == BOT_TOKEN
    assert given.support_channels == ("C0123ABCD", "C0456EFGH")
    assert given.channel_wait_seconds == 2.5


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=DEBUG\nSPECIALIST_CHANNEL=C0FILE000\n", encoding="utf-8")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    given = load_settings(env_file=str(file))
    assert given.log_level is LogLevel.ERROR
    assert given.specialist_channel == "C0FILE000"


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert settings() == Settings.model_construct()


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SOMETHING_ELSE=1\n", encoding="utf-8")
    load_settings(env_file=str(file))


@pytest.mark.parametrize("written", ["U0AAAAAA,U0BBBBBB", "U0AAAAAA U0BBBBBB", " U0AAAAAA ,\n U0BBBBBB , "])
def test_lists_are_parted_by_commas_and_spaces(written: str) -> None:
    assert settings(admin_users=written).admin_users == ("U0AAAAAA", "U0BBBBBB")


@pytest.mark.parametrize("group", ["S0123ABCD", "U0AAAAAA,W0BBBBBB"])
def test_specialists_are_one_group_or_people(group: str) -> None:
    assert settings(specialist_group=group).specialist_group == tuple(group.split(","))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("slack_bot_token", APP_TOKEN, "xoxb-"),
        ("slack_app_token", BOT_TOKEN, "xapp-"),
        ("support_channels", "C0123ABCD,#billing", "#billing"),
        ("specialist_channel", "support-desk", "channel id"),
        ("specialist_channel", "C0123ABCD,C0456EFGH", "one channel id"),
        ("specialist_group", "@specialists", "user group id"),
        ("specialist_group", "S0123ABCD,S0456EFGH", "one user group id"),
        ("specialist_group", "S0123ABCD,U0AAAAAA", "one user group id"),
        ("admin_users", "ada", "user ids"),
        ("channel_wait_seconds", "-1", "greater than or equal to 0"),
        ("channel_wait_seconds", "3601", "less than or equal to 3600"),
        ("channel_wait_seconds", "soon", "number"),
        ("mode", "http", "socket"),
        ("log_level", "LOUD", "DEBUG"),
        ("database_url", "mysql://host/name", "postgresql://"),
        ("slack_api_url", "http://slack.example.com/api/", "https://"),
        ("slack_api_url", "http://127.0.0.1.example.com/api/", "https://"),
        ("slack_api_url", "ftp://slack.com/api/", "https://"),
        ("stripe_api_key", SECRET_KEY, "STRIPE_ALLOW_SECRET_KEY=1"),
        ("stripe_api_key", "pk_test_made_up_for_this", "rk_"),
        ("stripe_api_url", "http://stripe.example.com", "https://"),
        ("stripe_allow_secret_key", "yes", "0 or 1"),
        ("identity_rule", "anybody", "linked"),
        ("smtp_url", "mail.example.com:587", "smtp://"),
        ("smtp_url", "smtp://mail.example.com", "MAIL_FROM"),
        ("mail_from", "Billing <billing@example.com>", "billing@example.com"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_says_what_was_expected(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**{name: value})
    assert name.upper() in str(refused.value)
    assert said in str(refused.value)


def test_a_refusal_names_every_wrong_setting() -> None:
    with pytest.raises(SettingsError, match=r"ADMIN_USERS.*MODE|MODE.*ADMIN_USERS"):
        settings(mode="http", admin_users="ada")


def test_a_refusal_never_shows_a_secret() -> None:
    with pytest.raises(SettingsError) as refused:
        settings(
            slack_bot_token=APP_TOKEN, slack_app_token=BOT_TOKEN, database_url="mysql://me:hunter2-secret@host/name"
        )
    said = str(refused.value)
    assert BOT_TOKEN not in said
    assert APP_TOKEN not in said
    assert "hunter2-secret" not in said
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://slack.com/api", "https://slack.com/api/"),
        ("http://127.0.0.1:8765/api/", "http://127.0.0.1:8765/api/"),
        ("http://localhost:8765/api", "http://localhost:8765/api/"),
        ("http://[::1]:8765/api/", "http://[::1]:8765/api/"),
    ],
)
def test_slacks_address_is_https_or_on_this_machine(given: str, kept: str) -> None:
    assert settings(slack_api_url=given).slack_api_url == kept


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@host/db", "postgres://host/db", "postgresql+psycopg://host/db", "sqlite:////tmp/file.db"]
)
def test_databases_that_can_be_used(url: str) -> None:
    assert settings(database_url=url).database_url == url


def test_secrets_are_never_shown() -> None:
    shown = repr(settings(slack_bot_token=BOT_TOKEN, slack_app_token=APP_TOKEN))
    assert BOT_TOKEN not in shown
    assert APP_TOKEN not in shown


def test_secrets_are_handed_to_the_logs_mask() -> None:
    given = settings(slack_bot_token=BOT_TOKEN, slack_app_token=APP_TOKEN, database_url="postgresql://u:pass-word@h/d")
    assert set(given.secrets()) == {BOT_TOKEN, APP_TOKEN, "pass-word"}
    assert settings(database_url="postgresql://host/db").secrets() == ()


def test_the_executor_keeps_its_name_across_restarts() -> None:
    assert settings().executor == "local"
    assert settings(database_url="postgresql://host/db").executor == "local"
    assert settings(database_url="postgresql://host/db", executor_id="handrail-1").executor == "handrail-1"


# ---- payments --------------------------------------------------------------------------------------------------


def test_a_secret_key_passes_only_when_it_is_allowed() -> None:
    given = settings(stripe_api_key=SECRET_KEY, stripe_allow_secret_key="1")
    assert given.stripe_api_key is not None
    for allowed in ("0", "", "2"):
        with pytest.raises(SettingsError, match=r"STRIPE_API_KEY: is a secret key \(sk_\).* \(rk_\)"):
            settings(stripe_api_key=SECRET_KEY, stripe_allow_secret_key=allowed)


def test_the_environment_allows_a_secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", SECRET_KEY)
    monkeypatch.setenv("STRIPE_ALLOW_SECRET_KEY", "1")
    assert settings().stripe_allow_secret_key is True


@pytest.mark.parametrize(
    "key",
    [READING_KEY, LIVE_KEY, SECRET_KEY, "rk_test_", "rk_live", "rk_", "", "pk_test_1", " rk_test_1", "rk_test_1\n"],
)
@pytest.mark.parametrize("allowed", [True, False])
def test_keys_are_taken_as_the_adapter_takes_them(key: str, allowed: bool) -> None:
    def ours() -> None:
        settings(stripe_api_key=key, stripe_allow_secret_key=allowed)

    assert refuses(ours) == refuses(lambda: checked_key(key, allow_secret=allowed))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://api.stripe.com",
            "https://api.stripe.com/",
            "https://stripe.example.com:8443",
            "http://127.0.0.1:3002",
        ),
        *("http://localhost", "http://[::1]:3002/", "http://stripe.example.com", "http://127.0.0.1.example.com"),
        *("https://me:secret@api.stripe.com", "https://api.stripe.com/v1", "https://api.stripe.com?x=1", "https://"),
        *("ftp://api.stripe.com", "api.stripe.com", "https://api.stripe.com:port", "https://[::1", "http://0.0.0.0:1"),
    ],
)
def test_stripes_address_is_taken_as_the_adapter_takes_it(url: str) -> None:
    refused = refuses(lambda: settings(stripe_api_url=url))
    assert refused == refuses(lambda: checked_origin(url))
    if not refused:
        assert settings(stripe_api_url=url).stripe_api_url == checked_origin(url)


def test_a_live_key_goes_to_https_only() -> None:
    with pytest.raises(SettingsError, match="STRIPE_API_URL: must be an https"):
        settings(stripe_api_key=LIVE_KEY, stripe_api_url="http://127.0.0.1:3002")
    settings(stripe_api_key=LIVE_KEY)
    settings(stripe_api_key=READING_KEY, stripe_api_url="http://127.0.0.1:3002")


@pytest.mark.parametrize(
    "url",
    [
        *("smtp://mail.example.com", "smtps://mail.example.com:465/", "smtp://me:p%40ss%2Fword@mail.example.com:587"),
        *("smtp://me:pass/word@mail.example.com", "smtp://me@mail.example.com", "smtp://:pass@mail.example.com"),
        *("http://mail.example.com", "smtp://", "smtp://mail.example.com:0", "smtp://mail.example.com:many"),
        *("smtp://mail.example.com/path", "smtp://mail.example.com/?x", "mail.example.com", "smtp://[::1"),
    ],
)
def test_mail_servers_are_taken_as_the_adapter_takes_them(url: str) -> None:
    assert refuses(lambda: settings(smtp_url=url, mail_from="billing@example.com")) == refuses(lambda: server_of(url))


def test_a_wrong_sender_is_said_once() -> None:
    with pytest.raises(SettingsError) as refused:
        settings(smtp_url="smtp://mail.example.com", mail_from="nobody")
    assert str(refused.value).count("MAIL_FROM") == 1


def test_secrets_of_payments_and_mail_are_masked_and_never_shown() -> None:
    url = "smtp://me:p%40ss-word@mail.example.com:587"
    given = settings(stripe_api_key=READING_KEY, smtp_url=url, mail_from="billing@example.com")
    assert set(given.secrets()) == {READING_KEY, url, "p%40ss-word", "p@ss-word"}
    assert READING_KEY not in repr(given)
    assert "ss-word" not in repr(given)
    with pytest.raises(SettingsError) as refused:
        settings(stripe_api_key=SECRET_KEY, smtp_url=url, stripe_api_url="http://me:p-ss-word@stripe.example.com")
    assert SECRET_KEY not in str(refused.value)
    assert "ss-word" not in str(refused.value)


def refuses(work: Callable[[], object]) -> bool:
    """Whether a value is refused."""
    try:
        work()
    except SettingsError:
        return True
    return False
