"""No address that a caller or a server names leads anywhere but to the servers that the site wrote down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.request.bundles import PREFETCH_KEYS
from fhir_mappings.resources.submission import NEVER_MISSED
from service.knowledge import Knowledge
from tests.contract.fhir_server import (
    PERSON,
    TOKEN,
    FhirServer,
    Resource,
    assessment,
    call,
    record,
    reply,
    site,
)
from tests.contract.requests import SERVICE


@pytest.fixture(scope="module")
def asking(knowledge: Knowledge, fhir_servers: tuple[FhirServer, FhirServer]) -> FlaskClient:
    return site(knowledge, fhir_servers[0]).test_client()


# B: the allowed base, H: its host with port, P: its port, T: the trap's host with port, Q: the trap's port.
ATTACKS = {
    "another port": "http://{T}/fhir",
    "another port after a decimal address": "http://2130706433:{Q}/fhir",
    "decimal": "http://2130706433:{P}/fhir",
    "octal": "http://0177.0.0.1:{P}/fhir",
    "octal in one": "http://017700000001:{P}/fhir",
    "hexadecimal": "http://0x7f000001:{P}/fhir",
    "hexadecimal parts": "http://0x7f.0x0.0x0.0x1:{P}/fhir",
    "short": "http://127.1:{P}/fhir",
    "zero": "http://0:{P}/fhir",
    "any address": "http://0.0.0.0:{P}/fhir",
    "another loopback address": "http://127.0.0.2:{P}/fhir",
    "IPv6": "http://[::1]:{P}/fhir",
    "IPv6 in full": "http://[0:0:0:0:0:0:0:1]:{P}/fhir",
    "mapped IPv6": "http://[::ffff:127.0.0.1]:{P}/fhir",
    "mapped IPv6 in hexadecimal": "http://[::ffff:7f00:1]:{P}/fhir",
    "IPv6 of any": "http://[::]:{P}/fhir",
    "IPv6 with a zone": "http://[::1%25lo]:{P}/fhir",
    "NAT64": "http://[64:ff9b::7f00:1]:{P}/fhir",
    "a name for loopback": "http://localhost:{P}/fhir",
    "a public name for loopback": "http://localtest.me:{P}/fhir",
    "a name with the address in it": "http://127.0.0.1.nip.io:{P}/fhir",
    "a subdomain of localhost": "http://fhir.localhost:{P}/fhir",
    "trailing dot": "http://127.0.0.1.:{P}/fhir",
    "name with a trailing dot": "http://localhost.:{P}/fhir",
    "user": "http://user@{H}/fhir",
    "user and password": "http://user:password@{H}/fhir",
    "empty user": "http://@{H}/fhir",
    "the allowed host as user": "http://{H}@{T}/fhir",
    "the allowed host as user, encoded": "http://{H}%40{T}/fhir",
    "the allowed host as password": "http://a:{H}@{T}/fhir",
    "two at signs": "http://{H}@{T}@{H}/fhir",
    "backslash before the trap": "http://{T}\\@{H}/fhir",
    "backslash after the host": "http://{H}\\.{T}/fhir",
    "backslashes for slashes": "http:\\\\{H}\\fhir",
    "backslash in the path": "{B}\\..\\..\\",
    "one slash": "http:/{H}/fhir",
    "three slashes": "http:///{H}/fhir",
    "no scheme": "//{H}/fhir",
    "no scheme at all": "{H}/fhir",
    "scheme in capitals": "HTTP://{H}/fhir",
    "path in capitals": "http://{H}/FHIR",
    "no port": "http://127.0.0.1/fhir",
    "port 80": "http://127.0.0.1:80/fhir",
    "port with a zero before it": "http://127.0.0.1:0{P}/fhir",
    "port with a sign": "http://127.0.0.1:+{P}/fhir",
    "port too large": "http://127.0.0.1:{P}00000/fhir",
    "port in other digits": "http://127.0.0.1:１２３/fhir",
    "two ports": "http://{H}:{Q}/fhir",
    "empty port": "http://127.0.0.1:/fhir",
    "no path": "http://{H}",
    "slash alone": "http://{H}/",
    "another path": "http://{H}/other",
    "below the path": "{B}/below",
    "the path as a beginning": "{B}x",
    "out of the path": "{B}/../fhir",
    "out of the path to elsewhere": "{B}/../admin",
    "out of the path, encoded": "{B}/%2e%2e/admin",
    "out of the path, encoded twice": "{B}/%252e%252e/admin",
    "out of the path, half encoded": "{B}/.%2e/admin",
    "dot": "{B}/.",
    "encoded slash": "http://{H}%2ffhir",
    "encoded path": "http://{H}/%66hir",
    "two slashes": "http://{H}//fhir",
    "two slashes at the end": "{B}//",
    "semicolon": "{B};a=b",
    "fragment": "{B}#",
    "fragment with the allowed host": "http://{T}#{B}",
    "fragment after the trap": "http://{T}/fhir#@{H}/fhir",
    "query": "{B}?",
    "query with a path": "{B}?a=/Patient",
    "the allowed base as query": "http://{T}/?{B}",
    "space before": " {B}",
    "space after": "{B} ",
    "space in the host": "http://{H} .{T}/fhir",
    "tab": "http://{H}\t/fhir",
    "line break": "{B}\n",
    "header after a line break": "{B}\r\nHost: {T}",
    "null byte": "{B}\u0000",
    "null byte before the trap": "http://{H}\u0000.{T}/fhir",
    "full-width digits": "http://１２７.0.0.1:{P}/fhir",
    "circled digits": "http://①②⑦.⓪.⓪.①:{P}/fhir",
    "ideographic full stop": "http://127。0。0。1:{P}/fhir",
    "full-width slash": "http://{H}／fhir",
    "division slash": "http://{H}∕fhir",
    "full-width at sign": "http://{H}＠{T}/fhir",
    "soft hyphen": "http://127.0.0.1\u00ad:{P}/fhir",
    "byte order mark": "\ufeff{B}",
    "combining dot": "{B}\u0307",
    "IDN": "http://faß.example:{P}/fhir",
    "punycode": "http://xn--fa-hia.example:{P}/fhir",
    "https where http is written down": "https://{H}/fhir",
    "file": "file:///etc/passwd",
    "file with the host": "file://{H}/fhir",
    "ftp": "ftp://{H}/fhir",
    "gopher": "gopher://{H}/fhir",
    "data": "data:application/json,{}",
    "javascript": "javascript:alert(1)",
    "unix socket": "http+unix://%2Fvar%2Frun%2Fdocker.sock/fhir",
    "jar": "jar:http://{T}!/fhir",
    "scheme within": "http:http://{H}/fhir",
    "url before": "url:{B}",
    "metadata of a cloud": "http://169.254.169.254/latest/meta-data",
    "metadata of a cloud by name": "http://metadata.google.internal/computeMetadata/v1",
    "private": "http://10.0.0.1/fhir",
    "the list itself": "{B},http://{T}/fhir",
    "empty": "",
    "blank": " ",
    "a megabyte": "http://{H}/" + "a" * 1_000_000,
}


def written(attack: str, server: FhirServer, trap: FhirServer) -> str:
    hosts = [one.base.removeprefix("http://").removesuffix("/fhir") for one in (server, trap)]
    ports = [host.partition(":")[2] for host in hosts]
    values = dict(zip(("{H}", "{T}", "{P}", "{Q}", "{B}"), (*hosts, *ports, server.base), strict=True))
    for mark, value in values.items():
        attack = attack.replace(mark, value)
    return attack


def asked_for_nothing(client: FlaskClient, named: Any) -> list[str]:
    """The keys that were not seen in a call that lacks all but the conditions."""
    prefetch = {"conditions": record()["conditions"]}
    response = client.post(SERVICE, json=call(prefetch, None, **with_token(named)))
    assert response.status_code == 200, response.get_data(as_text=True)[:200]
    not_seen: list[str] = assessment(response.get_json())["notSeen"]
    return not_seen


def with_token(named: Any) -> dict[str, Any]:
    return {"fhirServer": named, "fhirAuthorization": {"access_token": TOKEN, "token_type": "Bearer"}}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_other_server_is_asked(
    asking: FlaskClient, server: FhirServer, trap: FhirServer, attack: str
) -> None:
    not_seen = asked_for_nothing(asking, written(attack, server, trap))
    assert not_seen == [key for key in PREFETCH_KEYS if key not in {"conditions", *NEVER_MISSED}]
    assert server.asked == []
    assert trap.asked == []


def test_the_one_that_is_written_down_is(asking: FlaskClient, server: FhirServer) -> None:
    assert asked_for_nothing(asking, server.base) == []
    assert asked_for_nothing(asking, server.base + "/") == []


def test_an_empty_list_never_calls_out(client: FlaskClient, server: FhirServer) -> None:
    assert len(asked_for_nothing(client, server.base)) == len(PREFETCH_KEYS) - 1 - len(NEVER_MISSED)
    assert server.asked == []


# Where a page says that the next one is; N: a next page that the allowed server would serve.
NEXT = {
    "another port": "http://{T}/fhir/Observation/more?key=labs&from=1",
    "another host": "http://localhost:{P}/fhir/Observation/more?key=labs&from=1",
    "another scheme": "https://{H}/fhir/Observation/more?key=labs&from=1",
    "another path": "http://{H}/other/Observation/more?key=labs&from=1",
    "no path": "http://{H}/Observation/more?key=labs&from=1",
    "the path as a beginning": "{B}Observation/more?key=labs&from=1",
    "out of the path": "{B}/../fhir/Observation/more?key=labs&from=1",
    "dot": "{B}/./Observation/more?key=labs&from=1",
    "encoded dots": "{B}/%2e%2e/fhir/Observation/more?key=labs&from=1",
    "encoded letter": "{B}/%4fbservation/more?key=labs&from=1",
    "encoded slash": "{B}/Observation%2fmore?key=labs&from=1",
    "two slashes": "{B}//Observation/more?key=labs&from=1",
    "user": "http://user@{H}/fhir/Observation/more?key=labs&from=1",
    "trap after an at sign": "{B}@{T}/fhir/Observation/more?key=labs&from=1",
    "backslash": "{B}\\@{T}/Observation/more?key=labs&from=1",
    "fragment": "{B}/Observation/more?key=labs&from=1#a",
    "space": "{B}/Observation/more?key=labs&from=1 ",
    "line break": "{B}/Observation/more?key=labs&from=1\r\nX: y",
    "not ASCII": "{B}/Observation/more?key=labs&from=１",
    "relative": "Observation/more?key=labs&from=1",
    "relative to the host": "/fhir/Observation/more?key=labs&from=1",
    "without a scheme": "//{T}/fhir/Observation/more?key=labs&from=1",
    "query alone": "?key=labs&from=1",
    "another resource type": "{B}/Condition/more?key=labs&from=1",
    "no resource type": "{B}/more?key=labs&from=1",
    "the resource type as a beginning": "{B}/ObservationDefinition/more?key=labs&from=1",
    "an operation": "{B}/Observation/$more?key=labs&from=1",
    "an operation of the server": "{B}/$more/more?key=labs&from=1",
    "another patient": "{B}/Observation/more?key=labs&from=1&patient=somebody-else",
    "another patient in the second": "{B}/Observation/more?key=labs&from=1&subject=Patient/somebody-else",
    "another patient, encoded": "{B}/Observation/more?key=labs&from=1&%70atient=somebody-else",
    "another patient of the server": "{B}?key=labs&from=1&x=/more?&subject:Patient=somebody-else",
    "empty": "",
    "missing": None,
    "no text": 7,
    "too long": "{B}/Observation/more?key=labs&from=1&" + "a" * 20_000,
    "file": "file:///etc/passwd",
}


# A relative link in a page of the server is relative to that page, and leads to the server itself.
RELATIVE = ("relative", "relative to the host", "query alone")
OF_SERVER = {name: url for name, url in NEXT.items() if name not in RELATIVE}


def first_page(url: Any) -> Resource:
    labs: Resource = record()["labs"]
    link = {"relation": "next", "url": url}
    return {**labs, "entry": labs["entry"][:1], "link": [link if url is not None else {"relation": "next"}]}


@pytest.mark.parametrize("attack", OF_SERVER.values(), ids=OF_SERVER)
def test_a_next_link_of_the_server_leads_nowhere_else(
    asking: FlaskClient, server: FhirServer, trap: FhirServer, attack: Any
) -> None:
    url = written(attack, server, trap) if isinstance(attack, str) else attack
    server.behaves["labs"] = lambda handler: reply(handler, first_page(url))
    prefetch = {name: value for name, value in record().items() if name != "labs"}
    response = asking.post(SERVICE, json=call(prefetch, server.base))
    assert assessment(response.get_json())["notSeen"] == ["labs"]
    assert len(server.asked) == 1
    assert trap.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "{B}?key=labs&from=1&page=/more?",
        "{B}/?key=labs&from=1&page=/more?",
        "{B}/Observation?key=labs&from=1&page=/more?",
        f"{{B}}/Observation/more?key=labs&from=1&patient={PERSON.id}",
        f"{{B}}/Observation/more?key=labs&from=1&patient:Patient=Patient/{PERSON.id}&code=a,b",
        f"{{B}}/Observation/more?key=labs&from=1&subject=http%3A%2F%2Ffhir.example%2FPatient%2F{PERSON.id}",
    ],
)
def test_a_next_link_of_the_same_search_is_followed(
    asking: FlaskClient, server: FhirServer, trap: FhirServer, url: str
) -> None:
    """As servers of several makers write it."""
    target = written(url, server, trap)

    def behave(handler: Any) -> None:
        more = "/more?" in handler.path
        reply(handler, server.answer_to(handler.path) if more else first_page(target))

    server.behaves["labs"] = behave
    prefetch = {name: value for name, value in record().items() if name != "labs"}
    response = asking.post(SERVICE, json=call(prefetch, server.base))
    assert assessment(response.get_json())["notSeen"] == []
    assert len(server.asked) == 2


@pytest.mark.parametrize("attack", NEXT.values(), ids=NEXT)
def test_a_next_link_of_the_caller_leads_nowhere_else(
    asking: FlaskClient, server: FhirServer, trap: FhirServer, attack: Any
) -> None:
    """The whole list is fetched instead."""
    url = written(attack, server, trap) if isinstance(attack, str) else attack
    response = asking.post(SERVICE, json=call({**record(), "labs": first_page(url)}, server.base))
    assert assessment(response.get_json())["notSeen"] == []
    assert ["/more" in path for path, _ in server.asked] == [False]
    assert trap.asked == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://{T}/fhir/", "{B}/", "//{T}/fhir/", "/fhir/"])
def test_no_redirect_is_followed(
    asking: FlaskClient, server: FhirServer, trap: FhirServer, status: int, target: str
) -> None:
    def redirect(handler: Any) -> None:
        path = handler.path.removeprefix("/fhir/")
        reply(handler, {}, status, Location=written(target, server, trap) + path)

    server.behaves["labs"] = redirect
    prefetch = {name: value for name, value in record().items() if name != "labs"}
    response = asking.post(SERVICE, json=call(prefetch, server.base))
    assert assessment(response.get_json())["notSeen"] == ["labs"]
    assert len(server.asked) == 1
    assert trap.asked == []


def test_no_proxy_and_no_password_of_this_machine_is_used(
    asking: FlaskClient,
    server: FhirServer,
    trap: FhirServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, trap.base.removesuffix("/fhir"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert asked_for_nothing(asking, server.base) == []
    assert trap.asked == []
    assert {headers["Authorization"] for _, headers in server.asked} == {f"Bearer {TOKEN}"}
