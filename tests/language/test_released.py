"""The released protocol: the output layer recovers all, whatever the question and the weights."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paper_utils.language import released
from paper_utils.language.released import ReleasedProtocol, random_questions, recovered_by_module


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), weights=st.integers(0, 100))
def test_the_output_layer_recovers_all_of_any_question_on_any_weights(gpt2, seed, weights):
    torch.manual_seed(weights)
    model = type(gpt2)(gpt2.config).eval()
    questions = random_questions(2, vocabulary=40, seed=seed)
    questions = released.Questions(questions.clean[:, 6:], questions.corrupted[:, 6:], questions.words)
    assert recovered_by_module(model, questions, ["lm_head"]) == pytest.approx(100, abs=1e-2)


def test_questions_differ_in_two_tokens_as_the_published_sample():
    questions = random_questions(30, vocabulary=40)
    differs = (questions.clean != questions.corrupted).sum(1)
    assert questions.clean.shape == (30, 26)
    assert set(differs.tolist()) == {2}
    assert [len(words) for words in questions.words] == [8, 7]
    assert len({*questions.words[0], *questions.words[1]}) == 15


@pytest.fixture(scope="module")
def protocol():
    return ReleasedProtocol.measure(questions=4)


def test_one_of_49_matrices_is_hooked_and_48_share_four_printed_forms(protocol):
    assert protocol.kinds.loc["Conv1D"].tolist() == [48, 4, 0]
    assert protocol.kinds.loc["Linear"].tolist() == [1, 1, 1]
    assert len(protocol.by_module) == 49


def test_the_whole_stream_after_any_layer_recovers_all(protocol):
    assert protocol.whole_stream == pytest.approx(np.full((12, 4), 100), abs=1e-2)
    assert protocol.output_layer == pytest.approx((100, 100, 100), abs=1e-2)


def test_other_modules_do_not_recover_all(protocol):
    assert np.abs(protocol.by_module["transformer.h.0.attn.c_attn"] - 100).min() > 1


def test_one_token_at_a_time_is_measured_of_the_same_model(protocol):
    logits = protocol.one_token
    assert logits.plain.shape == (4, 2, 2)
    assert logits.patched.shape == (4, 12, 3, 2, 2)
    # the last layer's stream at the last token is all that is read
    assert logits.recovered()[0][2, 1, -1] == pytest.approx(100, abs=1e-2)
