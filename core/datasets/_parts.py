"""The usual names of the parts of a data set."""

from typing import Literal

Part = Literal["train", "valid", "test"]
NAMES: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trainset", "train_set", "train_data", "trn", "tr"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev", "eval", "valid_set", "validation_set"), "valid"),
    **dict.fromkeys(("test", "testing", "tests", "testset", "test_set", "test_data", "tst"), "test"),
}


def part_of(name: str) -> Part | None:
    """Return the part that a folder's or a file's name means; None where it is another name."""
    return NAMES.get(name.strip().lower().replace("-", "_").replace(" ", "_"))


def held_out(parts: set[Part]) -> Part | None:
    """Return the part to validate on: one made for it, else the one to test on; None where there is neither."""
    return next((part for part in ("valid", "test") if part in parts), None)
