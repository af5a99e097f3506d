"""CIFAR-10: small colour photographs of animals and vehicles."""

from core.datasets import Dataset, datasets
from core.datasets._cifar import colour_images
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero

BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
TEST = {"test_batch": "40351d587109b95175f43aff81a1287e"}


@datasets.register(
    formula="50,000 colour images (3, 32, 32) of 10 kinds of things, scaled to [0, 1]; those of the training files",
    source="Krizhevsky 2009, Learning multiple layers of features from tiny images; torchvision.datasets.CIFAR10",
)
def cifar10(
    *,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The training files in `cifar-10-batches-py` under INITLAB_DATA_ROOT: `initlab datasets fetch cifar10`.

    With `own_test` the 10,000 images of the test file, too, which the verdict is then on.
    """
    return colour_images(
        "cifar10",
        BATCHES,
        TEST,
        labels="labels",
        classes=10,
        held_out=HeldOut(valid_fraction, split_seed, test_fraction, own_test),
    )
