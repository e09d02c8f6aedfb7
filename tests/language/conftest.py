"""Small language models of both families, and a tokenizer of words."""

import pytest
import torch


@pytest.fixture(scope="session")
def llama():
    """Three layers, four heads of which two for keys and values, width 32; no weight is zero or one."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "vocab_size": 40}
    model = LlamaForCausalLM(
        LlamaConfig(**sizes, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def gpt2():
    """Three layers and four heads, width 32; no weight is zero or one."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(n_layer=3, n_head=4, n_embd=32, n_positions=20, vocab_size=40))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def words():
    """A tokenizer that gives each word an id of its own: functions that tokenize and decode."""
    known: dict[str, int] = {}

    def tokenize(text):
        return [known.setdefault(word, len(known)) for word in text.split()]

    def decode(ids):
        every = list(known)
        return "".join(f" {every[one]}" for one in ids)

    return tokenize, decode
