"""A run's results by name, as the notebooks ask for them."""

from functools import cache

import numpy as np

from ..attention.mapped import MappedImages, map_images
from ..data.chirps import Chirp, LabelScale, draw_chirp
from ..data.dataset import split_seed
from ..errors import CompanionError
from ..files import read_json, way_out
from ..interventions.ablation import Ablation, ablate_every_head
from ..interventions.estimated import EstimatedAblation
from ..models.regressor import ChirpRegressor, build_regressor
from ..training.evaluation import Evaluation
from ..training.history import Epoch
from . import computations
from .compared import Compared
from .work import Arrays

__all__ = ["NamedResults"]


class NamedResults(Compared):
    """A run, of which each result is had by a method of its name: computed once, or read from what ships."""

    def history(self) -> list[Epoch]:
        """Return what each epoch of the fine-tuning came to.

        Raises:
            CompanionError: the run was given a checkpoint, which holds none, or the file is damaged.
        """
        if self.given:
            raise CompanionError(f"{self.given.source} holds no history of its training; notebook 02 needs one")
        path = self._path("fine_tuning").with_name("history.json")
        try:
            return [Epoch(**epoch) for epoch in read_json(path, kind=list)]
        except TypeError as error:
            raise CompanionError(f"{path} does not hold the epochs of a fine-tuning; {way_out(path)}") from error

    def evaluation(self) -> Evaluation:
        """Return predictions and labels of the test images."""
        arrays = self.arrays("evaluation")
        return Evaluation(arrays["predictions"], arrays["labels"], float(arrays["seconds"]))

    def unselected(self) -> Evaluation:
        """Return predictions and labels of held-out images beyond the test images, by which nothing was ever chosen."""
        arrays, first = self.arrays("pool"), self.profile.test_images
        return Evaluation(arrays["predictions"][first:], arrays["labels"][first:], 0.0)

    def ablation(self) -> EstimatedAblation:
        """Return the predictions with each head's query, key and value weights zeroed: few exact, many to first order."""
        return EstimatedAblation.of(self.arrays("ablation"), self.arrays("attribution"))

    def plain_ablation(self, *, images: int = 6) -> Ablation:
        """Return exact predictions of the first test images with each head's weights zeroed in turn: made in seconds."""
        return ablate_every_head(self.model(), *self.images(np.arange(images)))

    def replacements(self) -> Arrays:
        """Return how each image's squared error changes, (layers, heads, many), by what heads put out instead."""
        exact, linearised = self.arrays("replacements"), self.arrays("attribution")
        return self.ablation().replaced(exact, linearised)

    def removals(self) -> Arrays:
        """Return the weighted squared errors (counts, images) by the order in which heads are removed, and the counts."""
        return self.arrays("removals")

    def protocols(self) -> Arrays:
        """Return the loss of each image in each state of the weights, (1 + layers x heads, images), by sweep."""
        return self.arrays("protocols")

    def variant_predictions(self) -> Arrays:
        """Return predictions (images, 3) of the same images in every counterfactual variant, and "labels"."""
        return self.arrays("variant_predictions")

    def patching(self) -> Arrays:
        """Return predictions with heads and layers of a clean image patched into a distorted one."""
        return self.arrays("patching")

    @cache
    def mapped(self, variant: str = "published") -> MappedImages:
        """Return test images, or a variant of them, with regions and attention maps; made on the fly, in seconds."""
        self.has_read("maps")
        return self._mapped(self.model(), variant)

    def mapped_controls(self) -> dict[str, MappedImages]:
        """Return the same images with the maps of models that this fine-tuning did not make, and with shuffled maps."""
        models = computations.controls(self)
        mapped = {name: self._mapped(model, "published") for name, model in models.items()}
        return mapped | {"maps shuffled": self.mapped().shuffled()}

    def _mapped(self, model: ChirpRegressor, variant: str) -> MappedImages:
        profile = self.profile
        indices = range(profile.map_images)
        seed = split_seed(profile.seed, "test")
        return map_images(model, seed, indices, binning=profile.binning, resizing=profile.resizing, variant=variant)

    def test_chirps(self) -> list[Chirp]:
        """Return the chirps of the test images, in their order."""
        seed = split_seed(self.profile.seed, "test")
        return [draw_chirp(seed, index, binning=self.profile.binning)[0] for index in range(self.profile.test_images)]

    def trained_parameters(self) -> int:
        """Return how many numbers the fine-tuning may change: LoRA and head."""
        model = build_regressor(self.profile.backbone, LabelScale(np.zeros(3), np.ones(3)), seed=0)
        return sum(p.numel() for p in model.parameters() if p.requires_grad)
