"""Whether a reference points at a resource: relative, absolute, versioned, urn:uuid, bare."""

from __future__ import annotations

from collections.abc import Iterable


def plain(reference: str) -> str:
    """The reference without blanks, version and trailing slash."""
    return reference.strip().split("/_history/")[0].rstrip("/")


# Each reference is held against the names of what it may mean: one of megabytes is no name.
_LONGEST_URL = 2048


def names_of(kind: str, resource_id: str | None, full_url: str | None) -> tuple[str, ...]:
    """Every string by which that resource may be referred to."""
    names = []
    if full_url and len(full_url) <= _LONGEST_URL:
        names.append(plain(full_url))
    if resource_id:
        names.append(f"{kind}/{resource_id}")
    return tuple(names)


def refers_to(reference: str, kind: str, names: Iterable[str]) -> bool:
    """Whether the reference means the resource of that kind that has those names.

    An absolute URL matches a relative name by its tail, but never another absolute URL: the same id on
    another server is another resource.
    """
    target = plain(reference)
    names = tuple(names)
    if target in names:
        return True
    absolute = [name for name in names if "://" in name]
    relative = [name for name in names if name.startswith(f"{kind}/")]
    if "://" in target:
        return not absolute and any(target.endswith(f"/{name}") for name in relative)
    if target.startswith(f"{kind}/"):
        return any(name.endswith(f"/{target}") for name in absolute)
    bare = target.removeprefix("urn:uuid:")
    return any(name == f"{kind}/{bare}" for name in relative)
