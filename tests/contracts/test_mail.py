"""What every Mail keeps to: SMTP against a small server, the local workspace's mailbox, and the fake that tests use;
and what only SMTP can show: all the ways in which a mail server is unwell."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from bot.errors import SettingsError, Unavailable
from bot.ports import Mail
from bot.services.identity import CODE_SUBJECT, CODE_TEXT
from integrations.mail import SmtpMail, server_of
from integrations.workspace import Workspace, WorkspaceMail
from tests.fakes.clock import FakeClock
from tests.fakes.mail import FakeMail, Sent
from tests.fakes.smtp_server import END, GREETING, SmtpServer, smtp_server

SENDER = "billing@acme.example"
ANA = "ana@souza.example"
VERBS = [GREETING, "EHLO", "MAIL", "RCPT", "DATA", END]


@dataclass(frozen=True)
class World:
    mail: Mail
    sent: Callable[[], list[Sent]]
    break_down: Callable[[], None] | None


@pytest.fixture(params=["fake", "smtp", "workspace"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        fake = FakeMail()
        yield World(fake, lambda: fake.sent, lambda: setattr(fake, "down", True))
        return
    if request.param == "workspace":
        async with Workspace() as ws:
            yield World(WorkspaceMail(ws), lambda: [Sent(m.to, m.subject, m.text) for m in ws.mailbox.of(ANA)], None)
        return
    async with smtp_server() as server:
        mail = SmtpMail(server.url, SENDER, FakeClock())
        yield World(mail, lambda: _sent(server), lambda: server.refuse.update({"MAIL": "451 later"}))


def _sent(server: SmtpServer) -> list[Sent]:
    mails = [one.message for one in server.mails]
    return [Sent(mail["To"], mail["Subject"], text_of(mail)) for mail in mails]


def text_of(mail: EmailMessage) -> str:
    """As it was before lines ended as mail's do."""
    return str(mail.get_content()).replace("\r\n", "\n").removesuffix("\n")


def smtp(server: SmtpServer, patience: float = 5.0) -> SmtpMail:
    return SmtpMail(server.url, SENDER, FakeClock(), patience=patience)


# ---- the contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text"),
    [("Your code", "123456"), ("Ваш код: 🔑", "Olá, Ação\n\n.\n..\nFrom here on\nfim"), ("x" * 200, "y" * 3000)],
)
async def test_a_mail_arrives_as_it_was_sent(world: World, subject: str, text: str) -> None:
    await world.mail.send(ANA, subject, text)
    assert world.sent() == [Sent(ANA, subject, text)]


async def test_a_mail_that_cannot_go_out_is_told(world: World) -> None:
    if world.break_down is None:
        return  # a mailbox in this process has no way to be down
    world.break_down()
    with pytest.raises(Unavailable) as caught:
        await world.mail.send(ANA, "Your code", "123456")
    assert (caught.value.edge, world.sent()) == ("mail", [])


# ---- SMTP only: what a mail is ------------------------------------------------------------------------------------


async def test_the_envelope_names_one_person_and_the_headers_say_that_a_machine_wrote() -> None:
    async with smtp_server() as server:
        await smtp(server).send(ANA, CODE_SUBJECT, CODE_TEXT.format(code="123456"))
    (mail,) = server.mails
    assert (mail.sender, mail.to) == (SENDER, [ANA])
    names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert mail.message.keys()[: len(names)] == names
    assert mail.message["From"] == SENDER
    assert mail.message["Date"].datetime == FakeClock().now()
    assert mail.message["Message-ID"] == "<mail_1@acme.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "to",
    [
        "", "ana", "@souza.example", "ana@", "ana@souza.example\r\nBcc: eve@evil.example", "ana@souza.example\n",
        "ana@souza.example, eve@evil.example", "ana@souza.example;eve@evil.example", "Ana <ana@souza.example>",
        "ana@souza.example>\r\nRCPT TO:<eve@evil.example", "ana souza@souza.example", "ana@@souza.example",
        "\"ana\"@souza.example", "ana@souza.example\x00", "ana\u2028@souza.example", "ána@souza.example",
        "ana@" + "s" * 260 + ".example",
    ],
)  # fmt: skip
async def test_what_is_not_one_address_is_refused_before_the_server_hears_of_it(to: str) -> None:
    async with smtp_server() as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(to, "Your code", "123456")
        assert server.verbs == []


@pytest.mark.parametrize(
    "subject",
    ["Code\r\nBcc: eve@evil.example", "Code\nX: y", "Code\r", "Code\x85", "Code\u2028", "Code\x00", "x" * 201,
     "=?utf-8?q?Code=0D=0ABcc:_eve@evil.example?="],
)  # fmt: skip
async def test_a_subject_cannot_bring_headers_of_its_own(subject: str) -> None:
    async with smtp_server() as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(ANA, subject, "123456")
        assert server.verbs == []


