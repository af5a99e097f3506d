"""The weights that runs have kept."""

from typing import Literal

from initlab.transport import Transport

Which = Literal["initial", "best", "final"]


class KeptWeights:
    """The part of the client that brings weights."""

    _transport: Transport

    def weights(self, run: int, which: Which | None = None) -> bytes:
        """Return the weights of a run as safetensors: `initial`, `best` or `final`, the last of these where left out.

        `safetensors.torch.load` makes `{name: tensor}` of them, for the `load_state_dict` of the plain model. Raises
        `ApiError` 404 where the run has kept none: `keep` of the spec asks for them.
        """
        return self._transport.request("GET", f"/runs/{run}/weights.safetensors", params={"which": which}).content
