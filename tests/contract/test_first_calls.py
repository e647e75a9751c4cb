"""The first calls after a start may come at once: none works out what two threads cannot share."""

from __future__ import annotations

import subprocess
import sys

# What msgspec runs where the types of a Struct are not known yet.
WORKED_OUT = "get_class_annotations"
CALLED = """
import json
import sys
from pathlib import Path

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge

client = create_app(Config(), load_knowledge()).test_client()
late = []


def called(frame, event, argument):
    if event == "call" and frame.f_code.co_name == sys.argv[1]:
        late.append(str(frame.f_locals))


sys.setprofile(called)
statuses = set()
for path in sorted(Path("examples").rglob("*.json")):
    content = json.loads(path.read_bytes())
    if "hook" in content:
        paths = [f"/cds-services/fasciculation-{content['hook']}"]
    elif content.get("resourceType") == "Bundle":
        paths = ["/evaluate", "/evaluate?validate=true"]
    else:
        continue
    for address in paths:
        statuses.add(client.post(address, json=content).status_code)
sys.setprofile(None)
print(json.dumps([sorted(statuses), len(late)]))
"""


def test_no_call_works_out_the_types_of_what_it_reads() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CALLED, WORKED_OUT], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[[200], 0]"
