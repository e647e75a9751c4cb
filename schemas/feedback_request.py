"""POST /cds-services/{id}/feedback: what became of cards, and the counts of GET /feedback/summary."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import Tolerant

MOST_ITEMS = 100
MOST_SUGGESTIONS = 50
LONGEST_COMMENT = 4000
# Before this nobody can have seen a card: such a time is the default of some program.
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
# A client that writes its local time as UTC is up to 14 hours early.
AHEAD = timedelta(days=1)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,30}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Utc(fields.Field[datetime]):
    """A time as section 5.6 of RFC 3339 writes it, brought to UTC; digits after microseconds are dropped."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> datetime:
        found = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Not a time with its zone, such as 1985-04-12T23:20:50.52Z.")
        day, minute, second, fraction, zone = found.groups()
        # A leap second is the end of the second before it.
        second, fraction = ("59", "9" * 6) if second == "60" else (second, (fraction or "")[:6].ljust(6, "0"))
        try:
            return datetime.fromisoformat(f"{day}T{minute}:{second}.{fraction}{zone.upper()}").astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("No such time.") from None


class Few(fields.List[Any]):
    """A list that is measured before it is read: a long one is one fault, not a million."""

    def __init__(self, inner: fields.Field[Any], most: int, **more: Any) -> None:
        super().__init__(inner, validate=validate.Length(max=most), **more)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"More than {self.most}.")
        return super()._deserialize(value, attr, data, **more)


def _storable(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("Holds NUL or half a character.")


def _text(longest: int, **more: Any) -> fields.String:
    return fields.String(validate=[validate.Length(min=1, max=longest), _storable], **more)


class AcceptedSuggestionSchema(Tolerant):
    id = fields.String(required=True, metadata={"description": "uuid of the suggestion"})


class ReasonSchema(Tolerant):
    code = _text(200, required=True)
    system = _text(500, required=True)
    display = fields.String(allow_none=True)


class OverrideReasonSchema(Tolerant):
    reason = fields.Nested(ReasonSchema, allow_none=True)
    userComment = fields.String(allow_none=True, validate=[validate.Length(max=LONGEST_COMMENT), _storable])


class ItemSchema(Tolerant):
    card = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "overridden"]))
    acceptedSuggestions = Few(fields.Nested(AcceptedSuggestionSchema), MOST_SUGGESTIONS, allow_none=True)
    overrideReason = fields.Nested(OverrideReasonSchema, allow_none=True)
    outcomeTimestamp = Utc(required=True)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def accepted_something(self, data: dict[str, Any], sent: Any, **_: Any) -> None:
        """Accepted names what; overridden names nothing that was accepted."""
        # As it was sent: what is there and wrong has its own message.
        accepted = sent.get("acceptedSuggestions") if isinstance(sent, dict) else None
        if data.get("outcome") == "accepted" and accepted in (None, []):
            message = "Missing data: an accepted outcome names one suggestion or more."
            raise ValidationError({"acceptedSuggestions": [message]})
        if data.get("outcome") == "overridden" and accepted not in (None, []):
            message = "An overridden card has no accepted suggestions."
            raise ValidationError({"acceptedSuggestions": [message]})


class FeedbackSchema(Tolerant):
    """The body. clock: now, in UTC."""

    feedback = Few(fields.Nested(ItemSchema), MOST_ITEMS, required=True)

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
