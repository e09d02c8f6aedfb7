"""What a file of weights may hold, and what is no file that can be read at all."""

import os

import pytest
import torch
from safetensors.torch import save_file

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from paper_utils.models.state_dicts import opened_model, read_state_dict


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a state dict of one tensor and returns its path."""

    def save(tensor):
        torch.save({"weight": tensor}, tmp_path / "best.pth")
        return tmp_path / "best.pth"

    return save


def test_a_value_beyond_float32_is_refused_and_one_within_is_read(saved):
    with pytest.raises(CompanionError, match=r"best\.pth is damaged: weight is not finite in float32; fetch it again"):
        read_state_dict(saved(torch.tensor([1.0, 1e300], dtype=torch.float64)))
    tensors, _ = read_state_dict(saved(torch.tensor([1.0, 3e38], dtype=torch.float64)))
    assert torch.equal(tensors["weight"], torch.tensor([1.0, 3e38]))


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_eight_bits_are_read_and_asked_whether_they_are_finite(name, saved):
    values = torch.tensor([0.5, -2.0])
    tensors, _ = read_state_dict(saved(values.to(getattr(torch, name))))
    assert torch.equal(tensors["weight"], values)
    with pytest.raises(CompanionError, match="weight is not finite"):
        read_state_dict(saved(torch.tensor([torch.nan]).to(getattr(torch, name))))


@pytest.mark.skipif(not hasattr(torch, "float4_e2m1fn_x2"), reason="this torch has no four bits")
def test_four_bits_which_torch_does_not_convert_are_named(saved):
    packed = torch.zeros(4, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)
    with pytest.raises(CompanionError, match=r"has weight of torch\.float4_e2m1fn_x2, which torch cannot convert; "):
        read_state_dict(saved(packed))


def read_model(path):
    with opened_model(path):
        pass


@pytest.mark.parametrize(("read", "what"), [(read_state_dict, "checkpoint"), (read_model, "model")])
def test_a_pipe_is_not_waited_for_and_a_folder_is_said_to_be_one(read, what, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CompanionError, match=f"cannot read the {what} .*pipe: it is a pipe; give a file"):
        read(tmp_path / "pipe")
    with pytest.raises(CompanionError, match=f"cannot read the {what} {tmp_path}: it is a folder; give a file"):
        read(tmp_path)


def test_a_file_of_the_users_own_is_never_to_be_removed(saved, tmp_path):
    for path in (saved(torch.zeros(3)), tmp_path / "missing.safetensors"):
        with pytest.raises(CompanionError, match="save_regressor wrote; a state dict goes to --checkpoint") as raised:
            read_model(path)
        assert str(path) in str(raised.value)
        assert "remove" not in str(raised.value)


def test_what_ships_is_restored_and_what_a_run_made_is_made_again():
    with pytest.raises(CompanionError, match="restore it as it came: `git checkout data/reference/none.safetensors`"):
        read_model(ROOT / "data" / "reference" / "none.safetensors")
    with pytest.raises(CompanionError, match="remove it and run again"):
        read_model(ROOT / "build" / "none.safetensors")


def test_a_model_is_opened(tmp_path):
    save_file({"weight": torch.ones(2)}, tmp_path / "model.safetensors", metadata={"backbone": "embedded"})
    with opened_model(tmp_path / "model.safetensors") as file:
        assert file.metadata() == {"backbone": "embedded"}
        assert torch.equal(file.get_tensor("weight"), torch.ones(2))
