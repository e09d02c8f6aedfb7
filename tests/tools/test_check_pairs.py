import jupytext
import nbformat
import pytest

from tools.check_pairs import KERNEL, problems

TEXT = "# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n"


@pytest.fixture
def pair(tmp_path):
    """A notebook's .py, and a function that writes its twin after a change."""
    script = tmp_path / "01_a.py"
    script.write_text(TEXT)

    def write(change=lambda notebook: None):
        notebook = jupytext.read(script)
        notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
        for cell in notebook.cells:
            cell.metadata = nbformat.from_dict({})
        change(notebook)
        nbformat.write(notebook, script.with_suffix(".ipynb"))
        return problems(script)

    return write


def test_a_pair_in_step_has_no_problem(pair):
    assert pair() == []


def test_a_missing_twin_is_named(tmp_path):
    (tmp_path / "02_b.py").write_text(TEXT)
    assert problems(tmp_path / "02_b.py")[0].startswith("02_b.ipynb is missing")


def test_another_source_names_the_cell(pair):
    (found,) = pair(lambda notebook: notebook.cells[1].update(source="1 + 2"))
    assert found.startswith("01_a.py and 01_a.ipynb differ in cell 2")


def test_another_number_of_cells_is_told(pair):
    (found,) = pair(lambda notebook: notebook.cells.pop())
    assert found.startswith("01_a.py has 2 cells, 01_a.ipynb 1")


def test_another_kernel_is_named(pair):
    (found,) = pair(lambda notebook: notebook.metadata["kernelspec"].update(name="other"))
    assert "'other'" in found


def test_what_a_run_leaves_in_metadata_is_named(pair):
    def leave(notebook):
        notebook.metadata["papermill"] = {}
        notebook.cells[0].metadata.update(tags=["parameters"], execution={})

    assert pair(leave) == ["01_a.ipynb has metadata 'papermill'", "01_a.ipynb has metadata 'execution' in cell 1"]
