"""Text as Slack stores it: escapes, mentions, links, and the rich_text block that a person's message carries."""

from __future__ import annotations

import re
from typing import Any

from integrations.workspace.storage.directory import Directory

_ENTITY = re.compile(r"<([@#!]?)([^<>|\n]+)(?:\|([^<>\n]*))?>")
_URL = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"]")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?![\w-])")


def escape(text: str) -> str:
    """Slack's three escapes, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def from_typed(text: str, directory: Directory) -> str:
    """What Slack's client sends for what a person typed: escaped, with ``@Name``, ``#channel``, links and addresses
    turned into ``<…>`` entities."""
    names: dict[str, str] = {"@here": "<!here>", "@channel": "<!channel>", "@everyone": "<!everyone>"}
    for person in directory.people.values():
        for name in (person.name, person.real_name):
            names["@" + escape(name).lower()] = f"<@{person.id}>"
    for group in directory.usergroups.values():
        names["@" + group.handle.lower()] = f"<!subteam^{group.id}>"
    for channel in directory.channels.values():
        if channel.kind == "public" and channel.name:
            names["#" + channel.name.lower()] = f"<#{channel.id}|{channel.name}>"
    longest_first = sorted((re.escape(name) for name in names), key=len, reverse=True)
    mention = re.compile(r"(?<![\w@#])(?:" + "|".join(longest_first) + r")(?!\w)", re.IGNORECASE)
    pattern = re.compile(f"(?P<url>{_URL.pattern})|(?P<mail>{_EMAIL.pattern})|(?P<name>{mention.pattern})", re.I)

    def entity(match: re.Match[str]) -> str:
        if match["url"]:
            return f"<{match['url']}>"
        if match["mail"]:
            return f"<mailto:{match['mail']}|{match['mail']}>"
        return names[match["name"].lower()]

    return pattern.sub(entity, escape(text))


def rich_text_block(text: str, block_id: str) -> dict[str, Any]:
    """The ``rich_text`` block that Slack's client sends beside the text of a person's message.

    Apps receive the words twice for this reason: code that cleans only ``text`` has not cleaned the message.
    """
    elements: list[dict[str, Any]] = []
    end = 0
    for match in _ENTITY.finditer(text):
        if match.start() > end:
            elements.append({"type": "text", "text": unescape(text[end : match.start()])})
        elements.append(_element(match[1], match[2], match[3]))
        end = match.end()
    if end < len(text):
        elements.append({"type": "text", "text": unescape(text[end:])})
    return {
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


def _element(sign: str, target: str, label: str | None) -> dict[str, Any]:
    if sign == "@":
        return {"type": "user", "user_id": target}
    if sign == "#":
        return {"type": "channel", "channel_id": target}
    if sign == "!" and target.startswith("subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("subteam^")}
    if sign == "!":
        return {"type": "broadcast", "range": target}
    link = {"type": "link", "url": unescape(target)}
    return {**link, "text": unescape(label)} if label else link
