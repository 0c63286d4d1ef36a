"""What people say to each other through us, and small lines for specialists."""

from __future__ import annotations

from bot.domain.replies import Note, Relay
from handlers.blocks.elements import MAX_FALLBACK, MAX_SECTION, Block, Message, context, literal, mrkdwn, plain, section
from handlers.blocks.text import escaped, mention, one_line, pieces, width

MAX_PIECES = 3
MAX_NAME = 80
MAX_SMALL = 150
"""Units of a note that is shown small."""
CUT = "The message is longer than Slack lets us show. Its end is left out here."


def relay_message(relay: Relay) -> Message:
    """Somebody's words under their name: plain text, so that nothing in it is markup."""
    name = escaped(one_line(relay.name), MAX_NAME)
    blocks = [context(mrkdwn(f"*{name}* wrote:")), *_words(relay.text)]
    return Message(f"{name}: {escaped(relay.text, MAX_FALLBACK - 1000)}", tuple(blocks))


def note_message(note: Note) -> Message:
    """A small line; larger when it passes on many words."""
    short = width(note.text) <= MAX_SMALL
    blocks = [context(plain(note.text))] if short else _words(note.text)
    if note.about is not None:
        blocks.insert(0, context(mrkdwn(f"About {mention(note.about)}")))
    return Message(escaped(note.text, MAX_FALLBACK - 1000), tuple(blocks))


def _words(text: str) -> list[Block]:
    texts, cut = pieces(text, MAX_SECTION, MAX_PIECES)
    blocks = [section(literal(one)) for one in texts]
    return [*blocks, context(plain(CUT))] if cut else blocks
