"""Sizes of layers, and what they make of a picture's sides."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema

from core.models.layers import Shape

WIDEST = 65_536
LONGEST = 1_024
"""The longest side of a kernel, and the longest step, dilation or border."""
OUTPUTS = "outputs"
"""The word for as many as the data set asks for."""


def _width(value: Any) -> Any:
    if value == OUTPUTS or (type(value) is int and 1 <= value <= WIDEST):
        return value
    raise ValueError(f'should be a number from 1 to {WIDEST:,}, or "outputs" for as many as the data set asks for')


def _pair(value: Any) -> Any:
    if type(value) is int:
        value = [value, value]
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int and 1 <= v <= LONGEST for v in value):
        return [*value]
    raise ValueError(f"should be a number from 1 to {LONGEST:,}, or two: of the height and of the width")


def _border(value: Any) -> Any:
    value = {"valid": 0}.get(value, value) if isinstance(value, str) else value
    if type(value) is int:
        value = [value, value]
    if value == "same":
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int and 0 <= v <= LONGEST for v in value):
        return [*value]
    raise ValueError(
        f'should be "same", "valid", a number from 0 to {LONGEST:,}, or two: of the height and of the width'
    )


def _sides(least: int) -> dict[str, Any]:
    side = {"type": "integer", "minimum": least, "maximum": LONGEST}
    return {"anyOf": [side, {"type": "array", "items": side, "minItems": 2, "maxItems": 2}]}


def border_schema() -> WithJsonSchema:
    """Return the JSON schema of a border that may differ on all four sides."""
    side = {"type": "integer", "minimum": 0, "maximum": LONGEST}
    pair = {"type": "array", "items": {"anyOf": [side, {"type": "array", "items": side}]}, "minItems": 2, "maxItems": 4}
    return WithJsonSchema({"anyOf": [side, pair]})


Outputs = Annotated[
    int | Literal["outputs"],
    BeforeValidator(_width),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": WIDEST}, {"const": OUTPUTS}]}),
]
"""Units or channels of a layer; "outputs" for as many as the data set asks for."""
Pair = Annotated[list[int], BeforeValidator(_pair), WithJsonSchema(_sides(1))]
"""Of height and width; one number is both."""
Border = Annotated[
    list[int] | Literal["same"],
    BeforeValidator(_border),
    WithJsonSchema({"anyOf": [{"enum": ["same", "valid"]}, *_sides(0)["anyOf"]]}),
]
"""The border of a picture: numbers of pixels, "valid" (none), or "same": as many as keep ceil(side / stride)."""
Eps = Annotated[float, Field(gt=0, le=1)]


def width_of(units: int | Literal["outputs"], outputs: int) -> int:
    """Return the number of units or channels."""
    return outputs if isinstance(units, str) else units


def picture_of(inputs: Shape) -> tuple[int, int, int]:
    """Return (channels, height, width); raises ValueError for other inputs."""
    if len(inputs) != 3:
        raise ValueError(f"takes pictures, and gets {shown(inputs)}")
    channels, height, width = inputs
    return channels, height, width


def shown(shape: Shape) -> str:
    """Return a shape in words."""
    if len(shape) == 3:
        return f"pictures of {shape[1]} x {shape[2]} with {shape[0]} channel{'s' if shape[0] > 1 else ''}"
    return f"{shape[0]} number{'s' if shape[0] > 1 else ''}" if len(shape) == 1 else f"arrays of {shape}"


class Side(NamedTuple):
    """One side of a picture, and the pixels that are put before and after it."""

    before: int
    after: int
    given: int
    """The side of what a kernel that moves over it gives."""


class Kernel(NamedTuple):
    """A kernel that moves over pictures: of height and width each."""

    size: list[int]
    stride: list[int]
    padding: list[int] | Literal["same"]
    dilation: list[int]

    def over(self, height: int, width: int) -> tuple[Side, Side]:
        """Return what it makes of height and width; raises ValueError where it does not fit.

        "same" is Keras' rule: the border is as large as ceil(side / stride) needs, an odd pixel of it comes after the
        side. With a stride of 1 it is torch's too, which has none for others.
        """
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.size, strict=True)]
        rows, columns = (self._over(side, i, reach[i]) for i, side in enumerate((height, width)))
        if rows.given < 1 or columns.given < 1:
            around = "" if self.padding in ([0, 0], "same") else ", with the border,"
            raise ValueError(
                f"has a kernel of {reach[0]} x {reach[1]}, larger than its pictures of {height} x {width}{around}"
            )
        return rows, columns

    def _over(self, side: int, i: int, reach: int) -> Side:
        if self.padding == "same":
            border = max((-(-side // self.stride[i]) - 1) * self.stride[i] + reach - side, 0)
            before, after = border // 2, border - border // 2
        else:
            before = after = int(self.padding[i])
        return Side(before, after, (side + before + after - reach) // self.stride[i] + 1)
