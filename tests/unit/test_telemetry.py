"""Nothing that must not be kept reaches the log, whoever writes it and however."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot import telemetry

CARD = "4242 4242 4242 4242"
TOKEN = "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOp"
RAW = re.compile(r"4242|AbCdEfGh")


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a configured process prints. Restores logging, the hooks, secrets and counters."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(telemetry, "_secrets", set())
    monkeypatch.setattr(telemetry, "_secret_pattern", None)
    monkeypatch.setattr(telemetry, "_counters", {})
    output = io.StringIO()
    telemetry.configure_logging("DEBUG", stream=output)
    yield output
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("some.library")


class Holder:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Holder({self.text})"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(CARD)

    __repr__ = __str__


@pytest.mark.parametrize("raw", [CARD, TOKEN])
def test_no_part_of_a_record_carries_what_must_not_be_kept(stream: io.StringIO, log: logging.Logger, raw: str) -> None:
    log.debug(raw)
    log.info("body: %s", raw)
    log.info("body: %r", {"text": raw, "deep": [Holder(raw)]})
    log.info("body: %s", raw.encode())
    log.info("body: %(text)s", {"text": raw})
    log.warning(Holder(raw))
    log.error("with stack", stack_info=True, extra={"body": raw})
    assert "some.library" in stream.getvalue()
    assert "removed]" in stream.getvalue()
    assert not RAW.search(stream.getvalue())


@pytest.mark.parametrize("raw", [CARD, TOKEN])
def test_exceptions_are_redacted_with_causes_contexts_groups_and_notes(
    stream: io.StringIO, log: logging.Logger, raw: str
) -> None:
    try:
        try:
            try:
                {}[raw]
            except KeyError as error:
                raise ValueError(f"inner {raw}") from error
        except ValueError as error:
            error.add_note(f"note {raw}")
            raise ExceptionGroup(f"group {raw}", [error, OSError(raw)]) from None
    except ExceptionGroup:
        log.exception("it failed for %s", raw)
    output = stream.getvalue()
    assert "ExceptionGroup" in output
    assert "inner [" in output
    assert not RAW.search(output)


def test_a_card_split_by_formatting_is_found_in_the_whole_message(stream: io.StringIO, log: logging.Logger) -> None:
    log.info("%s %s", "4242 4242", "4242 4242")
    log.info("%d", 4242424242424242)
    assert stream.getvalue().count("[card number removed]") == 2


def test_extra_attributes_and_arguments_are_cleaned_for_every_later_handler(stream: io.StringIO) -> None:
    record = logging.makeLogRecord({"msg": "x %s", "args": (CARD,), "body": CARD, "number": 4242424242424242, "n": 7})
    record.message = f"formatted before: {CARD}"
    record.things = [Holder(CARD)]
    assert telemetry.RedactingFilter().filter(record)
    assert not RAW.search(repr(vars(record)))
    assert vars(record)["n"] == 7
    assert record.args == ()


def test_exception_text_formatted_by_an_earlier_handler_is_replaced(stream: io.StringIO) -> None:
    record = logging.makeLogRecord({"msg": "x", "exc_text": f"Traceback: {CARD}"})
    telemetry.RedactingFilter().filter(record)
    assert record.exc_text == "Traceback: [card number removed]"


@pytest.mark.parametrize("arguments", [(Broken(),), (CARD, CARD, CARD)])
def test_a_record_that_cannot_be_redacted_is_withheld_and_its_logger_named(
    stream: io.StringIO, log: logging.Logger, arguments: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("%s", *arguments, extra={"body": CARD})
    assert "a record of some.library could not be redacted and is withheld" in stream.getvalue()
    assert not RAW.search(stream.getvalue() + "".join(capsys.readouterr()))


def test_extra_that_cannot_be_shown_withholds_the_record(stream: io.StringIO, log: logging.Logger) -> None:
    log.info("fine", extra={"body": Broken()})
    assert "withheld" in stream.getvalue()


def test_when_the_stream_fails_the_standard_complaint_carries_nothing_raw(
    stream: io.StringIO, log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.configure_logging("DEBUG", stream=(closed := io.StringIO()))
    closed.close()
    log.info("body %s", CARD)
    assert "Logging error" in (complaint := capsys.readouterr().err)
    assert "[card number removed]" in complaint


@pytest.mark.parametrize("secret", ["pa55/w+rd=with&odd?", "plain-password", "ünï-cødé-secret", "quote\"'and\\slash"])
def test_registered_secrets_are_masked_in_every_writing(stream: io.StringIO, log: logging.Logger, secret: str) -> None:
    import json
    from urllib.parse import quote, urlencode

    telemetry.register_secret(secret)
    for text in (
        secret,
        f"https://h.example/{quote(secret, safe='')}/x",
        urlencode({"t": secret}),
        json.dumps([secret]),
    ):
        log.info("%s", text)
    log.info("%r", [secret])
    assert stream.getvalue().count(telemetry.MASK) == 5
    assert secret not in stream.getvalue()


def test_of_two_secrets_the_longer_is_masked_whole(stream: io.StringIO, log: logging.Logger) -> None:
    telemetry.register_secret("secret-one")
    telemetry.register_secret("secret-one-and-more")
    log.info("secret-one-and-more")
    assert stream.getvalue().rstrip().endswith(f"] {telemetry.MASK}")


def test_values_too_short_to_be_secrets_are_not_masked(stream: io.StringIO, log: logging.Logger) -> None:
    telemetry.register_secret("")
    telemetry.register_secret("the")
    log.info("the end")
    assert "the end" in stream.getvalue()


def test_each_line_has_time_level_logger_and_trace_id(stream: io.StringIO, log: logging.Logger) -> None:
    token = telemetry.trace_id.set("turn:7")
    log.warning("hello")
    telemetry.trace_id.reset(token)
    log.warning("hello")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING some\.library \[turn:7\] hello", first)
    assert second.endswith("[-] hello")


def test_a_message_of_several_lines_cannot_pose_as_a_record(stream: io.StringIO, log: logging.Logger) -> None:
    log.info("one\n2026-01-01T00:00:00.000Z ERROR root [-] forged\r\nmore\u2028and more")
    assert [line.startswith("    ") for line in stream.getvalue().splitlines()] == [False, True, True, True]


def test_configuring_twice_leaves_one_handler(stream: io.StringIO, log: logging.Logger) -> None:
    telemetry.configure_logging("info", stream=stream)
    log.debug("not this")
    log.info("this")
    assert len(logging.getLogger().handlers) == 1
    assert len(stream.getvalue().splitlines()) == 1


def test_uncaught_exceptions_are_logged_redacted_and_not_printed(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = threading.Thread(target=lambda: int(CARD))
    thread.start()
    thread.join()
    error = ValueError(TOKEN)
    sys.excepthook(ValueError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stream.getvalue().count("uncaught exception") == 2
    assert not RAW.search(stream.getvalue() + "".join(capsys.readouterr()))


def test_an_adopted_logger_writes_through_our_handler_only(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    library = logging.getLogger("library.with.own.handler")
    library.addHandler(logging.StreamHandler(sys.stderr))
    library.propagate = False
    telemetry.adopt("library.with.own.handler")
    library.warning(CARD)
    assert "[card number removed]" in stream.getvalue()
    assert capsys.readouterr().err == ""


def test_dbos_stays_adopted_when_it_sets_up_its_logger_again(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    from dbos._logger import dbos_logger, init_logger

    before = list(dbos_logger.handlers), dbos_logger.propagate
    try:
        init_logger()
        telemetry.adopt("dbos")
        init_logger()
        dbos_logger.warning("workflow failed: %s", CARD)
    finally:
        dbos_logger.handlers[:], dbos_logger.propagate = before
    assert "[card number removed]" in stream.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["slack_bolt", "slack_sdk", "alembic", "chromadb", "aiohttp", "stripe", "openai"])
def test_the_other_libraries_propagate_and_print_nothing_themselves(name: str) -> None:
    __import__(name)
    names = [name, *(other for other in logging.Logger.manager.loggerDict if other.startswith(f"{name}."))]
    for logger in map(logging.getLogger, names):
        assert logger.propagate
        assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers)


def test_counters_count_by_name_and_labels_from_many_threads(stream: io.StringIO) -> None:
    def work(_: int) -> None:
        for _ in range(200):
            telemetry.count("posts", outcome="ok", kind="reply")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    telemetry.count("posts", kind="reply", outcome="failed")
    telemetry.count("starts")
    assert telemetry.counters() == {
        ("posts", (("kind", "reply"), ("outcome", "ok"))): 800,
        ("posts", (("kind", "reply"), ("outcome", "failed"))): 1,
        ("starts", ()): 1,
    }
