import numpy as np
import pytest
import torch

from benchmarks import ablation as benchmark_ablation
from benchmarks import peers as benchmark_peers
from paper_utils.interventions.engine import Engine
from paper_utils.models.regressor import merged


@pytest.mark.parametrize("name", benchmark_peers.PEERS)
def test_every_library_does_the_engines_ablation(name, regressor, images):
    if name not in benchmark_peers.installed():
        pytest.skip(f"{name} is not installed; it is an optional peer of the benchmark")
    model = merged(regressor)
    assert np.allclose(
        benchmark_peers.peer_sweep(name, model, images, batch=2), Engine(model).sweep(images)[1], atol=1e-3
    )


def test_candidates_do_the_same_work_on_the_images_they_are_given(regressor, images):
    model = merged(regressor)
    engines = {name: Engine(model, linears=kind) for name, kind in benchmark_ablation.KERNELS.items()}
    labels = np.zeros((5, 3))
    found = {c.name: c for c in benchmark_ablation._candidates(model, engines, images, labels, 1, 2)}
    assert found["hooks"].images == 2
    assert found["plain"].images == found["engine_torch"].images == 5
    plain = found["plain"].work().ablated
    for name in engines:
        assert np.allclose(found[name].work()[1], plain, atol=1e-3)
    assert np.allclose(found["hooks"].work(), plain[:, :, :2], atol=1e-3)
    assert found["attribution"].warm_up().ablation().ablated.shape == (2, 3, 1, 3)


def test_memory_and_difference_are_measured(regressor, images):
    model = merged(regressor)
    engine = Engine(model)
    found = benchmark_ablation._memory(engine, torch.cat([images] * 2))
    assert found["peak_memory_mib"] > 100
    assert found["memory_of_four_times_the_images_mib"] >= 0
    assert 0 < benchmark_ablation._largest_difference(model, {"engine": engine}, images) < 1e-5
