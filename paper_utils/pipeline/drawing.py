"""Whether images are drawn here as those that the shipped model was trained on, drawn anew to find out."""

from ..errors import CompanionError
from .cache import differences, read_numbers
from .probes import probe_images
from .results import REFERENCE, shipped
from .stages import STAGES

__all__ = ["check_drawn_images"]


def check_drawn_images() -> None:
    """Draw the golden images and compare them with their numbers in data/reference; takes a second or two.

    The probe of the stage does the same where code or libraries have changed; fonts and settings of a machine are seen
    by drawing alone.

    Raises:
        CompanionError: images differ by more than rounding, or the numbers that ship are missing or damaged.
    """
    stamp = shipped().stamp("fine_tuning")
    if stamp is None:
        return  # nothing ships that could be compared, which is said elsewhere
    expected = read_numbers(REFERENCE / "probes" / f"images-{stamp.inputs.get('images')}.json")
    if lines := differences(STAGES["images"], expected, probe_images(), most=1):
        raise CompanionError(
            f"images are drawn otherwise here than those of the shipped model ({lines[0]}): set up .venv again, undo the "
            "change of the code or the fonts that draw them, or train on these by FROM=seeds"
        )
