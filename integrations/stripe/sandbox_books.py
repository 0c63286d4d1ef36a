"""The sandbox's objects, and Stripe's way of asking for them: lists with filters and pages, `expand`. Pure.

Lists take the parameters of API 2026-10-28 that concern what is in the sandbox, and refuse others as Stripe does.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from integrations.stripe import sandbox_billing, sandbox_charges
from integrations.stripe.sandbox_charges import Frame, Json
from integrations.stripe.sandbox_errors import READS, Refusal, bad_parameter, missing, not_allowed, unknown_parameter
from integrations.stripe.sandbox_story import Story

MOST: Final = 100
DEEPEST: Final = 4

_FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "charges": ("customer", "payment_intent", "transfer_group"),
    "customers": ("email",),
    "disputes": ("charge", "payment_intent"),
    "invoice_payments": ("invoice", "status", "payment"),
    "invoices": ("customer", "status", "subscription", "collection_method", "due_date"),
    "payment_intents": ("customer",),
    "prices": ("product", "active"),
    "products": ("ids", "active"),
    "refunds": ("charge", "payment_intent"),
    "subscriptions": ("customer", "status", "price", "collection_method"),
}
_PAGING: Final = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
_EXPANDS: Final[Mapping[str, str]] = {
    "charge": "charges",
    "customer": "customers",
    "default_price": "prices",
    "invoice": "invoices",
    "latest_charge": "charges",
    "latest_invoice": "invoices",
    "payment_intent": "payment_intents",
    "product": "products",
    "subscription": "subscriptions",
}
_ALWAYS_EMPTY: Final = frozenset(
    {"application", "balance_transaction", "default_payment_method", "default_source", "failure_balance_transaction"}
    | {"on_behalf_of", "pending_setup_intent", "review", "schedule", "source_transfer", "test_clock"}
)
"""Would be expanded if the sandbox had them."""
_RETRIEVE_PARAM: Final = {"customers": "id", "subscriptions": "id", "payment_intents": "intent"}
_RANGE: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "gt": lambda at, bound: at > bound,
    "gte": lambda at, bound: at >= bound,
    "lt": lambda at, bound: at < bound,
    "lte": lambda at, bound: at <= bound,
}
_PART = re.compile(r"\[([^\[\]]*)\]")

Query = Sequence[tuple[str, str]]
"""Names and values as they stand in an address, such as `created[gte]` and `expand[]`."""


class Books:
    """All objects of a story, by the list they are in and their id."""

    def __init__(self, story: Story, now: datetime, url: str) -> None:
        frame = Frame(now, url)
        people, plans = story.customers, story.plans.values()
        self._lists: dict[str, dict[str, Json]] = {
            "charges": _shelf(one for who in people for one in sandbox_charges.charges(frame, who)),
            "customers": _shelf(sandbox_billing.customer(frame, who) for who in people),
            "disputes": _shelf(one for who in people for one in sandbox_charges.disputes(frame, who)),
            "invoice_payments": _shelf(one for who in people for one in sandbox_billing.invoice_payments(frame, who)),
            "invoices": _shelf(one for who in people for one in sandbox_billing.invoices(frame, who)),
            "payment_intents": _shelf(one for who in people for one in sandbox_charges.intents(frame, who)),
            "prices": _shelf(sandbox_billing.price(frame, plan) for plan in plans),
            "products": _shelf(sandbox_billing.product(frame, plan) for plan in plans),
            "refunds": _shelf(one for who in people for one in sandbox_charges.refunds(frame, who)),
            "subscriptions": _shelf(one for who in people for one in sandbox_billing.subscriptions(frame, story, who)),
        }

    # ---- changing what is there, for demos and tests -----------------------------------------------------------

    def get(self, id: str) -> Json:
        """The object itself, to look at or to change. Raises KeyError."""
        for shelf in self._lists.values():
            if id in shelf:
                return shelf[id]
        raise KeyError(id)

    def trace(self, refund_id: str, number: str) -> None:
        """The bank has told the number that the refund can be found by."""
        card = self.get(refund_id)["destination_details"]["card"]
        card |= {"reference": number, "reference_status": "available", "type": "refund"}

    def fail(self, refund_id: str, reason: str) -> None:
        """The bank sends the refund back."""
        refund = self.get(refund_id)
        charge = self._lists["charges"][refund["charge"]]
        if refund["status"] not in ("failed", "canceled"):
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
        refund |= {"status": "failed", "failure_reason": reason, "failure_balance_transaction": None}
        card = refund["destination_details"].get("card")
        if card is not None:
            card.pop("reference", None)
            card["reference_status"] = "unavailable"

    # ---- as Stripe is asked ------------------------------------------------------------------------------------

    def one(self, name: str, id: str, query: Query, key: str, may: AbstractSet[str]) -> Json:
        """A single object. Raises Refusal."""
        self._allowed(name, key, may)
        wanted = _Params(query, frozenset({"expand"}))
        found = self._lists[name].get(id)
        if found is None:
            raise missing(_kind(name), id, _RETRIEVE_PARAM.get(name, _kind(name)))
        answer = copy.deepcopy(found)
        for path in wanted.many("expand"):
            self._expand(answer, _steps(path), path, key, may)
        return answer

    def listed(self, name: str, query: Query, key: str, may: AbstractSet[str]) -> Json:
        """A page of a list, newest first. Raises Refusal."""
        self._allowed(name, key, may)
        wanted = _Params(query, _PAGING | set(_FILTERS[name]))
        found = self._filtered(name, wanted)
        page, more = _page(found, wanted, self._lists[name], _kind(name))
        answer: Json = {
            "object": "list",
            "data": copy.deepcopy(page),
            "has_more": more,
            "url": f"/v1/{name}",
        }
        for path in wanted.many("expand"):
            steps = _steps(path)
            if steps[0] != "data":
                hint = f" You may want to try expanding 'data.{path}' instead."
                raise bad_parameter("expand", f"This property cannot be expanded ({path}).{hint}", "parameter_invalid")
            self._expand(answer, steps, path, key, may)
        return answer

    def refunds_of(self, charge_id: str, query: Query, key: str, may: AbstractSet[str]) -> Json:
        """The list inside a charge: `/v1/charges/ch_…/refunds`."""
        if any(name == "charge" for name, _ in query):
            raise unknown_parameter("charge")
        self.one("charges", charge_id, (), key, may)
        answer = self.listed("refunds", [*query, ("charge", charge_id)], key, may)
        return answer | {"url": f"/v1/charges/{charge_id}/refunds"}

    def _allowed(self, name: str, key: str, may: AbstractSet[str]) -> None:
        if READS[name] not in may:
            raise not_allowed(key, f"rak_{READS[name]}_read")

    # ---- filters -----------------------------------------------------------------------------------------------

    def _filtered(self, name: str, wanted: _Params) -> list[Json]:
        found = [one for one in self._lists[name].values() if one.get("deleted") is not True]
        for field in ("customer", "charge", "payment_intent", "invoice", "subscription", "product"):
            if (wanted_id := wanted.one(field)) is not None:
                self._must_exist(field, wanted_id)
                found = [one for one in found if _belongs(one, field, wanted_id)]
        for field in ("collection_method", "transfer_group"):
            if (text := wanted.one(field)) is not None:
                found = [one for one in found if one.get(field) == text]
        found = _by_email(found, wanted.one("email"))
        found = _by_state(name, found, wanted.one("status"))
        found = [one for one in found if _by_rest(one, wanted)]
        for field in ("created", "due_date"):
            found = [one for one in found if wanted.in_range(field, one.get(field))]
        return sorted(found, key=lambda one: (one["created"], one["id"]), reverse=True)

    def _must_exist(self, field: str, id: str) -> None:
        if id not in self._lists[_EXPANDS[field]]:
            raise missing(field, id, field, 400)

    # ---- expand ------------------------------------------------------------------------------------------------

    def _expand(self, place: Json, steps: Sequence[str], path: str, key: str, may: AbstractSet[str]) -> None:
        """Put objects where their ids stand, along a path such as data, charge, customer."""
        step, rest = steps[0], steps[1:]
        if (step, place.get("object")) in (("refunds", "charge"), ("payments", "invoice")) and step not in place:
            place[step] = self._inside(step, place["id"], key, may)
        value = place.get(step)
        if isinstance(value, str) and step in _EXPANDS and place.get("object") != "subscription_item":
            self._allowed(_EXPANDS[step], key, may)
            value = place[step] = copy.deepcopy(self._lists[_EXPANDS[step]][value])
        elif value is None and (step in _ALWAYS_EMPTY or (step in place and step in _EXPANDS)):
            return
        elif not isinstance(value, dict | list) or (not rest and not _expanded(step, value)):
            raise bad_parameter("expand", f"This property cannot be expanded ({path}).", "parameter_invalid")
        for one in value if isinstance(value, list) else [value]:
            if rest:
                self._expand(one, rest, path, key, may)

    def _inside(self, step: str, id: str, key: str, may: AbstractSet[str]) -> Json:
        """The list that an object has only when it is asked for; its ten newest."""
        if step == "refunds":
            return self.refunds_of(id, (), key, may)
        return self.listed("invoice_payments", [("invoice", id)], key, may)


class _Params:
    """Parameters of an address. Raises Refusal for one that is not among `known`."""

    def __init__(self, query: Query, known: AbstractSet[str]) -> None:
        self._query = [(name.partition("[")[0], _PART.findall(name), value) for name, value in query]
        for name, _, _ in self._query:
            if name not in known:
                raise unknown_parameter(name)

    def one(self, name: str, *parts: str) -> str | None:
        """A value; of several the last, as Stripe takes it."""
        found = [value for field, inside, value in self._query if field == name and inside == list(parts)]
        return found[-1] if found else None

    def many(self, name: str) -> list[str]:
        """A list: `name[]=` or `name[0]=`."""
        return [value for field, inside, value in self._query if field == name and len(inside) == 1]

    def whole(self, name: str, *parts: str) -> int | None:
        text = self.one(name, *parts)
        if text is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise bad_parameter(name, f"Invalid integer: {text}")
        return int(text)

    def in_range(self, name: str, at: int | None) -> bool:
        """`name=` or `name[gte]=`, and so on."""
        exact = self.whole(name)
        bounds = {way: self.whole(name, way) for way in _RANGE}
        if exact is None and all(bound is None for bound in bounds.values()):
            return True
        if at is None or (exact is not None and at != exact):
            return False
        return all(bound is None or _RANGE[way](at, bound) for way, bound in bounds.items())


def _page(found: list[Json], wanted: _Params, known: Container[str], kind: str) -> tuple[list[Json], bool]:
    """What `limit`, `starting_after` and `ending_before` leave, and whether there is more in that direction."""
    limit = wanted.whole("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= MOST:
        bound = f"less than or equal to {MOST}" if limit > MOST else "greater than or equal to 1"
        raise bad_parameter("limit", f"This value must be {bound} (it currently is '{limit}').")
    after, before = wanted.one("starting_after"), wanted.one("ending_before")
    if after is not None and before is not None:
        raise Refusal(400, "You cannot parameterize both starting_after and ending_before.", param="ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in known:
            raise missing(kind, cursor, name, 400)
    if before is not None:
        newer = found[: _place(found, before)]
        return newer[-limit:], len(newer) > limit
    rest = found if after is None else found[_place(found, after) + 1 :]
    return rest[:limit], len(rest) > limit


def _place(found: Sequence[Json], id: str) -> int:
    """Where an object stands; one that the filters left out stands at the end."""
    return next((at for at, one in enumerate(found) if one["id"] == id), len(found))


def _belongs(one: Json, field: str, id: str) -> bool:
    if field == "subscription" and one["object"] == "invoice":
        parent = one["parent"] or {}
        return bool(parent.get("subscription_details", {}).get("subscription") == id)
    return bool(one.get(field) == id)


def _by_email(found: list[Json], email: str | None) -> list[Json]:
    """Exactly this address: upper and lower case differ."""
    if email is None:
        return found
    if "@" not in email:
        raise bad_parameter("email", f"Invalid email address: {email}", "email_invalid")
    return [one for one in found if one["email"] == email]


def _by_state(name: str, found: list[Json], status: str | None) -> list[Json]:
    """Of subscriptions those that are cancelled are left out unless they are asked for."""
    over = ("canceled", "incomplete_expired")
    if name == "subscriptions" and status is None:
        return [one for one in found if one["status"] != "canceled"]
    if status is None or (name == "subscriptions" and status == "all"):
        return found
    if name == "subscriptions" and status == "ended":
        return [one for one in found if one["status"] in over]
    return [one for one in found if one["status"] == status]


def _by_rest(one: Json, wanted: _Params) -> bool:
    ids, active, price = wanted.many("ids"), wanted.one("active"), wanted.one("price")
    intent = wanted.one("payment", "payment_intent")
    return (
        (not ids or one["id"] in ids)
        and (active is None or one["active"] is (active == "true"))
        and (price is None or any(item["price"]["id"] == price for item in one["items"]["data"]))
        and (intent is None or one["payment"]["payment_intent"] == intent)
    )


def _expanded(step: str, value: object) -> bool:
    """Whether the end of a path is something that can be expanded, and is already there."""
    return isinstance(value, dict) and (step in _EXPANDS or value.get("object") == "list")


def _steps(path: str) -> list[str]:
    steps = path.split(".")
    if len(steps) > DEEPEST:
        raise bad_parameter("expand", f"You cannot expand more than {DEEPEST} levels of a property: {path}", "invalid")
    return steps


def _shelf(objects: Iterable[Json]) -> dict[str, Json]:
    return {one["id"]: one for one in objects}


def _kind(name: str) -> str:
    """The word for one of a list: charges, charge."""
    return name.removesuffix("s")
