"""The project's own files agree with each other and with the code."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "integrations", "knowledge")
TOP_LEVEL = {
    ".ci", ".env.example", ".gitignore", ".make", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "bot", "docs", "handlers", "integrations", "knowledge", "manifest.json", "pyproject.toml", "requirements-dev.lock",
    "requirements.lock", "tests",
}  # fmt: skip
LEFT_BEHIND = {".git", ".venv", ".venv.lock", ".env", ".hypothesis", "data"}
"""What .gitignore keeps out at the top, besides caches, for a copy of the tree without git."""

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))


def project_files() -> list[Path]:
    """Every file of the project: those of git and new ones, without what is ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        inside = ((path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*"))
        found = (
            path
            for path, parts in inside
            if parts[0] not in LEFT_BEHIND
            and not any(part.endswith("cache") or part == "__pycache__" for part in parts)
        )
    else:
        found = (ROOT / name for name in listed.split("\0") if name)
    return sorted(path for path in found if path.is_file())


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the four packages, by name."""
    for path in project_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if path.suffix == ".py" and parts[0] in PACKAGES:
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


# ---- layers ----------------------------------------------------------------------------------------------------


def _layers() -> set[str]:
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {name.strip(" ()") for layer in layers for name in re.split(r"[:|]", layer)}


def test_every_module_is_in_a_layer() -> None:
    layers = _layers()
    migrations = "bot.storage.migrations"  # no package: Alembic loads its files by path
    outside = [
        name
        for name, _ in modules()
        if name != "bot"
        and not name.startswith(migrations)
        and not any(name == layer or name.startswith(f"{layer}.") for layer in layers)
    ]
    assert outside == []


def test_libraries_of_later_releases_are_imported_nowhere() -> None:
    """docs/decisions/0002: until they are used they cost nobody an import."""
    later = {"langchain", "langchain_core", "langchain_openai", "openai"}
    assert [(name, used) for name, path in modules() if (used := _imports(path) & later)] == []


def test_stripe_is_known_to_its_adapter_alone() -> None:
    known = {name for name, path in modules() if "stripe" in _imports(path)}
    assert {name.rpartition(".")[0] for name in known} == {"integrations.stripe"}


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    taken = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in (*named, *taken)}


# ---- settings --------------------------------------------------------------------------------------------------


def test_env_example_and_settings_name_the_same_settings() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {name.upper() for name in Settings.model_fields}


def test_env_example_explains_each_setting() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    unexplained = [
        line for before, line in itertools.pairwise(lines) if "=" in line[:30] and line[0] != "#" and before[:2] != "# "
    ]
    assert unexplained == []


def test_env_example_as_it_is_changes_nothing() -> None:
    assert load_settings(env_file=str(ROOT / ".env.example")) == load_settings(env_file=None)


# ---- Slack's manifest ------------------------------------------------------------------------------------------

HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}
LISTING = {"channels:read", "groups:read", "im:read", "mpim:read"}
SCOPES_OF_CALLS: dict[str, set[str]] = {
    "api_test": set(),
    "apps_connections_open": set(),  # of the app-level token
    "assistant_threads_setStatus": {"chat:write"},
    "auth_test": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": HISTORY,
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": HISTORY,
    "reactions_add": {"reactions:write"},
    "usergroups_users_list": {"usergroups:read"},
    "users_conversations": LISTING,
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
SCOPES_OF_EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
}
SCOPES_OF_FEATURES = {"assistant:write"}
"""Slack asks for it with `features.agent_view`."""


def _calls() -> set[str]:
    """The Web API methods that our code calls."""
    known = {name for name in vars(AsyncWebClient) if re.fullmatch(r"[a-z]+_\w+", name)}
    return {
        node.attr
        for name, path in modules()
        if name.startswith(("bot", "handlers")) and not name.startswith("bot.measure")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in known
    }


def test_manifest_asks_for_exactly_the_scopes_that_are_needed() -> None:
    assert _calls() <= SCOPES_OF_CALLS.keys(), "write the new call's scopes down here and in docs/slack-scopes.md"
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    of_calls = set().union(*(SCOPES_OF_CALLS[call] for call in _calls()))
    of_events = set().union(*(SCOPES_OF_EVENTS[event] for event in events))
    asked = MANIFEST["oauth_config"]["scopes"]["bot"]
    assert sorted(asked) == asked
    assert set(asked) == of_calls | of_events | SCOPES_OF_FEATURES


def test_scope_table_and_manifest_agree() -> None:
    table = (ROOT / "docs" / "slack-scopes.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z_.:]+)` \|", table, re.MULTILINE)
    assert explained == MANIFEST["oauth_config"]["scopes"]["bot"]
    cells = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in cells)


def test_manifest_keeps_slacks_limits() -> None:
    """The limits are those of slackapi/manifest-schema, 2.0.0."""
    shown, agent = MANIFEST["display_information"], MANIFEST["features"]["agent_view"]
    assert MANIFEST["_metadata"]["major_version"] == 2
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    assert len(agent["agent_description"]) <= 300
    assert 1 <= len(agent["suggested_prompts"]) <= 4
    assert all(prompt.keys() == {"title", "message"} for prompt in agent["suggested_prompts"])
    assert "assistant_view" not in MANIFEST["features"]


def test_manifest_is_of_a_socket_mode_bot_that_people_can_write_to() -> None:
    settings, home = MANIFEST["settings"], MANIFEST["features"]["app_home"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"]["is_enabled"] is True
    assert set(settings["event_subscriptions"]["bot_events"]) == SCOPES_OF_EVENTS.keys()
    assert (home["home_tab_enabled"], home["messages_tab_enabled"]) == (True, True)
    assert home["messages_tab_read_only_enabled"] is False
    assert MANIFEST["features"]["bot_user"]["display_name"] == "Handrail"


# ---- lock files ------------------------------------------------------------------------------------------------

TEST_TOOLS = {"hypothesis", "import-linter", "mypy", "playwright", "pytest", "ruff"}


def _pins(lock: str) -> dict[str, set[str]]:
    """By package: its pinned versions, each with the marker that it is for."""
    pins: dict[str, set[str]] = {}
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        requirement, _, hashes = line.partition("--hash=sha256:")
        pin = re.fullmatch(r"([a-z0-9-]+)==(\S+)( ; .+)?", requirement.strip())
        assert pin, f"{lock}: {line[:80]}"
        assert re.match(r"[0-9a-f]{64}\b", hashes), f"{lock}: {pin[1]} has no hash"
        pins.setdefault(pin[1], set()).add(f"{pin[2]}{pin[3] or ''}")
    return pins


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ]", one)[0].lower().replace("_", "-") for one in requirements}


def test_every_requirement_is_locked_with_hashes() -> None:
    run, dev = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert _names(PYPROJECT["project"]["dependencies"]) <= run.keys()
    assert _names(PYPROJECT["dependency-groups"]["dev"]) <= dev.keys()


def test_both_locks_hold_the_same_versions() -> None:
    run, dev = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


def test_the_run_lock_holds_no_test_tools() -> None:
    assert not _pins("requirements.lock").keys() & TEST_TOOLS


# ---- files -----------------------------------------------------------------------------------------------------


def test_gitignore_leaves_the_programs_own_data_alone() -> None:
    assert ROOT / "knowledge" / "data" / "tokenizer.json" in project_files()


def test_nothing_strange_lies_at_the_top() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in project_files()} == TOP_LEVEL


REGISTRIES = ("pypi" + ".org", "python" + "hosted", "npmjs" + ".", "debian" + ".org", "proxy.golang" + ".org")
PLACES = re.compile(
    "/" + r"(?:root|home/[a-z]\w*|Users/[A-Z]\w*|work)" + r"/(?!\.\.)[\w.]|/opt/" + "wheels|[.]" + "pyenv"
)


def test_no_file_names_a_registry_or_a_place_on_this_machine() -> None:
    """A lock with an address in it, or a path of somebody's machine, works only there."""
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        named = [registry for registry in REGISTRIES if registry in text]
        found += [f"{path.relative_to(ROOT)}: {what}" for what in (*named, *PLACES.findall(text))]
    assert found == []


def test_the_licence_is_apache_2() -> None:
    """The text of apache.org/licenses/LICENSE-2.0.txt, whole."""
    canonical = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == canonical
    assert PYPROJECT["project"]["license"] == "Apache-2.0"


def _documents() -> list[Path]:
    """Markdown of ours; articles are read by `knowledge.loader`."""
    return [path for path in project_files() if path.suffix == ".md" and "articles" not in path.parts]


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    dead = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        name, _, heading = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (heading and heading not in _anchors(path)):
            dead.append(target)
    assert dead == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_listed_and_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    decisions = sorted(folder.glob("[0-9]*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Decision", "Reason", "What it costs"], path.name
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert f"({path.name})" in index


def test_make_targets_that_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in _documents()
        for target in re.findall(r"(?:^|`)make ([a-z]+(?:-[a-z]+)?)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named <= targets
    assert {"demo", "test", "check", "bench", "eval", "chaos"} <= targets


@pytest.mark.parametrize("script", [".ci/run", ".make/venv.sh"])
def test_scripts_are_valid_shell(script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"
    subprocess.run([shell, "-n", str(ROOT / script)], check=True, timeout=20)
