"""Schema of the body of POST /cds-services/{id}/feedback."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import Tolerant

MAX_ITEMS = 100
MAX_SUGGESTIONS = 50
MAX_COMMENT_CHARACTERS = 4000
# No card was shown before; an earlier time is the default value of a client.
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
# A client that writes its local time as UTC is up to 14 hours ahead.
AHEAD = timedelta(days=1)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,30}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Utc(fields.Field[datetime]):
    """A time of RFC 3339, section 5.6, converted to UTC and cut to microseconds."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> datetime:
        match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError("Not a time with its zone, such as 1985-04-12T23:20:50.52Z.")
        day, minute, second, fraction, zone = match.groups()
        # Read a leap second as the end of the second before it.
        second, fraction = ("59", "9" * 6) if second == "60" else (second, (fraction or "")[:6].ljust(6, "0"))
        try:
            return datetime.fromisoformat(f"{day}T{minute}:{second}.{fraction}{zone.upper()}").astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("No such time.") from None


class ShortList(fields.List[Any]):
    """A list with a maximum length, checked before its items: one message, not one for each item."""

    def __init__(self, inner: fields.Field[Any], max_items: int, **more: Any) -> None:
        super().__init__(inner, validate=validate.Length(max=max_items), **more)
        self.max_items = max_items

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.max_items:
            raise ValidationError(f"More than {self.max_items}.")
        return super()._deserialize(value, attr, data, **more)


def _storable(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("Holds NUL or half a character.")


def _text(max_characters: int, **more: Any) -> fields.String:
    return fields.String(validate=[validate.Length(min=1, max=max_characters), _storable], **more)


class AcceptedSuggestionSchema(Tolerant):
    id = fields.String(required=True, metadata={"description": "uuid of the suggestion"})


class ReasonSchema(Tolerant):
    code = _text(200, required=True)
    system = _text(500, required=True)
    display = fields.String(allow_none=True)


class OverrideReasonSchema(Tolerant):
    reason = fields.Nested(ReasonSchema, allow_none=True)
    userComment = fields.String(
        allow_none=True, validate=[validate.Length(max=MAX_COMMENT_CHARACTERS), _storable]
    )


class ItemSchema(Tolerant):
    card = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "overridden"]))
    acceptedSuggestions = ShortList(fields.Nested(AcceptedSuggestionSchema), MAX_SUGGESTIONS, allow_none=True)
    overrideReason = fields.Nested(OverrideReasonSchema, allow_none=True)
    outcomeTimestamp = Utc(required=True)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def accepted_something(self, data: dict[str, Any], sent: Any, **_: Any) -> None:
        """Require accepted suggestions for "accepted", and none for "overridden"."""
        # Look at what was sent: an invalid member has a message of its own.
        accepted = sent.get("acceptedSuggestions") if isinstance(sent, dict) else None
        if data.get("outcome") == "accepted" and accepted in (None, []):
            message = "Missing data: an accepted outcome names one suggestion or more."
            raise ValidationError({"acceptedSuggestions": [message]})
        if data.get("outcome") == "overridden" and accepted not in (None, []):
            message = "An overridden card has no accepted suggestions."
            raise ValidationError({"acceptedSuggestions": [message]})


class FeedbackSchema(Tolerant):
    """The body. clock: the current time in UTC."""

    feedback = ShortList(fields.Nested(ItemSchema), MAX_ITEMS, required=True)

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), **more: Any) -> None:
        super().__init__(**more)
        self._clock = clock

    @validates_schema
    def times_that_can_be(self, data: dict[str, Any], **_: Any) -> None:
        latest = self._clock() + AHEAD
        wrong = {}
        for place, item in enumerate(data["feedback"]):
            at = item["outcomeTimestamp"]
            if at > latest:
                wrong[place] = {"outcomeTimestamp": ["In the future."]}
            elif at < EARLIEST:
                wrong[place] = {"outcomeTimestamp": [f"Before {EARLIEST:%Y-%m-%d}: no card was shown then."]}
        if wrong:
            raise ValidationError({"feedback": wrong})
