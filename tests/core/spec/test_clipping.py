"""Gradient clipping in a spec, and the labels of arms that differ in an object."""

from core.spec import parse


def test_an_arm_is_named_by_what_its_object_says() -> None:
    spec = parse({"grid": {"gradient_clip": [None, {"norm": 1.0}, {"value": 0.5}], "augment": [{}, {"crop": 2}]}})
    assert [arm.label for arm in spec.expanded][::2] == [
        "gradient_clip=None, augment=default",
        "gradient_clip=norm 1.0, augment=default",
        "gradient_clip=value 0.5, augment=default",
    ]
    assert spec.expanded[1].label == "gradient_clip=None, augment=crop 2"
