"""Activation patching and edits of language models, for arXiv 2504.02976: what its script measures, and a protocol that can tell."""

from .decoders import decoder
from .measuring import measure, told_apart
from .ontology import Ontology, load_ontology
from .pairs import KINDS, Pair, candidate_pairs, make_pair
from .recovered import PairLogits
from .released import ReleasedProtocol, random_gpt2
from .results import Clap, PairMap
from .smollm2 import load_smollm2
from .study import compute
from .tuning import fine_tuned

__all__ = [
    "KINDS",
    "Clap",
    "Ontology",
    "Pair",
    "PairLogits",
    "PairMap",
    "ReleasedProtocol",
    "candidate_pairs",
    "compute",
    "decoder",
    "fine_tuned",
    "load_ontology",
    "load_smollm2",
    "make_pair",
    "measure",
    "random_gpt2",
    "told_apart",
]
