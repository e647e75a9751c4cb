"""References to resources: relative, absolute, versioned, urn:uuid or a bare id."""

from __future__ import annotations

from collections.abc import Iterable


def plain(reference: str) -> str:
    """The reference without blanks, version and trailing slash."""
    return reference.strip().split("/_history/")[0].rstrip("/")


# Each reference is compared with the names of resources: a name of megabytes would hold a worker.
_MAX_URL_LENGTH = 2048


def names_of(kind: str, resource_id: str | None, full_url: str | None) -> tuple[str, ...]:
    """Every string by which another resource may refer to that one."""
    names = []
    if full_url and len(full_url) <= _MAX_URL_LENGTH:
        names.append(plain(full_url))
    if resource_id:
        names.append(f"{kind}/{resource_id}")
    return tuple(names)


def refers_to(reference: str, kind: str, names: Iterable[str]) -> bool:
    """Whether the reference means the resource of that type with those names.

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
