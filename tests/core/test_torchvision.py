"""torchvision imports beside any build of torch, and only when a data set asks for it."""

import subprocess
import sys


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_is_whole_and_happens_once() -> None:
    program = (
        "from core.torchvision import load\n"
        "first = load()\n"
        "import torchvision.datasets, torchvision.transforms.v2\n"
        "assert load() is first is torchvision\n"
        "print(torchvision.datasets.FashionMNIST.__name__)"
    )
    assert run(program) == "FashionMNIST"


def test_the_catalogue_itself_does_not_wait_for_it() -> None:
    program = (
        "import sys\nfrom core.datasets import datasets\n"
        "assert 'fashion_mnist' in list(datasets)\n"
        "datasets.parse('fashion_mnist')\n"
        "print('torchvision' in sys.modules, 'sklearn' in sys.modules)"
    )
    assert run(program) == "False False"


def test_other_errors_of_the_import_are_not_swallowed() -> None:
    program = (
        "import sys, types, importlib.machinery\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torchvision':\n"
        "            raise RuntimeError('something else')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "from core.torchvision import load\n"
        "try:\n    load()\n"
        "except RuntimeError as error:\n    print(error)"
    )
    assert run(program) == "something else"
