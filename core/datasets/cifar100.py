"""CIFAR-100: small colour photographs, of 100 kinds of things."""

from core.datasets import Dataset, datasets
from core.datasets._cifar import colour_images
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero

BATCHES = {"train": "16019d7e3df5f24257cddd939b257f8d"}
TEST = {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}


@datasets.register(
    formula="50,000 colour images (3, 32, 32) of 100 kinds of things, scaled to [0, 1]; those of the training files",
    source="Krizhevsky 2009, Learning multiple layers of features from tiny images; torchvision.datasets.CIFAR100",
)
def cifar100(
    *,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The training files in `cifar-100-python` under INITLAB_DATA_ROOT: `initlab datasets fetch cifar100`.

    The labels are the 100 fine ones. With `own_test` the 10,000 images of the test file, too, which the verdict is
    then on.
    """
    return colour_images(
        "cifar100",
        BATCHES,
        TEST,
        labels="fine_labels",
        classes=100,
        held_out=HeldOut(valid_fraction, split_seed, test_fraction, own_test),
    )