async def test_a_text_cannot_end_the_mail_and_begin_another() -> None:
    text = "hello\r\n.\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<eve@evil.example>\n.\n"
    async with smtp_server() as server:
        await smtp(server).send(ANA, "Your code", text)
    (mail,) = server.mails
    assert mail.to == [ANA]
    assert server.verbs.count("MAIL") == 1
    assert "RCPT TO:<eve@evil.example>" in mail.message.get_content()


# ---- SMTP only: servers that are unwell ---------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("answer", ["421 not today", "550 no such user ana@souza.example", "nonsense"])
async def test_a_refusal_at_any_point_means_not_sent(verb: str, answer: str) -> None:
    refuse = {verb: answer} | ({"HELO": answer} if verb == "EHLO" else {})
    async with smtp_server(SmtpServer(refuse=refuse)) as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(ANA, "Your code", "123456")
    assert server.mails == []


@pytest.mark.parametrize("verb", VERBS)
async def test_a_server_that_hangs_up_means_not_sent(verb: str) -> None:
    async with smtp_server(SmtpServer(drop=verb)) as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(ANA, "Your code", "123456")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("how", ["hang", "drip"])
async def test_a_server_that_does_not_answer_is_given_up_and_left(verb: str, how: str) -> None:
    server = SmtpServer(hang=verb) if how == "hang" else SmtpServer(drip=verb)
    async with smtp_server(server):
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable):
                await smtp(server, patience=0.3).send(ANA, "Your code", "123456")
            await server.closed.wait()  # its thread is free too


async def test_nobody_listening_means_not_sent() -> None:
    async with smtp_server() as server:
        pass
    with pytest.raises(Unavailable):
        await smtp(server).send(ANA, "Your code", "123456")


@pytest.mark.parametrize("how", [{"drop": "QUIT"}, {"hang": "QUIT"}, {"refuse": {"QUIT": "500 what"}}])
async def test_a_mail_that_was_taken_is_sent_however_the_talk_ends(how: dict[str, object]) -> None:
    async with smtp_server(SmtpServer(**how)) as server:  # type: ignore[arg-type]
        await smtp(server, patience=0.5).send(ANA, "Your code", "123456")
    assert len(server.mails) == 1


async def test_a_caller_who_gives_up_frees_the_line() -> None:
    async with smtp_server(SmtpServer(hang="MAIL")) as server:
        sending = asyncio.create_task(smtp(server, patience=60).send(ANA, "Your code", "123456"))
        async with asyncio.timeout(5):
            await server.waiting.wait()
            sending.cancel()
            await server.closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_many_at_once_all_arrive_and_the_loop_is_free_meanwhile() -> None:
    async with smtp_server() as server:
        mail = smtp(server)
        await asyncio.gather(*(mail.send(f"a{number}@souza.example", "Your code", "1") for number in range(20)))
    assert sorted(mail.to[0] for mail in server.mails) == sorted(f"a{number}@souza.example" for number in range(20))


