"""The residual branches of torchvision's models, by the classes of their blocks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd

from core.models._residual import ends_branch

_Branches = Callable[[Any], list[nn.Module]]


def _where(joins: str, branch: str) -> _Branches:
    """Return the branch of a block that is a residual one only where its shapes allow it."""
    return lambda block: [getattr(block, branch)] if getattr(block, joins, False) else []


_BLOCKS: Mapping[str, _Branches] = {
    "resnet.BasicBlock": lambda block: [block.conv2],
    "resnet.Bottleneck": lambda block: [block.conv3],
    "regnet.ResBottleneckBlock": lambda block: [block.f],
    "convnext.CNBlock": lambda block: [block.block],
    "efficientnet.MBConv": _where("use_res_connect", "block"),
    "efficientnet.FusedMBConv": _where("use_res_connect", "block"),
    "mobilenetv2.InvertedResidual": _where("use_res_connect", "conv"),
    "mobilenetv3.InvertedResidual": _where("use_res_connect", "block"),
    "mnasnet._InvertedResidual": _where("apply_residual", "layers"),
    "vision_transformer.EncoderBlock": lambda block: [block.self_attention.out_proj, block.mlp],
    "swin_transformer.SwinTransformerBlock": lambda block: [block.attn.proj, block.mlp],
    "swin_transformer.SwinTransformerBlockV2": lambda block: [block.attn.proj, block.mlp],
    "maxvit.MBConv": lambda block: [block.layers],
    "maxvit.PartitionAttentionLayer": lambda block: [block.attn_layer, block.mlp_layer],
}
"""Module and class of a block -> its branches, each of whose last layer is added to the residual stream."""


def mark_branches(module: nn.Module) -> None:
    """Mark the last layer of every residual branch of a torchvision model, as our own models mark theirs."""
    for block in module.modules():
        kind = type(block)
        for branch in _BLOCKS.get(f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}", lambda _block: [])(block):
            *_, last = _layers(branch)
            ends_branch(last)


def _layers(branch: nn.Module) -> Iterator[nn.Module]:
    return (layer for layer in branch.modules() if isinstance(layer, nn.Linear | _ConvNd))
