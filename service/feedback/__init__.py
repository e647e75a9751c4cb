"""Feedback on cards: stored and counted. The only package that uses a database."""

from __future__ import annotations

from service.feedback.feedback_counts import Share, Summary, summary_of
from service.feedback.store import Accepted, Feedback, Store, StoreDown

__all__ = ["Accepted", "Feedback", "Share", "Store", "StoreDown", "Summary", "summary_of"]
