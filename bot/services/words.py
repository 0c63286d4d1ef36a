"""What Handrail says that is not in an article. One place, so that its tone can be read in one sitting."""

from __future__ import annotations

from bot.domain.phrases import Talk
from bot.domain.redaction import Finding, Redacted, redacted
from bot.services.languages import ENGLISH_ONLY

SPECIALIST_WILL_ANSWER = redacted("A specialist will answer here.")
READS_ENGLISH = redacted("I read only English for now. Please write in English, or choose “Talk to a specialist”.")
SPECIALIST_HAS_IT_ALREADY = redacted(
    "A specialist already has your question about this. I have added your message to it, and they will answer there."
)
CALLED_FOR_PERSON = redacted("I am passing this to a specialist. Everything you wrote here goes with it.")
DISTRESS = redacted(
    "I am sorry that things are this hard. I am a bot for billing questions, and you deserve a person now: please call "
    "the emergency number or a crisis line where you are, or somebody you trust. I have asked a person here to look at "
    "your message right away."
)
LEGAL = redacted("I hear that this is serious. I am passing it to a specialist, with everything you wrote here.")
NO_ARTICLE = redacted("I am not sure about this one, so I am passing it to a specialist rather than guess.")
LATE = redacted(
    "I am sorry for the wait: your message reached me late. I am passing it to a specialist instead of answering now."
)
DOWN = redacted("I cannot look this up right now, so I am passing it to a specialist.")
FILE_ONLY = redacted("I cannot read files, so I am passing this to a specialist.")
SAID_ALREADY = redacted(
    "What I said just now is all that our articles say about this. If it does not settle your question, a specialist "
    "can look at it."
)
REST = redacted("If this does not cover all of your message, ask the rest on its own, or choose a specialist.")
DID_YOU_MEAN = redacted("I want to be sure that I answer the right thing. Did you mean one of these?")
NOT_HELPFUL = redacted("Thank you for saying so. I am passing this to a specialist.")
THANKS_FOR_FEEDBACK = redacted("Thank you, noted.")
SOMETHING_ELSE = redacted("Please say it in other words, with as much detail as you like. Or ask for a specialist.")
STAND_ASIDE = redacted(
    "A specialist has this thread, so I am staying out of it. Write to me in a direct message, and I will answer there."
)
OFFER = redacted("I may be able to help with this, if you like.")
NOT_NOW = redacted("I will stay out of this thread. Mention me here whenever you want me back.")
RESOLVED = redacted("The specialist has closed this. Write here if anything is left, and I will pick it up.")
LOOK_IN_DM = redacted("I have sent you what I found in a direct message, where only you can read it.")
NOT_PROVEN = redacted(
    "To see your own payments I have to know which customer you are. I can mail a code to your billing e-mail, or a "
    "specialist can help you."
)
NOT_LINKED = redacted(
    "To see your own payments I have to know which customer you are, and I do not yet. A specialist can help you."
)
NO_PLACE = redacted(
    "I show payments in a direct message only, and cannot reach you in one just now, so I am passing this to a "
    "specialist."
)
REFUND_MISSING = redacted("Thank you for telling me. I am passing it to a specialist, with what the records say.")
PROVEN_ELSEWHERE = redacted("A specialist has this question now, so I leave it with them.")
ASKED_BOT_EARLIER = redacted("I am looking at your question now.")

_TALK = {
    Talk.GREETING: redacted(
        "Hello. I answer questions about billing and refunds, and I bring in a specialist when a person is needed. "
        "What would you like to know?"
    ),
    Talk.WHO: redacted(
        "I am Handrail, a bot for questions about billing and refunds. I answer from our policy and show you the "
        "source. When I am not sure, or when you ask for it, a specialist takes over."
    ),
    Talk.EMPTY: redacted(
        "Hello, I am here. Ask me about billing or refunds, for example “How long does a refund take?” "
        "or “Why is a charge pending?”, or ask for a specialist."
    ),
    Talk.THANKS: redacted("You are welcome. I am here if anything else comes up."),
    Talk.GOODBYE: redacted("Goodbye, and take care."),
}

_REMOVED = {
    Finding.CARD: "a card number",
    Finding.CVC: "a card security code",
    Finding.IBAN: "a bank account number",
    Finding.KEY: "a password or key",
}


def english_only(language: str) -> Redacted:
    """What somebody reads who wrote in this language (ISO 639-1): in that language where we have it, and in English."""
    own = ENGLISH_ONLY.get(language)
    return READS_ENGLISH if own is None else redacted(f"{own}\n\n{READS_ENGLISH}")


def small_talk(talk: Talk) -> Redacted:
    """The bot's side of small talk."""
    return _TALK[talk]


def removed(found: frozenset[Finding]) -> Redacted | None:
    """What a customer is told when secrets were removed from a message; None when there were none."""
    if not found:
        return None
    # A security code is only ever found beside a card: naming the card is enough.
    named = [_REMOVED[finding] for finding in Finding if finding in found]
    things = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return redacted(
        f"Your message held what looks like {things}. I removed it and kept no copy. "
        "Please delete your message in Slack too: nobody here ever needs it in a chat."
    )


