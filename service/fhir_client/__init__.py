"""Fetch the lists that a call lacks from the FHIR server of the caller, within one deadline for all."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from urllib.parse import urljoin

from fhir_mappings.request.bundles import Fetched, NoPage, Page, resource_page, search_page
from service.fhir_client.access import (
    Access,
    NoAccess,
    NoAnswer,
    Template,
    access_to,
    is_page_of,
    is_under,
    template_of,
    typed_access,
)

__all__ = ["FhirServers", "Had", "Wanted", "template_of"]

# Simultaneous requests of one call.
MAX_PARALLEL = 5
# Simultaneous requests to one server over all calls, with those of threads that a silent server holds.
MAX_SERVER_REQUESTS = 20
# How long a server is not asked after a call to which it sent nothing in time: such a call holds one of the
# few threads of a worker for FHIR_TIMEOUT.
SILENCE_S = 5.0
MAX_PAGES = 20
MAX_RESOURCES = 5000
_log = logging.getLogger("service.fhir_client")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list to fetch. next_url: the first page that is missing, if the call has the pages before it."""

    template: Template
    next_url: str | None = None


@dataclass(frozen=True, slots=True)
class Had:
    """The fetched lists by prefetch key. why: the kind of failure for each key that is incomplete."""

    lists: Mapping[str, Fetched] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _List:
    pages: list[Page] = field(default_factory=list)
    why: str | None = "timeout"


class FhirServers:
    """The FHIR servers that this site allows.

    Args:
        bases: Their base URLs.
        seconds: The time for all requests of one call.
        ca_file: Certificates to trust instead of those of the system.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        bases: Sequence[str],
        seconds: float,
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bases, self._seconds, self._ca_file, self._clock = tuple(bases), seconds, ca_file, clock
        self._silent_until: dict[str, float] = {}
        if bases:
            # Before the fork, and without FHIR_SERVERS not at all: requests is a twentieth of a start.
            import_module("service.fhir_client.transfer")
        self._free = {base: threading.BoundedSemaphore(MAX_SERVER_REQUESTS) for base in self._bases}

    def lists(
        self,
        call: Mapping[str, object],
        patient_id: str,
        wanted: Mapping[str, Wanted],
        own: Sequence[str] | None,
    ) -> Had:
        """Return the lists that could be fetched, and why the others could not. Never raises.

        Args:
            call: The members of the hook call.
            patient_id: The id that a read of the Patient must return.
            wanted: The lists by prefetch key.
            own: The FHIR servers of the issuer; None without authentication.
        """
        return self._lists(lambda: access_to(call, patient_id, self._bases, own), patient_id, wanted)

    def typed(self, base: str, token: str, patient_id: str, wanted: Mapping[str, Wanted]) -> Had:
        """Return the same for a server and a token that a user typed in; token "" = none. Never raises."""
        return self._lists(lambda: typed_access(base, token, self._bases), patient_id, wanted)

    def _lists(self, access_of: Callable[[], Access], patient_id: str, wanted: Mapping[str, Wanted]) -> Had:
        if not wanted:
            return Had()
        try:
            access = access_of()
        except NoAccess as error:
            _log.warning("fhirServer was not asked: %s", error.kind)
            return Had(why=dict.fromkeys(wanted, error.kind))
        if self._clock() < self._silent_until.get(access.base, 0.0):
            return Had(why=dict.fromkeys(wanted, "busy"))
        had = _Fetching(access, patient_id, self._seconds, self._clock, self._ca_file).lists(
            wanted, self._free[access.base]
        )
        if not had.lists and set(had.why.values()) == {"timeout"}:
            self._silent_until[access.base] = self._clock() + SILENCE_S
        if had.why:
            # Only the kinds: a URL would name the patient.
            _log.warning("not had from fhirServer: %s", ", ".join(f"{k} ({v})" for k, v in had.why.items()))
        return had


class _Fetching:
    """The fetches of one call: threads take one list after another, and report each page to the caller."""

    def __init__(
        self,
        access: Access,
        patient_id: str,
        seconds: float,
        clock: Callable[[], float],
        ca_file: Path | None,
    ) -> None:
        from service.fhir_client.transfer import Transfer

        self._access, self._patient_id, self._clock = access, patient_id, clock
        self._until = clock() + seconds
        self._transfer = Transfer(access.token, self._until, clock, ca_file)
        # (key, page), and at the end of a list (key, kind of failure or None).
        self._results: queue.SimpleQueue[tuple[str, Page | str | None]] = queue.SimpleQueue()

    def lists(self, wanted: Mapping[str, Wanted], free: threading.BoundedSemaphore) -> Had:
        jobs = deque(wanted.items())
        started = 0
        while started < min(MAX_PARALLEL, len(wanted)) and free.acquire(blocking=False):
            try:
                threading.Thread(target=self._work, args=(jobs, free), daemon=True).start()
            except RuntimeError:
                # No more threads: the running ones fetch what they can.
                free.release()
                break
            started += 1
        lists = {key: _List(why="timeout" if started else "busy") for key in wanted}
        open_keys = set(wanted) if started else set()
        while open_keys:
            try:
                key, result = self._results.get(timeout=max(0.0, self._until - self._clock()))
            except queue.Empty:
                break
            if isinstance(result, Page):
                lists[key].pages.append(result)
            else:
                lists[key].why = result
                open_keys.discard(key)
        # A thread that is late finds no further job.
        jobs.clear()
        return Had(
            {key: Fetched(tuple(item.pages), item.why is None) for key, item in lists.items() if item.pages},
            {key: item.why for key, item in lists.items() if item.why is not None},
        )

    def _work(self, jobs: deque[tuple[str, Wanted]], free: threading.BoundedSemaphore) -> None:
        try:
            with self._transfer.session() as get:
                while jobs and self._clock() < self._until:
                    try:
                        key, wanted = jobs.popleft()
                    except IndexError:
                        return
                    self._results.put((key, self._failure(key, wanted, get)))
        finally:
            free.release()

    def _failure(self, key: str, wanted: Wanted, get: Callable[[str], bytes]) -> str | None:
        """Fetch the list page by page; return None when it is complete, else the kind of failure."""
        try:
            self._fetch(key, wanted, get)
        except (NoAnswer, NoPage, NoAccess) as error:
            return error.kind
        except Exception as error:
            # The message could hold what was sent.
            return type(error).__name__
        return None

    def _fetch(self, key: str, wanted: Wanted, get: Callable[[str], bytes]) -> None:
        base, template = self._access.base, wanted.template
        url: str | None = wanted.next_url if template.searches else None
        if url is None or not self._is_page(template, url):
            # The URL in the call may name the server by another address: fetch the whole list.
            url = f"{base}/{template.address}"
            if not is_under(base, url):
                raise NoAccess("address")
        asked: set[str] = set()
        resources = 0
        while url is not None:
            if url in asked or len(asked) == MAX_PAGES:
                raise NoPage("too-many-pages")
            asked.add(url)
            page = (
                search_page(get(url))
                if template.searches
                else resource_page(get(url), template.kind, self._patient_id)
            )
            resources += page.resources
            if resources > MAX_RESOURCES:
                raise NoPage("too-many-resources")
            self._results.put((key, page))
            # A relative link is relative to the page.
            url = page.next_url and urljoin(url, page.next_url)
            if url is not None and not self._is_page(template, url):
                raise NoAccess("next-elsewhere")

    def _is_page(self, template: Template, url: str) -> bool:
        return is_page_of(self._access.base, template.kind, self._patient_id, url)
