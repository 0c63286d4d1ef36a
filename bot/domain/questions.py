"""How a message asks: several questions at once, a follow-up of what was said, the first piece of a burst. Pure."""

from __future__ import annotations

import re

MOST_QUESTIONS = 3
LEAST_WORDS = 3
"""Fewer words are no question of their own."""

LONGEST_FOLLOW_UP = 14
"""Words. Whoever writes more says what it is about."""

LONGEST_PIECE = 10
"""Words of a message that may be the beginning of a burst."""

_ASKING = (
    r"(?:how|what|what's|whats|when|where|wheres|where's|why|who|which|can|could|do|does|did|is|are|will|would|should|am"
    r"|was|were|has|have|may|any)"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_ALSO = re.compile(
    rf"[,;]?\s+(?:and\s+also|and|also|plus|additionally|furthermore|another\s+(?:thing|question))[,:]?\s+(?={_ASKING}\b)",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?\s*$|^(?:(?:and|also|so|hi|hello|hey|ok|okay|please|then|second(?:ly)?|first(?:ly)?|another question)[,:]?"
    r"\s+)*"
    rf"(?:{_ASKING}|i\s+(?:want|need|would\s+like|wish|'d\s+like)|we\s+(?:want|need|would\s+like)|please|tell\s+me"
    r"|send\s+me|give\s+me)\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W_][\w'’]*")

_CONNECTED = re.compile(
    r"^(?:and|but|or|so|then|also|ok(?:ay)?(?:\s+(?:and|but|so|then))?|what\s+about|how\s+about|what\s+if|even\s+if"
    r"|(?:does|do|is|are|will|would|can|could)\s+(?:it|that|this|they|those|these)|how\s+(?:long|much|many|soon|fast)"
    r"|why(?:\s+(?:not|so|is\s+that))?|when|where|how|which\s+one|until\s+when|same|only|really|not)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|it's|that|that's|this|they|them|those|these|there|one|ones|instead|then|same|also|too|otherwise"
    r"|does|afterwards|before that)\b",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"(?:\.\.\.|…|,|:|-|\b(?:and|but|because|so|about|with|the|my|a|for|to|of|is|or))\s*$", re.I)


def questions_in(text: str) -> tuple[str, ...]:
    """The questions and requests of a message, in order; none when it has fewer than two. What is told around them
    belongs to none."""
    pieces = [piece.strip(" ,;-") for sentence in _SENTENCE.split(text) for piece in _ALSO.split(sentence)]
    asked = [piece for piece in pieces if len(_WORDS.findall(piece)) >= LEAST_WORDS and _QUESTION.search(piece)]
    return tuple(asked) if 2 <= len(asked) <= MOST_QUESTIONS else ()


def may_follow_up(text: str) -> bool:
    """Whether a text leans on what was said before: short, and connected to it or pointing at it."""
    if len(_WORDS.findall(text)) > LONGEST_FOLLOW_UP:
        return False
    return bool(_CONNECTED.search(text.strip()) or _POINTING.search(text))


def may_go_on(text: str) -> bool:
    """Whether more may come at once: people write in short pieces. Asked of what could not be answered as it is."""
    return len(_WORDS.findall(text)) <= LONGEST_PIECE or _UNFINISHED.search(text) is not None
