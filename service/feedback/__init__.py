"""Feedback on cards: stored and counted. The only package that uses a database."""

from __future__ import annotations

from service.feedback.store import Accepted, Feedback, Store, StoreDown
from service.feedback.summary import Share, Summary, summary_of

__all__ = ["Accepted", "Feedback", "Share", "Store", "StoreDown", "Summary", "summary_of"]
