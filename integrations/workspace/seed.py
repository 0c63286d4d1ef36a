"""Who and what is in a new workspace: people, channels, user groups, apps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from integrations.workspace.errors import BadSeed

Role = Literal["customer", "specialist", "admin", "guest", "bot"]
Kind = Literal["public", "private", "im", "mpim"]

_SLACK_ID = re.compile(r"^[A-Z][A-Z0-9]{2,20}$")


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace, as ``users.info`` tells it. ``name`` is the handle, without ``@``."""

    id: str
    name: str
    real_name: str
    title: str = ""
    role: Role = "customer"
    email: str = ""
    tz: str = "Europe/London"
    locale: str = "en-GB"
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    team_id: str | None = None  # None: the workspace's own team
    is_bot: bool = False
    deleted: bool = False
    email_confirmed: bool = True

    @property
    def is_guest(self) -> bool:
        """True for everybody who is not a full member: guests and people of another company."""
        return self.is_restricted or self.is_ultra_restricted or self.is_stranger


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation. ``name`` is empty for direct messages; ``members`` are user ids."""

    id: str
    name: str
    kind: Kind = "public"
    topic: str = ""
    members: tuple[str, ...] = ()
    creator: str = ""
    archived: bool = False
    created: int = 1_700_000_000  # Unix seconds


@dataclass(frozen=True, slots=True)
class Usergroup:
    """A mentionable group such as ``@specialists``."""

    id: str
    handle: str
    members: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """A Slack app and the bot user it acts as. Empty tokens are drawn at random when the workspace is made."""

    id: str
    name: str
    bot_id: str
    bot_user: str
    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Seed:
    """The first content of a workspace; used only when the state file is new."""

    team_id: str
    team_name: str
    people: tuple[Person, ...]
    channels: tuple[Channel, ...] = ()
    usergroups: tuple[Usergroup, ...] = ()
    apps: tuple[App, ...] = ()

    def check(self) -> None:
        """Raise `BadSeed` when ids are malformed, doubled, or refer to nobody."""
        ids = [item.id for group in (self.people, self.channels, self.usergroups, self.apps) for item in group]
        for one in [self.team_id, *ids]:
            if not _SLACK_ID.match(one):
                raise BadSeed(f"{one!r} is not shaped like a Slack id (uppercase letters and digits)")
        if len(set(ids)) != len(ids):
            raise BadSeed("an id is used twice")
        people = {person.id for person in self.people}
        for owner, members in (
            *((channel.id, channel.members) for channel in self.channels),
            *((group.id, group.members) for group in self.usergroups),
            *((app.id, (app.bot_user,)) for app in self.apps),
        ):
            for member in members:
                if member not in people:
                    raise BadSeed(f"{owner} has the member {member}, who is not among the people")
        if not self.apps:
            raise BadSeed("a workspace needs at least one app")


def demo_seed() -> Seed:
    """The demo company Acme: customers, two specialists, an admin, a guest, somebody of another company in one channel,
    and the app Handrail. What the customers paid is told by the story of the Stripe sandbox."""
    staff = (
        Person("U0MIRA", "mira", "Mira Lindqvist", "Payments specialist", "specialist", "mira@acme.example",
               "Europe/Stockholm", "sv-SE"),
        Person("U0TOM", "tom", "Tom Becker", "Payments specialist", "specialist", "tom@acme.example",
               "Europe/Berlin", "de-DE"),
        Person("U0ADA", "ada", "Ada Castellanos", "Head of support", "admin", "ada@acme.example",
               "Europe/Madrid", "es-ES"),
    )  # fmt: skip
    guest = Person("U0GIL", "gil", "Gil Moreau", "Guest", "guest", "gil@moreau.example", "Europe/Paris", "fr-FR",
                   is_restricted=True)  # fmt: skip
    stranger = Person("U0KIM", "kim", "Kim Park", "Buyer at another company", "guest", "kim@other.example",
                      "Asia/Seoul", "ko-KR", is_stranger=True, team_id="T0OTHER")  # fmt: skip
    app = Person("U0HANDRAIL", "handrail", "Handrail", "Payment support", "bot", "", "Etc/UTC", "en-US", is_bot=True)
    ana, ben, *others = _customers()
    people = (ana, ben, *staff, guest, app, *others, stranger)
    everybody = tuple(person.id for person in people if person is not stranger)
    humans = tuple(user for user in everybody if user != app.id)
    channels = (
        Channel("C0GENERAL", "general", "public", "Announcements and everything else", everybody, "U0ADA"),
        Channel("C0SUPPORT", "billing-help", "public", "Questions about payments, refunds and receipts",
                (*everybody, stranger.id), "U0ADA"),
        Channel("C0RANDOM", "random", "public", "The other things", humans, "U0ADA"),
        Channel("G0DESK", "support-desk", "private", "Cases that need a person",
                (*(person.id for person in staff), app.id), "U0ADA"),
    )  # fmt: skip
    return Seed(
        team_id="T0ACME",
        team_name="Acme",
        people=people,
        channels=channels,
        usergroups=(Usergroup("S0SPECIAL", "specialists", ("U0MIRA", "U0TOM"), "Specialists"),),
        apps=(App("A0HANDRAIL", "Handrail", "B0HANDRAIL", "U0HANDRAIL"),),
    )


def _customers() -> tuple[Person, ...]:
    """Full members who pay in different currencies, so each reads money and days in another way."""
    rows = (
        ("ana", "Ana Souza", "Studio owner", "ana@souza.example", "America/Sao_Paulo", "pt-BR"),
        ("ben", "Ben Okafor", "Shop owner", "ben@okafor.example", "Europe/London", "en-GB"),
        ("cleo", "Cleo Marchetti", "Decorator", "cleo@example.com", "Europe/Rome", "it-IT"),
        ("dan", "Dan Whitfield", "Photographer", "dan@example.com", "Europe/Dublin", "en-IE"),
        ("eva", "Eva Nováková", "Designer", "eva@example.com", "America/New_York", "en-US"),
        ("fay", "Fay Lindgren", "Team lead", "fay@example.com", "Europe/Helsinki", "fi-FI"),
        ("ivo", "Ivo Petrov", "Courier", "ivo@example.com", "Europe/Sofia", "bg-BG"),
        ("hana", "佐藤 花", "Tea shop", "hana@example.com", "Asia/Tokyo", "ja-JP"),
        ("omar", "عمر الصباح", "Grocer", "omar@example.com", "Asia/Kuwait", "ar-KW"),
        ("rosa", "Rosa Delgado", "Club member", "rosa@example.com", "Atlantic/Canary", "es-ES"),
        ("lea", "Lea Fontaine", "Cook", "lea@example.com", "Europe/Paris", "fr-FR"),
        ("mona", "Mona Keller", "Shop owner", "mona@example.com", "Europe/Berlin", "de-DE"),
        ("nils", "Nils Berg", "Ski teacher", "nils.berg@example.com", "Europe/Vienna", "de-AT"),
        ("olga", "Olga Ozola", "Violinist", "olga@example.com", "Europe/Riga", "lv-LV"),
        ("pat", "Pat Moran", "Writer", "pat@example.com", "Europe/Athens", "el-GR"),
        ("nora", "Nora Haas", "New here", "nora@example.com", "Europe/Zurich", "de-CH"),
    )  # fmt: skip
    return tuple(
        Person(f"U0{name.upper()}", name, full, title, "customer", email, zone, locale)
        for name, full, title, email, zone, locale in rows
    )
