"""Fashion-MNIST: grey images of clothes."""

from core.datasets import Dataset, datasets
from core.datasets._idx import grey_images
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero


@datasets.register(
    formula="grey images (1, 28, 28) of 10 kinds of clothes, scaled to [0, 1]; the 60,000 of the training files",
    source="Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747; torchvision.datasets.FashionMNIST",
    aliases=["fashionmnist"],
)
def fashion_mnist(
    *,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The training files in `FashionMNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch fashion_mnist`.

    With `own_test` the 10,000 images of the test files, too, which the verdict is then on.
    """
    return grey_images("fashion_mnist", HeldOut(valid_fraction, split_seed, test_fraction, own_test))
