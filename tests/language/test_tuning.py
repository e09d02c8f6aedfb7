"""LoRA on texts: the loss falls, padding does not count, and training goes on from a checkpoint."""

import copy

import pytest
import torch
from torch.nn import functional

from paper_utils.language import tuning
from paper_utils.language.ontology import Ontology

TEXTS = [[3, 4, 5, 6, 7], [8, 9, 10], [11, 12, 13, 14]] * 6


def test_texts_are_definitional_prompts_that_go_on():
    ontology = Ontology({"Seizure": "A fit.", "Nose": "A nose."}, frozenset({"Seizure"}), {})
    assert tuning.texts(ontology) == ["Seizure is defined as a fit."]


def test_the_loss_falls_and_only_queries_and_values_change(llama):
    tuned, losses = tuning.fine_tuned(copy.deepcopy(llama), TEXTS, epochs=12)
    assert losses[-1] < 0.9 * losses[0]
    before = llama.state_dict()
    changed = {name for name, value in tuned.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {f"model.layers.{n}.self_attn.{kind}_proj.weight" for n in range(3) for kind in "qv"}


def test_padding_does_not_count(llama):
    """Oracle: each text by itself."""
    inputs, labels = tuning._padded(TEXTS[:2])
    logits = llama(input_ids=inputs, attention_mask=(labels != tuning.IGNORED).long()).logits
    found = functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=tuning.IGNORED, reduction="sum"
    )
    alone = [
        functional.cross_entropy(llama(torch.tensor([text])).logits[0, :-1], torch.tensor(text[1:]), reduction="sum")
        for text in TEXTS[:2]
    ]
    assert found == pytest.approx(float(sum(alone)), rel=1e-4)


def test_training_goes_on_from_a_checkpoint(llama, tmp_path):
    whole, losses = tuning.fine_tuned(copy.deepcopy(llama), TEXTS, epochs=3)
    path = tmp_path / "lora.pt"
    schedule = tuning.fine_tuned(copy.deepcopy(llama), TEXTS, checkpoint=path, epochs=3)
    assert schedule[1] == pytest.approx(losses)
    state = torch.load(path, weights_only=True)
    again, kept = tuning.fine_tuned(copy.deepcopy(llama), TEXTS, checkpoint=path, epochs=3)
    assert kept == pytest.approx(losses)
    assert len(state["losses"]) == 3
    for name, value in whole.state_dict().items():
        assert torch.allclose(again.state_dict()[name], value, atol=1e-5)
