"""The types of numbers that entries take."""

from typing import Annotated

from pydantic import Field

HUGE = 1e12
"""Largest absolute value of a number: float32 holds it, and results computed from it, with room to spare."""

Real = Annotated[float, Field(ge=-HUGE, le=HUGE)]
Positive = Annotated[float, Field(gt=0, le=HUGE)]
NonNegative = Annotated[float, Field(ge=0, le=HUGE)]
Count = Annotated[int, Field(ge=1, le=2**31)]
CountFromZero = Annotated[int, Field(ge=0, le=2**31)]
