"""Code systems and codes in every spelling that client systems use, as look-up keys; names and texts folded.

Tables match on system and code, never on display. `code_key` makes the keys, so that aliases of a system, ICD
codes without their dot and stray blanks find the same entry.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CodeKey = tuple[str, str]

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
HPO = "http://human-phenotype-ontology.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"

# One table of aliases: identifiers without scheme, lower case. OIDs and addresses: HL7/UTG a19c2636 (naming
# systems); ICD-10-GM and the German ATC: hl7germany/basisprofil-de-r4 b4658ad5; dm+d: NHSDigital
# IOPS-FHIR-Simplifier-Backup, NHSdmd.md; names: as client systems write them in place of an address.
_ALIASES = {
    SNOMED: "2.16.840.1.113883.6.96 dmd.nhs.uk snomed snomed-ct snomedct sct",
    LOINC: "2.16.840.1.113883.6.1 loinc ln",
    ICD_10: "2.16.840.1.113883.6.3 terminology.hl7.org/codesystem/icd10 icd-10 icd10 i10"
    " fhir.de/codesystem/bfarm/icd-10-gm fhir.de/codesystem/dimdi/icd-10-gm icd-10-gm",
    ICD_10_CM: "2.16.840.1.113883.6.90 terminology.hl7.org/codesystem/icd10cm icd-10-cm icd10cm i10c",
    HPO: "2.16.840.1.113883.6.339 purl.obolibrary.org/obo/hp.owl hpo hp",
    RXNORM: "2.16.840.1.113883.6.88 rxnorm",
    ATC: "2.16.840.1.113883.6.73 fhir.de/codesystem/bfarm/atc fhir.de/codesystem/dimdi/atc atc",
    NDC: "2.16.840.1.113883.6.69 ndc",
}
_SCHEME = re.compile(r"(?:https?://|urn:oid:|oid:)?+(?:www\.)?+")
# Hosts and paths below which an edition or a version may follow: "http://snomed.info/sct/731000124108".
_SYSTEMS = {
    alias: system
    for system, aliases in _ALIASES.items()
    for alias in (_SCHEME.sub("", system, count=1), *aliases.split())
}
# "SNOMED CT", "icd_10"
_BLANKS = re.compile(r"[\s_]+")
# A national or local address that names ICD-10 in one of four languages; its own codes are longer than WHO's.
_NAMES_ICD_10 = re.compile(
    r"(?:^|[/.:-])(?:(?:br)?(?:icd|cim|cid|cie)-?10|icd/release/10)(?![0-9]|-?cm[a-z])(-?cm)?(?!.*pcs)"
)
_MOST_PARTS = 1 + max(alias.count("/") for alias in _SYSTEMS)
_HOSTS = frozenset(alias.partition("/")[0] for alias in _SYSTEMS)
_LONGEST_SYSTEM = 200
_LONGEST_CODE = 2000
# A SNOMED CT expression: a concept with its term and refinements.
_EXPRESSION = re.compile(r"(?:={3}|<{3})?\s*+(\d{6,18})\s*+(?:\|[^|]*+\|)?\s*+(?::(.*))?", re.DOTALL)
# Attributes that make another statement of a finding: absent, past, of somebody else.
# SNOMED-Documents/snomed-editorial-guide 253cf21, situation with explicit context.
# An attribute in words alone may be any of them.
_CONTEXT = re.compile(r"\b(?:408729009|408731000|408732007|246090004)\b|(?:^|[,{])\s*\|")
# Marks that ICD-10 writes behind a code: dagger, asterisk and the exclamation mark of ICD-10-GM.
_ICD_MARKS = "†*!+- "

# The usual systems as usually written.
_AS_WRITTEN = frozenset((SNOMED, LOINC, HPO, RXNORM, ATC, NDC))

# A word of a name or text, in lower case or not.
WORD = re.compile(r"[^\W_]+")
# A minus sign that is no hyphen: "- twitching", "twitching (-)".
_MINUS = re.compile(r"(?:^|[\s(])[-\u2212\u2013](?=$|[\s)\w])|[-\u2212\u2013]$")
# Between two words it joins them: "O/E - twitching".
_DASH = re.compile(r"(?<=\w)\s++[-\u2013]\s++(?=[^\W\d_])")
_TAG = re.compile(r"\((?:finding|disorder|symptom|observable entity|procedure)\)\s*$")


def code_key(system: str, code: str) -> CodeKey:
    """The key under which a coding is looked up.

    >>> code_key("http://hl7.org/fhir/sid/icd-10-cm/", "x123") == code_key(ICD_10_CM, "X12.3")
    True
    """
    code = code.strip()
    if system not in _AS_WRITTEN:
        system = system_of(system)
    if system == SNOMED:
        return system, code if code.isdigit() else _focus(code)
    if system in (ICD_10, ICD_10_CM):
        code = code.upper().rstrip(_ICD_MARKS).replace(".", "")
    elif system in (LOINC, ATC):
        code = code.upper()
    return system, code


def system_of(written: str) -> str:
    """The code system of an address, OID or name in any spelling; an unknown one as written.

    >>> system_of("HTTPS://SNOMED.info/sct/731000124108"), system_of("urn:oid:2.16.840.1.113883.6.1")
    ('http://snomed.info/sct', 'http://loinc.org')
    """
    system = written.strip().rstrip("/")
    return system if len(system) > _LONGEST_SYSTEM else _known_system(system)


# The systems of a site are few, and stand in every record.
@lru_cache(maxsize=1000)
def _known_system(system: str) -> str:
    name = _SCHEME.sub("", system.casefold(), count=1).split("|")[0].rstrip("/#")
    known = _SYSTEMS.get(_BLANKS.sub("-", name))
    if known is not None:
        return known
    host, *parts = name.split("/", _MOST_PARTS)
    if host in _HOSTS:
        for count in range(len(parts) - 1, -1, -1):
            stem = "/".join((host, *parts[:count]))
            if stem in _SYSTEMS:
                return _SYSTEMS[stem]
    if icd := _NAMES_ICD_10.search(_BLANKS.sub("-", name)):
        return ICD_10_CM if icd[1] else ICD_10
    return system


def _focus(expression: str) -> str:
    """The concept of a SNOMED CT expression; the expression where it is of several, or of another context."""
    match = _EXPRESSION.fullmatch(expression) if len(expression) <= _LONGEST_CODE else None
    if match is None or (match[2] and _CONTEXT.search(match[2])):
        return expression
    return match[1]


def folded(text: str) -> str:
    """A text without regard to case and blanks.

    >>> folded(" Muscle  TWITCHING ")
    'muscle twitching'
    """
    return " ".join(text.casefold().split())


def name_key(text: str) -> str:
    """A name without regard to case, blanks and punctuation; "" where a minus sign may deny it.

    The tag of a SNOMED CT name is no part of it: "Fasciculation (finding)".

    >>> name_key("Fasciculation(s), muscle."), name_key("Fasciculation (-)")
    ('fasciculation s muscle', '')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    text = _DASH.sub(" ", text)
    return "" if _MINUS.search(text) else " ".join(WORD.findall(_TAG.sub("", text.casefold())))


def written_code(key: CodeKey) -> str:
    """The code of a key as its system writes it: ICD codes with their dot.

    >>> written_code(code_key(ICD_10_CM, "x12.3"))
    'X12.3'
    """
    system, code = key
    if system in (ICD_10, ICD_10_CM) and len(code) > 3:
        return f"{code[:3]}.{code[3:]}"
    return code
