"""The command line: `python -m bot COMMAND`. `--help` of each command says what it does."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.errors import UsageError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status: 0 well, 1 not as it should be, 2 something to be mended."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows "?" instead of failing
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except UsageError as error:
        from bot.domain.redaction import redacted

        print(f"handrail: {redacted(str(error))}", file=sys.stderr)  # it may quote a token in the wrong setting
        return 2
    except ImportError as error:
        print(f"handrail: {error.name} cannot be imported. Delete .venv and run `make` again.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # the command line, one of the three places: a traceback helps no user
        import logging

        logging.getLogger("bot").debug("the command failed", exc_info=error)
        print(
            f"handrail: this is a fault of ours ({type(error).__name__}). Again with LOG_LEVEL=DEBUG it says more.",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Handrail, a payment-support bot for Slack.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="a local Slack workspace in the browser, with the bot in it")
    demo.add_argument("--tour", action="store_true", help="play a scripted conversation here instead, then exit")
    demo.add_argument("--port", type=int, default=None, help="of the workspace's page (default 8765)")
    demo.add_argument("--no-browser", action="store_true", help="print the address only, open no window")
    demo.add_argument("--data-dir", type=Path, default=None, help="where the demo keeps its data (default data/demo)")
    demo.set_defaults(command=_demo)

    run = commands.add_parser("run", help="the bot in your Slack workspace, by the settings of the environment")
    run.set_defaults(command=_run)

    ask = commands.add_parser("ask", help="questions from standard input, one a line, answered without side effects")
    ask.add_argument("--json", action="store_true", help="one JSON object a line")
    ask.set_defaults(command=_ask)

    doctor = commands.add_parser("doctor", help="each setting and dependency: what is there, what is missing")
    doctor.set_defaults(command=_doctor)

    bench = commands.add_parser("bench", help="latency, throughput, CPU and memory: figures and ratios of one run")
    bench.add_argument("--json", action="store_true", help="as JSON")
    bench.set_defaults(command=_bench)

    evaluation = commands.add_parser("eval", help="how well questions are answered: figures, and which ones go wrong")
    evaluation.add_argument("--questions", type=Path, metavar="FILE", help="ask these instead of the project's own set")
    evaluation.add_argument("--banking77", type=Path, metavar="FILE", help="where Banking77's train.csv is")
    evaluation.add_argument("--json", action="store_true", help="as JSON")
    evaluation.set_defaults(command=_eval)

    chaos = commands.add_parser("chaos", help="faults and kills against a real bot process; then hostile callers")
    chaos.add_argument("--events", type=int, default=2000)
    chaos.add_argument("--kills", type=int, default=20)
    chaos.add_argument("--seed", type=int, default=1)
    chaos.add_argument("--questions", type=int, default=10_000, help="of hostile callers, through the service; 0: none")
    chaos.add_argument("--slack", type=int, default=200, help="of hostile callers, through Slack")
    chaos.set_defaults(command=_chaos)

    knowledge = commands.add_parser("knowledge", help="check, import, export and explain articles")
    actions = knowledge.add_subparsers(required=True, metavar="ACTION")
    for name, explained in (
        ("check", "say what is wrong with a folder of articles"),
        ("import", "publish a folder of articles"),
        ("export", "write the published articles into a folder"),
    ):
        action = actions.add_parser(name, help=explained)
        action.add_argument("folder", type=Path, nargs="?" if name == "check" else None)
        action.set_defaults(command=_knowledge, action=name)
    explain = actions.add_parser("explain", help="why a question is answered as it is")
    explain.add_argument("question", help="in quotes, as a customer would write it")
    explain.set_defaults(command=_explain)

    audit = commands.add_parser("audit", help="the log of who looked at whose money: verify it, export it")
    ways = audit.add_subparsers(required=True, metavar="ACTION")
    verify = ways.add_parser("verify", help="whether a row was altered, taken out or moved")
    verify.set_defaults(command=_verify)
    export = ways.add_parser("export", help="all rows as CSV, to standard output")
    export.add_argument("--json", action="store_true", help="one JSON object a line instead")
    export.set_defaults(command=_export)
    return parser


def _logging(level: str) -> None:
    from bot.telemetry import adopt, configure_logging

    configure_logging(level, stream=sys.stderr)
    adopt("dbos")


def _logging_unless_debug(level: str) -> None:
    """For commands whose output is a report: other levels than DEBUG are not asked for."""
    _logging("DEBUG" if os.environ.get("LOG_LEVEL") == "DEBUG" else level)


def _say(line: str) -> None:
    print(line, flush=True)


def _demo(options: argparse.Namespace) -> int:
    from bot import demo

    demo.require_no_live_keys(os.environ)
    level = os.environ.get("LOG_LEVEL")
    _logging(
        level if level in ("DEBUG", "INFO", "WARNING", "ERROR") else "WARNING"
    )  # a wrong one is told with the rest
    if options.tour:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="handrail-tour-") as folder:
            return 0 if asyncio.run(demo.tour(options.data_dir or Path(folder), _say)) else 1
    port = demo.DEFAULT_PORT if options.port is None else options.port
    asyncio.run(demo.stay(options.data_dir or Path("data/demo"), port, _say, browser=not options.no_browser))
    return 0


def _run(_: argparse.Namespace) -> int:
    from bot.app import running
    from bot.settings import load_settings
    from bot.telemetry import register_secret

    settings = load_settings()
    _logging(settings.log_level)
    for secret in settings.secrets():
        register_secret(secret)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with running(settings):
            _say("Handrail is connected. Stop with Ctrl-C.")
            await stop.wait()

    asyncio.run(until_stopped())
    return 0


def _ask(options: argparse.Namespace) -> int:
    from bot.ask import answer_lines
    from bot.settings import load_settings

    if sys.stdin is None:
        raise UsageError("There is no standard input to read questions from.")
    settings = load_settings()
    _logging("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return asyncio.run(answer_lines(settings, sys.stdin.buffer, sys.stdout, as_json=options.json))


def _doctor(_: argparse.Namespace) -> int:
    from bot.doctor import examine

    _logging_unless_debug("ERROR")
    return asyncio.run(examine(_say))


def _bench(options: argparse.Namespace) -> int:
    from bot.measure.bench import bench

    _logging_unless_debug("ERROR")
    return bench(_say, as_json=options.json)


def _eval(options: argparse.Namespace) -> int:
    from bot.measure.evaluate import evaluate
    from bot.settings import load_settings

    settings = load_settings()
    _logging_unless_debug("WARNING")
    files = {"questions": options.questions, "banking77": options.banking77}
    return asyncio.run(evaluate(settings, _say, **files, as_json=options.json))


def _chaos(options: argparse.Namespace) -> int:
    from bot.measure.chaos import chaos

    _logging_unless_debug("WARNING")
    return chaos(
        _say,
        events=options.events,
        kills=options.kills,
        seed=options.seed,
        questions=options.questions,
        slack=options.slack,
    )


def _knowledge(options: argparse.Namespace) -> int:
    from bot import articles
    from bot.settings import load_settings

    if options.action == "check":
        return articles.check(options.folder, _say)
    settings = load_settings()
    _logging_unless_debug("WARNING")
    work = articles.publish if options.action == "import" else articles.export
    return asyncio.run(work(settings, options.folder, _say))


def _explain(options: argparse.Namespace) -> int:
    from bot.articles import explain
    from bot.settings import load_settings

    settings = load_settings()
    _logging_unless_debug("WARNING")
    return asyncio.run(explain(settings, options.question, _say))


def _verify(_: argparse.Namespace) -> int:
    from bot import audit
    from bot.settings import load_settings

    settings = load_settings()
    _logging_unless_debug("WARNING")
    return asyncio.run(audit.verify(settings, _say))


def _export(options: argparse.Namespace) -> int:
    from bot import audit
    from bot.settings import load_settings

    settings = load_settings()
    _logging_unless_debug("WARNING")
    return asyncio.run(audit.export(settings, sys.stdout, as_json=options.json))


if __name__ == "__main__":
    sys.exit(main())