# ---- SMTP only: TLS and login -------------------------------------------------------------------------------------


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's, that agree on TLS without a certificate: a test key in the repository would look like
    a secret."""
    both = []
    for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT):
        context = ssl.SSLContext(side)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ADH-AES128-GCM-SHA256:AECDH-AES128-SHA:@SECLEVEL=0")
        both.append(context)
    return both[0], both[1]


async def test_tls_is_used_when_it_is_offered_and_login_comes_after_it() -> None:
    ours, theirs = contexts()
    async with smtp_server(SmtpServer(tls=ours, login=("handrail", "pass word@1"))) as server:
        url = f"smtp://handrail:pass%20word%401@127.0.0.1:{server.port}"
        await SmtpMail(url, SENDER, FakeClock(), context=theirs).send(ANA, "Your code", "123456")
    (mail,) = server.mails
    assert mail.secure
    assert server.logins == [("handrail", "pass word@1")]
    assert server.verbs.index("STARTTLS") < server.verbs.index("AUTH") < server.verbs.index("MAIL")


async def test_tls_from_the_first_byte() -> None:
    ours, theirs = contexts()
    async with smtp_server(SmtpServer(tls=ours), secure=True) as server:
        url = f"smtps://127.0.0.1:{server.port}"
        await SmtpMail(url, SENDER, FakeClock(), context=theirs).send(ANA, "Your code", "123456")
    assert [mail.secure for mail in server.mails] == [True]
    assert "STARTTLS" not in server.verbs


@pytest.mark.parametrize("secure", [False, True])
async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(secure: bool) -> None:
    ours, _ = contexts()
    async with smtp_server(SmtpServer(tls=ours, login=("handrail", "secret")), secure=secure) as server:
        url = f"smtp{'s' if secure else ''}://handrail:secret@127.0.0.1:{server.port}"
        with pytest.raises(Unavailable):
            await SmtpMail(url, SENDER, FakeClock()).send(ANA, "Your code", "123456")
    assert (server.logins, server.mails) == ([], [])
    assert not {"AUTH", "MAIL"} & set(server.verbs)


async def test_tls_that_breaks_is_not_gone_on_without() -> None:
    async with smtp_server(SmtpServer(broken_tls=True)) as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(ANA, "Your code", "123456")
    assert "MAIL" not in server.verbs


async def test_a_refused_starttls_is_not_gone_on_without() -> None:
    async with smtp_server(SmtpServer(broken_tls=True, refuse={"STARTTLS": "454 not now"})) as server:
        with pytest.raises(Unavailable):
            await smtp(server).send(ANA, "Your code", "123456")
    assert "MAIL" not in server.verbs


async def test_a_server_elsewhere_must_offer_tls() -> None:
    async with smtp_server(SmtpServer(login=("handrail", "secret"))) as server:
        # A name for this machine that does not look like it: nobody can tell that it is not far away.
        elsewhere = SmtpMail(f"smtp://handrail:secret@127.1:{server.port}", SENDER, FakeClock())
        with pytest.raises(Unavailable):
            await elsewhere.send(ANA, "Your code", "123456")
        assert server.verbs[0] == "EHLO"
        assert not {"AUTH", "MAIL"} & set(server.verbs)


async def test_a_wrong_password_means_not_sent() -> None:
    async with smtp_server(SmtpServer(login=("handrail", "right one"))) as server:
        mail = SmtpMail(f"smtp://handrail:wrong-one@127.0.0.1:{server.port}", SENDER, FakeClock())
        with pytest.raises(Unavailable):
            await mail.send(ANA, "Your code", "123456")
    assert "MAIL" not in server.verbs


# ---- SMTP only: what stays unsaid ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["AUTH", "MAIL", "RCPT", "DATA", END])
async def test_nothing_of_a_mail_is_in_logs_or_errors(verb: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    subject, text = "Subject-of-it", "123456"
    refuse = {verb: f"554 {ANA} {text} hand-user secretly {subject}"}
    async with smtp_server(SmtpServer(login=("hand-user", "secretly"), refuse=refuse)) as server:
        mail = SmtpMail(f"smtp://hand-user:secretly@127.0.0.1:{server.port}", SENDER, FakeClock())
        with pytest.raises(Unavailable) as caught:
            await mail.send(ANA, subject, text)
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    said = caplog.text + repr(error) + "".join(traceback.format_exception(error)) + repr(mail)
    assert "554" in caplog.text
    for secret in (ANA, "souza", text, "hand-user", "secretly", subject):
        assert secret not in said


def test_a_server_is_shown_without_its_password() -> None:
    assert "secret" not in repr(server_of("smtp://handrail:secret@mail.acme.example:25"))


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("smtp://mail.acme.example", "mail.acme.example", 587, False),
        ("smtps://mail.acme.example", "mail.acme.example", 465, True),
        ("smtp://[::1]:2525/", "::1", 2525, False),
    ],
)
def test_a_url_names_a_server(url: str, host: str, port: int, secure: bool) -> None:
    server = server_of(url)
    assert (server.host, server.port, server.secure, server.login) == (host, port, secure, None)


@pytest.mark.parametrize(
    "url",
    [
        "", "mail.acme.example", "http://mail.acme.example", "smtp://", "smtp://:25", "smtp://host:0", "smtp://host:x1y2",
        "smtp://host:99999", "smtp://x1y2@host", "smtp://:x1y2@host", "smtp://user:x1#y2@host", "smtp://user:1/x1y2@host",
        "smtp://host?x1y2", "smtp://[::1",
    ],
)  # fmt: skip
def test_a_url_that_names_no_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        SmtpMail(url, SENDER, FakeClock())
    assert "x1" not in str(caught.value)
    assert "y2" not in str(caught.value)


@pytest.mark.parametrize("sender", ["", "Billing <billing@acme.example>", "billing@acme.example\nBcc: x@y.example"])
def test_a_sender_is_one_plain_address(sender: str) -> None:
    with pytest.raises(SettingsError):
        SmtpMail("smtp://127.0.0.1:2525", sender, FakeClock())
