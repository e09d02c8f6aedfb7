"""Ablate one head again on a few images, and compare with what is stored: do the stored numbers belong to the model?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ..errors import CompanionError
from ..heads import head_name
from ..models.regressor import ChirpRegressor
from .ablation import Ablation, head_zeroed, squared_errors

__all__ = ["StoredAblationCheck"]

TOLERANCE = 0.01  # seconds or hertz; both are float32, and only the order of summation differs


@dataclass(frozen=True)
class StoredAblationCheck:
    """How far a model without one head is from what is stored of it, on some of the images of an ablation."""

    head: tuple[int, int]  # layer and head, from 0: the one whose ablation raises the loss most
    largest_difference: float  # seconds or hertz
    images: int

    @classmethod
    def of(
        cls,
        model: ChirpRegressor,
        ablation: Ablation,
        *,
        pool: Mapping[str, np.ndarray],
        draw: Callable[[np.ndarray], tuple[torch.Tensor, np.ndarray]],
        count: int = 8,
    ) -> "StoredAblationCheck":
        """Run the whole model, not the engine, without its most important head.

        Args:
            model: LoRA-wrapped or merged; left as it was.
            ablation: what is stored.
            pool: "labels" and "predictions" (images, 3) of the held-out images that those of the ablation are chosen
                from; the images are found by them.
            draw: returns images (count, 3, 224, 224) and labels (count, 3) for indices into the pool.
            count: how many images, evenly over those of the ablation; all where it has fewer.

        Raises:
            CompanionError: the images of the ablation are not in the pool.
        """
        some = np.arange(0, len(ablation.labels), max(1, len(ablation.labels) // count))[:count]
        # labels tell nearly all images apart, predictions the rest
        known = np.hstack([pool["labels"], pool["predictions"]])
        wanted = np.hstack([ablation.labels[some], ablation.baseline[some]])
        indices = np.abs(wanted[:, None] - known).sum(-1).argmin(1)
        images, labels = draw(indices)
        if not np.allclose(labels, ablation.labels[some], atol=1e-3):
            raise CompanionError("the stored ablation is of images that are not in the pool; remove it and run again")
        losses = squared_errors(ablation.ablated, ablation).mean(-1)
        layer, head = (int(place) for place in np.unravel_index(losses.argmax(), losses.shape))
        with head_zeroed(model, layer, head), torch.inference_mode():
            again = model.predict(images).cpu().numpy()
        return cls((layer, head), float(np.abs(again - ablation.ablated[layer, head, some]).max()), len(some))

    def table(self) -> pd.DataFrame:
        """Return whether the largest difference is within the tolerance."""
        close = self.largest_difference < TOLERANCE
        rows = {
            "head ablated again": head_name(*self.head),
            f"predictions as stored, within {TOLERANCE:g} s or Hz": "yes" if close else "no",
            "images": str(self.images),
        }
        return pd.DataFrame({"Value": rows})
