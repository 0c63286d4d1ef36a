"""The buttons that Handrail shows, by action id. Slack wants them unique within a message, hence the suffixes."""

from __future__ import annotations

HELPED = "answer.helped"
NOT_HELPED = "answer.not_helped"
SPECIALIST = "answer.specialist"
CHOOSE = "answer.choose:"
"""Followed by an article's id, which is the button's value too."""
SOMETHING_ELSE = "answer.else"
ASK_BOT = "offer.ask_bot"
NOT_NOW = "offer.not_now"
REPLY = "handoff.reply"
"""Opens a modal, so it is answered at once; its value is a handoff's id."""
DONE = "handoff.done"
HOME_ASK = "home.ask:"

MODAL_OPENERS = frozenset({REPLY})
REPLY_VIEW = "handoff.reply"
"""The reply modal's callback id."""
