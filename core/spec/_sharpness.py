"""Sharpness-aware minimization: the gradient of a batch where the batch's loss is about highest nearby."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Sam(BaseModel):
    """Gradients are taken at w + e, and applied at w, by whatever optimizer: two gradients an update.

    e = rho·g / |g|, of all parameters together (Foret et al. 2021, arXiv:2010.01412). With `adaptive`
    e = rho·w²·g / ||w|·g|, which does not depend on the scale of the weights (Kwon et al. 2021, arXiv:2102.11600) and
    wants a `rho` some ten times as large. Both gradients are of the same batch with the same dropout; the running
    statistics of batch norms, `train_loss` and the gradient noise are those at w, clipping is of the second gradient.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    rho: Annotated[float, Field(gt=0, lt=1e30)] = 0.05
    adaptive: bool = False
