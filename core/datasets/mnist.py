"""MNIST: grey images of handwritten digits."""

from core.datasets import Dataset, datasets
from core.datasets._idx import grey_images
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero


@datasets.register(
    formula="grey images (1, 28, 28) of the digits 0-9, scaled to [0, 1]; the 60,000 of the training files",
    source="LeCun, Bottou, Bengio & Haffner 1998, Proceedings of the IEEE 86; torchvision.datasets.MNIST",
)
def mnist(
    *,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The training files in `MNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch mnist`.

    With `own_test` the 10,000 images of the test files, too, which the verdict is then on.
    """
    return grey_images("mnist", HeldOut(valid_fraction, split_seed, test_fraction, own_test))
