"""Names that Slack sends back to us: action ids, callback ids, block ids. Never renamed: old messages keep them.

What a click means is the domain's (`bot.domain.buttons`); these are the same names by where they are shown.
"""

from __future__ import annotations

from typing import Final

from bot.domain import buttons

ANSWER_HELPED: Final = buttons.HELPED
ANSWER_NOT_HELPED: Final = buttons.NOT_HELPED
ANSWER_SPECIALIST: Final = buttons.SPECIALIST
ANSWER_CHOOSE: Final = buttons.CHOOSE
"""Followed by an article's id, which is the button's value too."""
ANSWER_ELSE: Final = buttons.SOMETHING_ELSE

OFFER_ASK_BOT: Final = buttons.ASK_BOT
OFFER_NOT_NOW: Final = buttons.NOT_NOW

HANDOFF_REPLY: Final = buttons.REPLY
"""A card's button. Its value is the handoff's id."""
HANDOFF_DONE: Final = buttons.DONE
HANDOFF_REPLY_VIEW: Final = buttons.REPLY_VIEW
"""The callback id of the modal that it opens."""

HOME_UNLINK: Final = buttons.HOME_UNLINK
"""Followed by a link's id."""
HOME_ASK: Final = buttons.HOME_ASK
"""Followed by an article's id, which is the button's value too."""

REPLY_BLOCK: Final = "reply"
REPLY_ACTION: Final = "text"
"""Where the reply modal's state keeps what was written: `values[REPLY_BLOCK][REPLY_ACTION]["value"]`."""

LOOKUP_PICK: Final = buttons.PICK
"""A select, followed by the id of the article whose look-up it is for."""
LOOKUP_PROVE: Final = buttons.PROVE
HANDOFF_LINK: Final = buttons.LINK
NEWS_TELL: Final = buttons.NEWS
NEWS_STOP: Final = buttons.NEWS_STOP
NEWS_ARRIVED: Final = buttons.ARRIVED
NEWS_NOT_ARRIVED: Final = buttons.NOT_ARRIVED
"""The value of the last four is a refund's id."""
