"""Domain values to JSON and back. Text comes back as Redacted, since it was Redacted when it was written."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from cattrs.preconf.json import JsonConverter, make_converter
from cattrs.strategies import configure_tagged_union

from bot.domain.outbox import Deed
from bot.domain.redaction import Redacted, stored
from bot.domain.replies import Note, Relay, Reply

T = TypeVar("T")


def _converter() -> JsonConverter:
    converter = make_converter(forbid_extra_keys=True)
    converter.register_structure_hook(Redacted, lambda value, _: stored(value))
    converter.register_unstructure_hook(Redacted, str)
    configure_tagged_union(Reply | Relay | Note, converter, tag_name="is")
    configure_tagged_union(Deed, converter, tag_name="do")
    return converter


_CONVERTER = _converter()


def to_json(value: object, kind: Any) -> Any:
    """`value` as JSON-able data; `kind` is its declared type, needed where that is a union."""
    return _CONVERTER.unstructure(value, unstructure_as=kind)


def from_json(data: Any, kind: type[T]) -> T:
    """The value of type `kind` that `to_json` wrote."""
    return _CONVERTER.structure(data, kind)


def deed_from_json(data: Any) -> Deed:
    """A deed that `to_json(…, Deed)` wrote."""
    return cast(Deed, _CONVERTER.structure(data, Deed))  # type: ignore[arg-type]  # a union is not a type object
