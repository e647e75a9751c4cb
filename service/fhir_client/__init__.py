"""What the caller did not send, fetched from its own FHIR server within one deadline for everything."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fhir_mappings.request.bundles import Fetched, NoPage, Page, resource_page, search_page
from service.fhir_client.access import Access, NoAccess, Template, access_to, is_under, template_of
from service.fhir_client.transfer import NoAnswer, Transfer

__all__ = ["FhirServers", "Had", "Wanted", "template_of"]

# How many requests of one call are under way at the same time.
PARALLEL = 5
# How many may be under way at one server, over all calls: threads that a hanging server holds are counted.
PLACES = 20
PAGES = 20
RESOURCES = 5000
_log = logging.getLogger("service.fhir_client")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list that was not sent whole. next_url: where it goes on, if only later pages are lacking."""

    template: Template
    next_url: str | None = None


@dataclass(frozen=True, slots=True)
class Had:
    """What was fetched, by prefetch key. why: the kind of reason for each key that is still not whole."""

    lists: Mapping[str, Fetched] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _List:
    pages: list[Page] = field(default_factory=list)
    why: str | None = "timeout"


class FhirServers:
    """The FHIR servers that this site allows. bases: their base URLs; seconds: for all of one call.

    ca_file: certificates that are trusted instead of the well-known ones.
    """

    def __init__(
        self,
        bases: Sequence[str],
        seconds: float,
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bases, self._seconds, self._ca_file, self._clock = tuple(bases), seconds, ca_file, clock
        self._places = {base: threading.BoundedSemaphore(PLACES) for base in self._bases}

    def lists(
        self,
        call: Mapping[str, object],
        patient_id: str,
        wanted: Mapping[str, Wanted],
        own: Sequence[str] | None,
    ) -> Had:
        """What could be had of the wanted lists, and why the rest could not; never raises.

        call: the members of the hook call. own: the servers of its issuer; None where nobody needs to say.
        """
        if not wanted:
            return Had()
        try:
            access = access_to(call, patient_id, self._bases, own)
        except NoAccess as error:
            _log.warning("fhirServer was not asked: %s", error.kind)
            return Had(why=dict.fromkeys(wanted, error.kind))
        had = _Fetching(access, patient_id, self._seconds, self._clock, self._ca_file).lists(
            wanted, self._places[access.base]
        )
        if had.why:
            # Kinds alone: an address would name the patient.
            _log.warning("not had from fhirServer: %s", ", ".join(f"{k} ({v})" for k, v in had.why.items()))
        return had


class _Fetching:
    """One call: some threads take list after list; who calls waits for them no longer than the deadline."""

    def __init__(
        self,
        access: Access,
        patient_id: str,
        seconds: float,
        clock: Callable[[], float],
        ca_file: Path | None,
    ) -> None:
        self._access, self._patient_id, self._clock = access, patient_id, clock
        self._until = clock() + seconds
        self._transfer = Transfer(access.token, self._until, clock, ca_file)
        # key, a page; or key, None for whole, or a kind of reason.
        self._news: queue.SimpleQueue[tuple[str, Page | str | None]] = queue.SimpleQueue()

    def lists(self, wanted: Mapping[str, Wanted], places: threading.BoundedSemaphore) -> Had:
        jobs = deque(wanted.items())
        at_work = 0
        while at_work < min(PARALLEL, len(wanted)) and places.acquire(blocking=False):
            try:
                threading.Thread(target=self._work, args=(jobs, places), daemon=True).start()
            except RuntimeError:
                # The machine gives no more threads: those that are at work do what they can.
                places.release()
                break
            at_work += 1
        found = {key: _List(why="timeout" if at_work else "busy") for key in wanted}
        open_keys = set(wanted) if at_work else set()
        while open_keys:
            try:
                key, news = self._news.get(timeout=max(0.0, self._until - self._clock()))
            except queue.Empty:
                break
            if isinstance(news, Page):
                found[key].pages.append(news)
            else:
                found[key].why = news
                open_keys.discard(key)
        # A thread that comes late finds no further job.
        jobs.clear()
        return Had(
            {key: Fetched(tuple(one.pages), one.why is None) for key, one in found.items() if one.pages},
            {key: one.why for key, one in found.items() if one.why is not None},
        )

    def _work(self, jobs: deque[tuple[str, Wanted]], places: threading.BoundedSemaphore) -> None:
        try:
            with self._transfer.session() as get:
                while jobs and self._clock() < self._until:
                    try:
                        key, wanted = jobs.popleft()
                    except IndexError:
                        return
                    self._news.put((key, self._why_not(key, wanted, get)))
        finally:
            places.release()

    def _why_not(self, key: str, wanted: Wanted, get: Callable[[str], bytes]) -> str | None:
        """Fetches the list, page after page; None when it is whole, else the kind of reason."""
        try:
            self._fetch(key, wanted, get)
        except (NoAnswer, NoPage, NoAccess) as error:
            return error.kind
        except Exception as error:
            # Whatever a server makes of its answer, it is no answer; its text could hold what was sent.
            return type(error).__name__
        return None

    def _fetch(self, key: str, wanted: Wanted, get: Callable[[str], bytes]) -> None:
        base, template = self._access.base, wanted.template
        url: str | None = wanted.next_url if template.searches else None
        if url is None or not is_under(base, url):
            # What was sent may name the server as others see it: then the whole list is fetched.
            url = f"{base}/{template.address}"
        asked: set[str] = set()
        resources = 0
        while url is not None:
            if not is_under(base, url):
                raise NoAccess("next-elsewhere" if asked else "address")
            if url in asked or len(asked) == PAGES:
                raise NoPage("too-many-pages")
            asked.add(url)
            page = (
                search_page(get(url))
                if template.searches
                else resource_page(get(url), template.kind, self._patient_id)
            )
            resources += page.resources
            if resources > RESOURCES:
                raise NoPage("too-many-resources")
            self._news.put((key, page))
            url = page.next_url
