"""Kuzushiji-MNIST: grey images of cursive Japanese characters."""

from core.datasets import Dataset, datasets
from core.datasets._idx import grey_images
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero


@datasets.register(
    formula="grey images (1, 28, 28) of 10 hiragana, scaled to [0, 1]; the 60,000 of the training files",
    source="Clanuwat, Bober-Irizar, Kitamoto et al. 2018, arXiv:1812.01718; torchvision.datasets.KMNIST",
)
def kmnist(
    *,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The training files in `KMNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch kmnist`.

    With `own_test` the 10,000 images of the test files, too, which the verdict is then on.
    """
    return grey_images("kmnist", HeldOut(valid_fraction, split_seed, test_fraction, own_test))
