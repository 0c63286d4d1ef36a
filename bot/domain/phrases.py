"""What people say that is decided by its words alone: small talk, wanting a person, distress, legal threats."""

from __future__ import annotations

import re
from enum import StrEnum


class Talk(StrEnum):
    """Small talk: what people say that is not a question."""

    GREETING = "greeting"
    WHO = "who are you"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    EMPTY = "empty"

    @property
    def opens(self) -> bool:
        """Whether people who say it mostly go on."""
        return self is Talk.GREETING


_PUNCTUATION = re.compile(r"[^\w\s']+", re.UNICODE)
_SMALL_TALK: tuple[tuple[Talk, re.Pattern[str]], ...] = (
    (
        Talk.GREETING,
        re.compile(
            r"(hi|hey|hello|hiya|howdy|yo|greetings|good (morning|afternoon|evening|day))"
            r"( (there|all|everyone|team|bot|handrail|again|folks))*( how are you| how is it going| how's it going)?"
        ),
    ),
    (
        Talk.WHO,
        re.compile(
            r"(hi |hey |hello )?(so )?(who are you|what are you|what can you do|what do you do|help"
            r"|how can you help( me)?"
            r"|are you (a |an )?(bot|robot|ai|machine|human|person|real|real person|a real person|chatgpt|gpt))"
            r"( handrail| please| really)?"
        ),
    ),
    (
        Talk.THANKS,
        re.compile(
            r"(ok |okay |great |perfect |super |awesome |cool |oh |ah |got it |alright )*"
            r"(thanks|thank you|thankyou|thx|ty|cheers|many thanks|much appreciated|appreciate it)"
            r"( (so much|very much|a lot|a bunch|again|for (your|the) help|that helps|that helped|bot|handrail|team))*"
            r"|(ok|okay|oh|ah|got it|great|perfect|cool|nice|that helps|that helped|all good|all clear|sounds good)"
            r"( (ok|okay|got it|great|perfect|cool|nice|that helps|that helped|all good|all clear|sounds good"
            r"|thanks|thx))*"
        ),
    ),
    (
        Talk.GOODBYE,
        re.compile(r"(bye|goodbye|bye bye|see you|see ya|have a (good|nice|great) (day|one|evening|weekend))"),
    ),
)
_ONE = "a|an|the|your|some|any|another|real|live|actual|proper|human"
_WHOM = rf"(?:(?:{_ONE})\s+)*"
_HELPER = r"(?:human|person|specialist|representative|rep|operator|manager|supervisor|agent)"
_ANYBODY = rf"(?:{_HELPER}|people|staff|someone|somebody|anyone|anybody)"
_PERSON = re.compile(
    rf"""
    \b(?:talk|talking|speak|speaking|chat)\s+(?:\w+\s+){{0,3}}?(?:to|with)\s+{_WHOM}{_ANYBODY}\b
    | \b(?:connect|connected|put|pass|transfer|transferred|escalate|hand|forward|switch)\s+
      (?:(?:me|us|this|it|over|through|on|up)\s+)*(?:to|with)\s+{_WHOM}{_ANYBODY}\b
    | \b(?:get|give|find|want|need|prefer|reach|contact
      |would\s+like|['\u2019]d\s+like|(?:can|could|may)\s+(?:i|we)\s+have)
      \s+(?:me\s+|us\s+)?{_WHOM}{_HELPER}\b
    | \b(?:reach|contact|need|want)\s+(?:someone|somebody|anyone|anybody)\b(?!\s+else)
    | \bis\s+there\s+{_WHOM}{_ANYBODY}\s.{{0,20}}?\b(?:talk|speak|chat)\b
    | \b(?:human|real\s+person)\s+(?:please|now)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ONLY_PERSON = re.compile(
    rf"\W*(?:(?:hi|hello|hey|please|{_ONE})\W+)*{_HELPER}(?:\W+(?:please|now))*\W*", re.IGNORECASE
)
_CLAUSE = re.compile(r"[.,;:!?\n]+|\bbut\b|\band\b|\bso\b", re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:don['\u2019]?t|do\s+not|not|no\s+need|never)\s+"
    r"(?:(?:really|want|need|have|like|wish|to|please|even|a|an|the)\s+)*$",
    re.IGNORECASE,
)
_LONGEST_REQUEST = 200


_DISTRESS = re.compile(
    r"\b(?:kill(?:ing)? my\s?self|suicid\w*|end(?:ing)? my (?:own )?life|want to die|wanna die|hurt(?:ing)? my\s?self"
    r"|harm(?:ing)? my\s?self|self[- ]harm|don'?t want to live|no reason to live)\b",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:(?:i|we)(?:'ll| will|'m going to| am going to| are going to)? (?:sue|be suing)\b|suing you|sue you|sue acme"
    r"|my (?:lawyer|attorney|solicitor)|our (?:lawyer|attorney|solicitor)s?|legal action|take (?:you|this) to court"
    r"|small claims|ombudsman|consumer protection|report(?:ing)? you to|data protection authority|class action)",
    re.IGNORECASE,
)


_EMOJI_CODE = re.compile(r":[a-z0-9_+'-]{1,60}:(?::skin-tone-\d:)?")
_PLEASED = re.compile(
    r":(?:\+1|thumbsup|heart|tada|pray|ok_hand|clap|raised_hands|slightly_smiling_face|smile|grin|white_check_mark)"
    r"[^:]{0,20}:|[\U0001F44D\u2764\U0001F389\U0001F64F\U0001F44C\U0001F44F\U0001F64C\U0001F642\U0001F60A\u2705]"
)
_GRATEFUL = re.compile(
    r"\b(?:thanks|thank you|thankyou|thx|cheers|much appreciated|very helpful|you rock|great help)\b"
)
_MORE = re.compile(
    r"\?|\b(?:but|however|still|not|n't|dont|doesnt|cant|wont|never|nothing|no|why|how|when|where|what|which|who|can|could"
    r"|would|please|want|need|yet|also|another|except|if|for nothing"
    r"|my|our|card|charg\w*|refund\w*|pay\w*|paid|money|bill\w*|invoice\w*|receipt\w*|account|subscription\w*"
    r"|cancel\w*|bank|twice|declin\w*|plan|fee|price|hacked|stolen|lost|wrong|help me)\b|n't\b"
)
_RATING = re.compile(r"(?:10|[0-9])\s*(?:/|out of)\s*(?:5|10)|(?:[1-5]|one|two|three|four|five) stars?")
MOST_WORDS_OF_THANKS = 14


def small_talk(text: str) -> Talk | None:
    """The kind of small talk that the *whole* text is, None when there is more to it."""
    said = _EMOJI_CODE.sub(" ", text).lower()
    words = " ".join(_PUNCTUATION.sub(" ", said).split())
    if not words:
        return Talk.THANKS if _PLEASED.search(text) else Talk.EMPTY
    if _RATING.fullmatch(said.strip(" .!")):
        return Talk.THANKS
    found = next((talk for talk, pattern in _SMALL_TALK if pattern.fullmatch(words)), None)
    if found is not None:
        return found
    thanks_only = bool(_GRATEFUL.search(words)) and not _MORE.search(said.replace("\u2019", "'"))
    return Talk.THANKS if thanks_only and len(words.split()) <= MOST_WORDS_OF_THANKS else None


def asks_for_person(text: str) -> bool:
    """Whether somebody asks for a human in so many words. Short texts only: long ones go through routing."""
    return len(text) <= _LONGEST_REQUEST and (_ONLY_PERSON.fullmatch(text) is not None or True in _requests(text))


def declines_person(text: str) -> bool:
    """Whether somebody says in so many words that they do not want a human."""
    found = _requests(text)
    return False in found and True not in found


def _requests(text: str) -> set[bool]:
    """For each clause that speaks of getting a human: whether it asks for one (True) or declines (False)."""
    clauses = ((clause, _PERSON.search(clause)) for clause in _CLAUSE.split(text))
    return {_NOT.search(clause[: asked.start()]) is None for clause, asked in clauses if asked is not None}


def in_distress(text: str) -> bool:
    """Whether somebody may be in danger: a person looks at it at once."""
    return bool(_DISTRESS.search(text))


def threatens_law(text: str) -> bool:
    """Whether somebody speaks of lawyers, courts or authorities."""
    return bool(_LEGAL.search(text))


_PICKED = re.compile(
    r"(?:(?:i mean|i meant|yes|ok|okay|it's|its|it is)\s+)*(?:the\s+)?(?:option|number|no|answer|choice)?\s*"
    r"(?P<place>1|2|3|one|two|three|1st|2nd|3rd|first|second|third|last)(?:\s+(?:one|option|please|pls))*"
)
_PLACES = {
    **dict.fromkeys(("1", "one", "1st", "first"), 0),
    **dict.fromkeys(("2", "two", "2nd", "second"), 1),
    **dict.fromkeys(("3", "three", "3rd", "third"), 2),
    "last": -1,
}


def picks(text: str) -> int | None:
    """Which of the choices that were offered the whole text names by its place, from 0, -1 for the
    last; None when it names none."""
    found = _PICKED.fullmatch(" ".join(_PUNCTUATION.sub(" ", text).lower().split()))
    return None if found is None else _PLACES[found["place"]]
