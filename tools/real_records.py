"""Every record of a folder through the service: what it makes of records that others wrote.

    python -m tools.real_records FOLDER

A record is a Bundle with one Patient, or another resource about a patient: wrapped with its Patient if its
folder has it, else with an invented one. Each is sent as it is, with a twitch, and with that as a prefetch.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask

from fhir_mappings.record import Version
from fhir_mappings.resources.fhir_version import fitting, in_r4, version_of
from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge

Resource = dict[str, Any]
_KNOWLEDGE = load_knowledge()
_TWITCH = dict(
    zip(("system", "code"), _KNOWLEDGE.terminology.findings["fasciculation"].answer or (), strict=True)
)
_INVENTED = "invented"


def records(folder: Path) -> Iterator[tuple[Path, list[Resource]]]:
    """(file, entries of one patient) of each file that is a record."""
    paths = sorted(folder.rglob("*.json"))
    patients = {
        (path.parent, f"Patient/{made.get('id')}"): made
        for path in paths
        if (made := _read(path))["resourceType"] == "Patient"
    }
    for path in paths:
        content = _read(path)
        about = next((name for name in ("subject", "patient") if name in content), None)
        if content.get("resourceType") == "Bundle":
            entries = [entry for entry in content.get("entry", ()) if "resource" in entry]
            if sum(entry["resource"].get("resourceType") == "Patient" for entry in entries) == 1:
                yield path, entries
        elif about and isinstance(content[about], dict):
            # A subject that is no patient is replaced.
            found = re.search(r"Patient/[A-Za-z0-9.-]{1,64}$", str(content[about].get("reference")))
            name = found[0] if found else f"Patient/{_INVENTED}"
            content = content if found else {**content, about: {"reference": name}}
            invented = {"resourceType": "Patient", "id": name.removeprefix("Patient/")}
            yield path, [{"resource": patients.get((path.parent, name), invented)}, {"resource": content}]


def _read(path: Path) -> Resource:
    with suppress(ValueError):
        content = json.loads(path.read_bytes())
        return {"resourceType": "", **content} if isinstance(content, dict) else {"resourceType": ""}
    return {"resourceType": ""}


def bodies(entries: list[Resource], service: Mapping[str, Any]) -> Iterator[tuple[str, str, Resource]]:
    """(way, address, body) of each way."""
    patient = next(entry for entry in entries if entry["resource"].get("resourceType") == "Patient")
    stu3 = version_of(fitting(entry["resource"]) for entry in entries) is Version.STU3
    twitch = {
        "resourceType": "Condition",
        "id": "added-twitch",
        "clinicalStatus": "active" if stu3 else {"coding": [{"code": "active"}]},
        "code": {"coding": [_TWITCH]},
        "subject": {"reference": patient.get("fullUrl") or f"Patient/{patient['resource'].get('id')}"},
    }
    twitching = [*entries, {"resource": twitch}]
    prefetch: Resource = {"patient": patient["resource"]}
    for key, template in service["prefetch"].items():
        kinds = {kind := template.partition("?")[0], "Medication" if kind.startswith("Medication") else kind}
        found = [one for one in twitching if in_r4(one["resource"].get("resourceType", "")) in kinds]
        prefetch.setdefault(key, {"resourceType": "Bundle", "type": "searchset", "entry": found})
    context = {"userId": "Practitioner/1", "patientId": patient["resource"].get("id", _INVENTED)}
    call = {"hook": service["hook"], "hookInstance": "real", "context": context, "prefetch": prefetch}
    for way, sent in (("as it is", entries), ("with a twitch", twitching)):
        yield way, "/evaluate?validate=true", {"resourceType": "Bundle", "type": "collection", "entry": sent}
    yield "prefetch", f"/cds-services/{service['id']}", call


def table(site: Flask, folder: Path) -> str:
    """Counts by folder, way and status, the answers of 500 and above, and what was not understood."""
    client, lines = site.test_client(), []
    services = client.get("/cds-services").get_json()["services"]
    service = next(one for one in services if one["hook"] == "patient-view")
    counts: Counter[str] = Counter()
    groups: dict[str, list[str]] = {}
    for path, entries in records(folder):
        for way, address, body in bodies(entries, service):
            response = client.post(address, json=body)
            counts[f"{path.parent.name:40} {way:14} {response.status_code}"] += 1
            if response.status_code >= 500:
                lines.append(f"ERROR {response.status_code}: {path}, {way}")
            content = response.get_json(silent=True) or {}
            own = (content.get("extension") or {}).get("org.fasciculation-cds", {})
            for note in (content.get("assessment") or own.get("assessment", {})).get("notUnderstood", ()):
                place = re.sub(r"\[\d+\]", "", note.get("expression", "-"))
                group = f"{place} | {re.sub(r'[0-9]+', '#', note['why'])}"
                groups.setdefault(group, []).append(f"{path.name} {note.get('reference', '')}")
    lines += [f"{name} {number:8}" for name, number in sorted(counts.items())]
    by_number = sorted(groups.items(), key=lambda one: -len(one[1]))
    lines += [f"{len(found):6} {name} | {found[0]}" for name, found in by_number]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.real_records", description="Records of others.")
    parser.add_argument("folder", type=Path)
    site = create_app(Config(public_base_url="https://cds.example"), _KNOWLEDGE)
    print(table(site, parser.parse_args().folder))
