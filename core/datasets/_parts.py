"""The usual names of the parts of a data set."""

import re
from typing import Literal

Part = Literal["train", "valid", "test"]
NAMES: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trainset", "train_set", "train_data", "trn", "tr"), "train"),
    **dict.fromkeys(("valid", "validation", "validate", "val", "dev", "eval", "valid_set", "validation_set"), "valid"),
    **dict.fromkeys(("holdout", "heldout", "hold_out", "held_out"), "valid"),
    **dict.fromkeys(("te", "ts", "test", "testing", "tests", "testset", "test_set", "test_data", "tst"), "test"),
}


def part_of(name: str) -> Part | None:
    """Return the part that a name means, or one word of it, as of "seg_train" and "val2017"; None for another name."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.strip().lower())
    words = {NAMES[word] for word in (re.sub(r"\d+$", "", word) for word in plain.split("_")) if word in NAMES}
    return NAMES.get(plain) or (words.pop() if len(words) == 1 else None)


def held_out(parts: set[Part]) -> Part | None:
    """Return the part to validate on: one made for it, else the one to test on; None where there is neither."""
    return next((part for part in ("valid", "test") if part in parts), None)
