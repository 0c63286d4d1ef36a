"""Identifiers and secrets, shaped as Slack's."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_uppercase + string.digits


def slack_id(prefix: str) -> str:
    """A new id such as ``D7Q2…``: the prefix and ten random uppercase characters."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(10))


def token(prefix: str) -> str:
    """A secret such as ``xoxb-local-…``, 128 bits."""
    return f"{prefix}-local-{secrets.token_hex(16)}"


def ticket() -> str:
    """An unguessable one-time string."""
    return secrets.token_urlsafe(24)


def short() -> str:
    """Eight lowercase hex characters: block ids, hashes."""
    return secrets.token_hex(4)
