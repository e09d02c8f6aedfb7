from contextlib import suppress

import pytest
from transformers.utils import logging

from paper_utils.errors import CompanionError
from paper_utils.models import hub
from paper_utils.models.loading import load_vit


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch):
    """Oracle: the requests that the session gets; its own functions would try six times, for half a minute."""
    asked = []

    class Silent:
        def head(self, url, **options):
            asked.append(url)
            raise OSError("no network")

    monkeypatch.setattr(hub, "get_session", Silent)
    monkeypatch.setattr(hub, "is_offline_mode", lambda: False)
    hub._answers.cache_clear()
    try:
        for _ in range(2):
            with pytest.raises(
                CompanionError, match="cannot load the backbone 'models/none': .*there is no such folder"
            ):
                load_vit("models/none")
    finally:
        hub._answers.cache_clear()
    assert len(asked) == 1


@pytest.mark.parametrize("bars", [True, False])
def test_transformers_is_quiet_within_a_block_and_as_it_was_behind_it(bars, capsys):
    logging.enable_progress_bar() if bars else logging.disable_progress_bar()
    logging.set_verbosity_info()
    try:
        with suppress(KeyError), hub.quietly():
            list(logging.tqdm(range(3)))
            logging.get_logger("transformers").warning("a pooler is missing")
            raise KeyError
        assert capsys.readouterr().err == ""
        assert (logging.is_progress_bar_enabled(), logging.get_verbosity()) == (bars, logging.INFO)
    finally:
        logging.enable_progress_bar(), logging.set_verbosity_warning()
