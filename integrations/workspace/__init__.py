"""A Slack-compatible workspace on this machine, for any Bolt app: Web API, Socket Mode and a page in the browser.

    async with Workspace(WorkspaceConfig(seed=demo_seed())) as ws:
        client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)
        ...
        await ws.post("U0ANA", "C0SUPPORT", "hello")

Where its behaviour rests on documents rather than on observation, docs/workspace-limits.md says so.
"""

from integrations.workspace.config import WorkspaceConfig
from integrations.workspace.errors import (
    ApiError,
    BadSeed,
    NoSuchThing,
    NotAllowed,
    PortInUse,
    StoreUnavailable,
    WorkspaceError,
)
from integrations.workspace.mailbox import Mail, Mailbox, WorkspaceMail
from integrations.workspace.people import ClickResult, SubmitResult
from integrations.workspace.seed import App, Channel, Person, Seed, Usergroup, demo_seed
from integrations.workspace.workspace import Workspace

__all__ = [
    "ApiError",
    "App",
    "BadSeed",
    "Channel",
    "ClickResult",
    "Mail",
    "Mailbox",
    "NoSuchThing",
    "NotAllowed",
    "Person",
    "PortInUse",
    "Seed",
    "StoreUnavailable",
    "SubmitResult",
    "Usergroup",
    "Workspace",
    "WorkspaceConfig",
    "WorkspaceError",
    "WorkspaceMail",
    "demo_seed",
]
