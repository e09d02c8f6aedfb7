import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import nbformat
import pytest
from transformers import ViTConfig, ViTModel

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json
from paper_utils.pipeline.run import Run
from tools import execute, kernels

PARAMETERS = '# %% tags=["parameters"]\nprofile, source, backbone, pixels = "smoke", "reference", None, ""\n'


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a notebook of code cells, in a folder whose name has a space."""

    def write(*cells, parameters=""):
        path = tmp_path / "my notebooks" / "01_some.py"
        path.parent.mkdir()
        path.write_text("# %% [markdown]\n# # Title\n\n" + parameters + "".join(f"\n# %%\n{cell}\n" for cell in cells))
        return path

    return write


def outputs(path):
    """Return the text that each code cell of an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    return ["".join(output.text for output in cell.outputs) for cell in cells if cell.cell_type == "code"]


@pytest.fixture
def run(script, tmp_path):
    """Return a function that executes such a notebook and returns what its cells printed."""

    def execute_cells(*cells, parameters=None, head=""):
        target = tmp_path / "executed.ipynb"
        source = script(*cells, parameters=head)
        execute.run_notebook(source, target, parameters=parameters, log=tmp_path / "some.log")
        return outputs(target)

    return execute_cells


def test_a_notebook_runs_in_its_own_folder_and_keeps_no_times(run, tmp_path):
    assert run("import os; print(os.getcwd())") == [f"{tmp_path / 'my notebooks'}\n"]
    notebook = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    assert not {"papermill", "language_info"} & notebook.metadata.keys()
    assert not {"papermill", "execution", "tags"} & {key for cell in notebook.cells for key in cell.metadata}
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1]


def test_parameters_replace_the_notebooks_own(run):
    printed = run("print(profile, source)", parameters={"source": "fresh"}, head=PARAMETERS)
    assert printed == ["", "", "smoke fresh\n"]


def test_without_parameters_a_notebook_keeps_its_cells_and_their_ids(tmp_path):
    path = tmp_path / "01_some.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("print(1)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    execute.run_notebook(path, path)
    after = nbformat.read(path, as_version=4)
    assert [cell.id for cell in after.cells] == [cell.id for cell in cells]
    assert outputs(path) == ["1\n"]


def test_the_kernel_is_this_python_whatever_jupyter_path_offers(run, tmp_path, monkeypatch):
    other = tmp_path / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    argv = ["/bin/false", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (other / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "another", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    assert run("import sys; print(sys.executable)") == [f"{sys.executable}\n"]


def test_the_package_is_this_checkouts_whatever_pythonpath_and_startup_files_say(run, tmp_path, monkeypatch):
    other = tmp_path / "other checkout"
    (other / "paper_utils").mkdir(parents=True)
    (other / "paper_utils" / "__init__.py").write_text("raise SystemExit('of another checkout')")
    startup = tmp_path / "ipython" / "profile_default" / "startup" / "00.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(f"import sys; sys.path.insert(0, {str(other)!r})")
    monkeypatch.setenv("PYTHONPATH", str(other))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    assert run("import paper_utils; print(paper_utils.__file__)") == [f"{ROOT / 'paper_utils' / '__init__.py'}\n"]


def test_a_long_temporary_folder_is_no_obstacle(run, tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert run("import os; print('ran')") == ["ran\n"]


KILLED_LOADER = """
import multiprocessing.util, os, torch
class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 4
    def __getitem__(self, index):
        multiprocessing.util.get_temp_dir()
        os.kill(os.getpid(), 9)
list(torch.utils.data.DataLoader(Numbers(), num_workers=1))
"""


def test_what_a_killed_loader_leaves_goes_with_the_notebook(run, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:  # tmp_path may be too long for sockets
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        with pytest.raises(
            CompanionError, match="a process that draws or reads its images was killed, probably because"
        ):
            run(KILLED_LOADER.strip())
        assert os.listdir(folder) == []


def test_sockets_lie_in_the_folder_as_long_as_their_path_is_short_enough():
    longest = f"/tmp/{'a' * (kernels.LONGEST_SOCKET_PATH - len('/tmp//kernel-99'))}"
    short, long = (kernels.kernel_settings(folder)["KernelManager"] for folder in (longest, f"{longest}a"))
    assert (short["transport"], short["ip"]) == ("ipc", f"{longest}/kernel")
    assert (long["transport"], long["ip"]) == ("tcp", "127.0.0.1")


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "a file"])
def test_home_need_not_take_files(run, tmp_path, monkeypatch, missing):
    home = tmp_path / "home"
    if not missing:
        home.write_text("")
    monkeypatch.setenv("HOME", str(home))
    for name in kernels.HOME_FOLDERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "chosen"))  # what the user set stays
    (printed,) = run(
        "import os, IPython.paths, matplotlib, matplotlib.pyplot\n"
        "print(IPython.paths.get_ipython_dir(), matplotlib.get_configdir(), os.environ['JUPYTER_RUNTIME_DIR'], sep='|')"
    )
    ipython, mpl, runtime = printed.strip().split("|")
    assert mpl == str(tmp_path / "chosen")
    assert all(path.startswith(tempfile.gettempdir()) and not path.startswith(str(home)) for path in (ipython, runtime))
    assert not home.exists() or home.is_file()
    assert "IPYTHONDIR" not in os.environ