def customer_wrote(text: Redacted) -> Redacted:
    """How a customer's further message stands in a case's internal thread."""
    return redacted(f"Customer: {text}" if text.strip() else "Customer: (no text)")


def customer_edited(text: Redacted) -> Redacted:
    """How an edited message stands in a case's internal thread."""
    return redacted(f"Customer edited a message. It now says: {text}")


CUSTOMER_DELETED = redacted("Customer deleted a message.")


def customer_shared(name: Redacted, mimetype: str) -> Redacted:
    """How a file stands in a case's internal thread: named, never copied."""
    return redacted(f"Customer shared a file: {name} ({mimetype})")


def undelivered(text: Redacted, code: str) -> Redacted:
    """What specialists are told when a customer could not be reached."""
    return redacted(
        f"This could not be delivered to the customer (Slack says {code}). Please reach them another way. "
        f"It said: {text}"
    )


def undelivered_private(code: str) -> Redacted:
    """The same for a reply about their payments, which is not repeated."""
    return redacted(
        f"Details of a customer's payments could not be delivered to them (Slack says {code}). Please reach them "
        "another way."
    )


def asked_elsewhere(question: str) -> Redacted:
    """What stands before an answer that is given in a direct conversation. `question` is harmless in Markdown."""
    return redacted(f"You asked in a channel: {question}" if question else "You asked this in a channel.")


NOT_YOURS = redacted(
    "These buttons are for the person who asked. Write to me in a direct message, and I will help you."
)
HANDED_OVER_ALREADY = redacted("A specialist already has this. What you write here reaches them.")
STAFF_ONLY = redacted("Only specialists can do this. Ask an admin to add you to the specialists' group.")
CLOSED_ALREADY = redacted("This case was closed in the meantime, so nothing was sent.")
GONE = redacted("That article is not published any more. Please ask again in your own words.")


def abandoned(text: Redacted) -> Redacted:
    """What specialists are told of a message that could not even be made into a case."""
    return redacted(
        f"A message broke every try to handle it, and has no case. Please answer it by hand. It said: {text}"
    )


def card_failed(question: Redacted, code: str) -> Redacted:
    """What stands in for a case card that Slack does not take."""
    return redacted(f"A case card could not be posted (Slack says {code}). A customer waits for an answer. {question}")


def replied(name: Redacted) -> Redacted:
    """How a specialist's reply stands in the card's thread, before the reply itself."""
    return redacted(f"{name} replied to the customer:")


def reply_failed(name: Redacted) -> Redacted:
    """What specialists are told when a reply of theirs broke on our side."""
    return redacted(f"The reply by {name} could not be passed on because of a fault on our side. Please send it again.")


# ---- forms -----------------------------------------------------------------------------------------------------

LOOKUPS_OFF = redacted("Look-ups are not set up here. Please ask for a specialist instead.")
WRITE_AN_ADDRESS = redacted("Write an e-mail address such as name@example.com.")
TYPE_SIX_DIGITS = redacted("Type the 6 digits of the code.")
CODE_NOT_RIGHT = redacted(
    "This code is not right, too old, or used. Look at your newest mail; for a new code close this window and press "
    "the button again."
)
TRY_AGAIN = redacted("This did not work just now. Try again in a moment.")
TAKES_LONGER = redacted("This takes longer than usual. Wait a moment; if nothing changes here, try again.")
PROVEN = redacted(
    "Thank you. For 90 days I can show you the payments of this address. Ask me about them in our direct messages."
)
PROVEN_LOOKING = redacted(
    "Thank you. For 90 days I can show you the payments of this address. I am looking up your question now and answer "
    "in our direct messages."
)
NO_SUCH_CASE = redacted("This case is not there any more.")
NOTHING_CHOSEN = redacted("Write whom to link to which customer, or choose a link to end.")
WRITE_CUSTOMERS = redacted("Write customer ids: each starts with cus_. Part several with commas or spaces.")
WRITE_A_REASON = redacted("Write how you know that they may see these payments.")
CHOOSE_A_PERSON = redacted("Choose somebody whom Slack knows.")
NOT_YOURSELF = redacted("Nobody links themselves. Ask a colleague.")
CHOOSE_A_CHANNEL = redacted("Choose the channel whose billing contacts they are, or leave these people out.")
TOO_MANY_LINKED = redacted("At most 20 people and 20 customers in one link.")
LINK_ENDED_ALREADY = redacted("That link had ended already.")
LINK_ENDED_BY_SPECIALIST = redacted("A specialist had ended that link already.")
LINK_RAN_OUT = redacted("That link had run out already: each lasts 90 days.")
LINK_LEFT = redacted("That link has ended, as you wished. I show you no payments by it any more.")
NO_SUCH_LINK = redacted("That is no link of yours, so I changed nothing.")


def linked(by: Redacted, whom: str, customers: str, until: str, reason: Redacted) -> Redacted:
    """What stands in a card's thread when somebody was linked."""
    return redacted(f"{by} linked {whom} to {customers} until {until}. Reason: {reason}")


def unlinked(by: Redacted, whom: str, customers: str) -> Redacted:
    """The same when a link was ended."""
    return redacted(f"{by} ended the link of {whom} to {customers}.")
