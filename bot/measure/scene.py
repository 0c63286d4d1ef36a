"""The workspace that measurements run in: Acme with a crowd of customers, and the bot's environment for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from integrations.workspace import Person, Workspace, WorkspaceConfig, demo_seed

GENERAL, SUPPORT, DESK = "C0GENERAL", "C0SUPPORT", "G0DESK"


def crowd(count: int) -> tuple[Person, ...]:
    """Customers like Ana."""
    ana = next(person for person in demo_seed().people if person.id == "U0ANA")
    return tuple(
        replace(ana, id=f"U1CUST{n:03}", name=f"cust{n}", real_name=f"Customer {n}", email=f"c{n}@example.com")
        for n in range(count)
    )


def workspace(people: tuple[Person, ...], *, redelivery: tuple[float, ...] = (0, 60, 300), seed: int = 0) -> Workspace:
    """A workspace in memory; the crowd is in #general."""
    acme = demo_seed()
    ids = tuple(person.id for person in people)
    channels = tuple(
        replace(channel, members=(*channel.members, *ids)) if channel.id == GENERAL else channel
        for channel in acme.channels
    )
    known = replace(acme, people=(*acme.people, *people), channels=channels)
    return Workspace(WorkspaceConfig(seed=known, redelivery=redelivery, random_seed=seed))


def bot_environment(ws: Workspace, data_dir: Path, database_url: str | None, executor: str) -> dict[str, str]:
    """Settings of the real bot in this workspace."""
    environment = {
        "SLACK_BOT_TOKEN": ws.bot_token,
        "SLACK_APP_TOKEN": ws.app_token,
        "SLACK_API_URL": ws.api_url,
        "SPECIALIST_CHANNEL": DESK,
        "SPECIALIST_GROUP": "S0SPECIAL",
        "ADMIN_USERS": "U0ADA",
        "DATA_DIR": str(data_dir),
        "EXECUTOR_ID": executor,
        "LOG_LEVEL": "INFO",
    }
    return environment | ({"DATABASE_URL": database_url} if database_url else {})
