"""The command that sends a request to the service from a shell."""

from __future__ import annotations

# A shell takes a few hundred kilobytes; longer requests are read from a file.
_LONGEST = 100_000


def curl_of(base_url: str, path: str, text: str) -> str:
    """A curl command for that request. text: its JSON, passed as it is by a here-document."""
    kind = "application/json" if path.startswith("/cds-services/") else "application/fhir+json"
    head = f"curl -s -H 'Content-Type: {kind}' --data-binary"
    if len(text) > _LONGEST:
        return f"{head} @request.json '{base_url}{path}'"
    end = "JSON"
    while end in text.splitlines():
        end += "_END"
    return f"{head} @- '{base_url}{path}' <<'{end}'\n{text.rstrip()}\n{end}\n"