def test_the_notebooks_own_error_is_the_message(run, tmp_path):
    with pytest.raises(CompanionError, match=r"^01_some\.py: x is missing; run y$"):
        run("from paper_utils.errors import CompanionError", "raise CompanionError('x is missing; run y')")
    assert not (tmp_path / "executed.ipynb").exists()


def test_another_error_is_named_and_its_traceback_kept(run, tmp_path):
    with pytest.raises(CompanionError, match=r"^01_some\.py: ZeroDivisionError: division by zero; see .*some\.log$"):
        run("print(1)", "1 / 0")
    assert "ZeroDivisionError" in (tmp_path / "some.log").read_text()


def test_a_killed_kernel_is_one_line(run, tmp_path):
    with pytest.raises(
        CompanionError, match=r"^01_some\.py: its kernel was killed, probably because memory ran out; .*$"
    ):
        run("import os, sys; print('last words', file=sys.__stderr__, flush=True); os.kill(os.getpid(), 9)")
    assert not (tmp_path / "executed.ipynb").exists()
    assert "last words" in (tmp_path / "some.log").read_text()


def test_a_kernel_that_does_not_start_is_one_line(run, monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "make_ipkernel_cmd", lambda: [sys.executable, "-m", "no_such_kernel"])
    with pytest.raises(CompanionError, match=r"^01_some\.py: no kernel starts with "):
        run("print(1)")
    assert "no_such_kernel" in (tmp_path / "some.log").read_text()


@pytest.mark.slow
def test_text_is_utf8_in_a_locale_that_knows_ascii_alone(script, tmp_path):
    notebook = script("print('μ', open('table.csv').read())")
    (notebook.parent / "table.csv").write_text("−é", encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from paper_utils.errors import reported; from tools.execute import run_notebook\n"
        "with reported():\n    run_notebook(*map(Path, sys.argv[1:])); print(chr(956))"
    )
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program, str(notebook), str(tmp_path / "out.ipynb")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | locale, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"?\n"), done.stderr
    assert outputs(tmp_path / "out.ipynb") == ["μ −é\n"]


def test_a_notebook_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CompanionError, match="there is no notebook .*09_none.py"):
        execute.run_notebook(tmp_path / "09_none.py", tmp_path / "out.ipynb")


@pytest.fixture
def smoke(tmp_path):
    return Run("smoke", "seeds", root=tmp_path)


@pytest.mark.slow
def test_a_run_keeps_the_notebook_and_what_it_took(script, smoke, tmp_path):
    cells = "print(profile, source, backbone, pixels)", "import time; time.sleep(1.5)"
    found = execute.execute(script(*cells, parameters=PARAMETERS), smoke)
    assert found == tmp_path / "build" / "smoke" / "01_some.ipynb"
    assert outputs(found)[2] == "smoke seeds embedded published\n"
    took = read_json(found.parent / "notebooks" / "01_some.run.json")
    assert took["seconds"] > 1.5
    assert took["peak_memory_mib"] > 50


