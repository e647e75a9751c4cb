"""What became of cards: kept, and counted. The only place that knows of a database."""

from __future__ import annotations

from service.feedback.records import Accepted, Feedback
from service.feedback.store import Store, StoreDown
from service.feedback.summary import Share, Summary, summary_of

__all__ = ["Accepted", "Feedback", "Share", "Store", "StoreDown", "Summary", "summary_of"]