def test_a_run_that_failed_records_nothing(script, smoke):
    with pytest.raises(CompanionError):
        execute.execute(script("1 / 0", parameters=PARAMETERS), smoke)
    assert [path.name for path in smoke.build.iterdir()] == ["01_some.log"]


def test_a_folder_that_takes_no_files_is_named_before_anything_runs(smoke, tmp_path):
    (tmp_path / "figures").write_text("a file where a folder should be")
    with pytest.raises(CompanionError, match="cannot write in .*figures/smoke: .*; change permissions"):
        execute.check_before_running(smoke)


def run_on(folder, **sizes):
    """Return a run, which computes in a folder of its own, on a narrow ViT of these sizes."""
    ViTModel(ViTConfig(hidden_size=12, intermediate_size=12, **sizes)).save_pretrained(folder / "vit")
    return Run("smoke", "seeds", backbone=str(folder / "vit"), root=folder / "runs")


def test_a_backbone_of_larger_images_is_named_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "check_drawn_images", lambda: pytest.fail("it was looked at too late"))
    run = run_on(tmp_path, num_hidden_layers=1, num_attention_heads=1, image_size=384)
    with pytest.raises(CompanionError, match="takes images of 384 pixels in patches of 16, not those of 224"):
        execute.check_before_running(run)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("layers", "heads"), [(6, 2), (7, 1)])
def test_a_backbone_of_too_few_layers_or_heads_is_named_before_anything_runs(tmp_path, layers, heads):
    run = run_on(tmp_path, num_hidden_layers=layers, num_attention_heads=heads)
    with pytest.raises(
        CompanionError, match=f"has {layers} layers of {heads} heads, .*give one of 7 layers of 2 heads"
    ):
        execute.check_before_running(run)
    assert not (tmp_path / "runs").exists()


def test_a_backbone_of_too_few_patches_is_named_before_anything_runs(tmp_path):
    run = run_on(tmp_path, num_hidden_layers=7, num_attention_heads=2, patch_size=112)
    with pytest.raises(CompanionError, match="sees an image in 2 x 2 patches, .*give one of 4 x 4"):
        execute.check_before_running(run)
    assert not (tmp_path / "runs").exists()


def test_a_backbone_that_does_not_say_how_it_normalises_is_named_before_anything_runs(tiny_backbone, tmp_path):
    for backbone, message in (
        (tiny_backbone, "there is no preprocessor_config.json in"),
        (None, "the embedded backbone"),
    ):
        run = Run("smoke", "seeds", backbone=backbone, pixels="backbone", root=tmp_path)
        with pytest.raises(CompanionError, match=message):
            execute.check_before_running(run)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_unknown_profile_is_one_line():
    command = [sys.executable, "-m", "tools.execute", "notebooks/01_generate_chirps.py", "--profile", "desktop"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 1
    assert said.stderr.startswith("error: ")
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_kernel_says_one_line_and_leaves_nothing(script, tmp_path, how):
    notebook = script(f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(120)")
    program = (
        "from pathlib import Path; from paper_utils.pipeline.run import Run; from tools.execute import execute\n"
        "from paper_utils.errors import reported\n"
        f"with reported(): execute(Path({str(notebook)!r}), Run('smoke', 'seeds', root=Path({str(tmp_path)!r})))"
    )
    command = [sys.executable, "-c", program]

    def heed_interrupts():  # a shell's background jobs are started deaf to them
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen(command, cwd=ROOT, text=True, env=environment, preexec_fn=heed_interrupts, **pipes)
    try:
        deadline = time.monotonic() + 60
        while not ((tmp_path / "pid").is_file() and (tmp_path / "pid").read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said == "stopped; run the same command again to continue\n"
    kernel = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not os.path.exists(f"/proc/{kernel}"):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the kernel still runs")
    assert not (tmp_path / "build" / "smoke" / "01_some.ipynb").exists()
    assert list((tmp_path / "tmp").iterdir()) == []
