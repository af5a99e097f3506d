"""Names that other tools have for the settings of a training, or that belong deeper, each with the way to say it."""

from collections.abc import Iterator, Mapping

from core.datasets import datasets
from core.initializers import initializers
from core.models import models
from core.optimizers import optimizers
from core.registry import Entry, Registry
from core.schedules import schedules

_BATCH = "is micro_batch_size here: the examples of one pass, while batch_size stays that of an update"
_PRECISION = 'is precision here: "precision": "bf16", or "fp16"'
_CLIP = 'is gradient_clip here: {"norm": 1.0}'
_WARM_UP = 'is of the schedule: {"name": "linear_warmup", "warmup_steps": "10%", "after": "cosine"}'
_EMA = "is ema_decay here, such as 0.999"
_OF_OPTIMIZER = ("weight_decay", "momentum", "nesterov", "beta1", "beta2", "betas", "eps", "amsgrad")
_OF_MODEL = ("dropout", "activation", "hidden", "norm", "channels")

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("lr", "learning_rate", "base_lr"), "is of the optimizer: optimizer.lr"),
    **{name: f"is of the optimizer: optimizer.{name}" for name in _OF_OPTIMIZER},
    **{name: f"is of the model: model.{name}, where it has one" for name in _OF_MODEL},
    **dict.fromkeys(("dropout_rate", "drop_rate"), "is of the model: model.dropout, where it has one"),
    **dict.fromkeys(("gradient_accumulation", "gradient_accumulation_steps", "accumulate_grad_batches"), _BATCH),
    **dict.fromkeys(("accumulation_steps", "grad_accum", "grad_accumulation", "accum_steps"), _BATCH),
    **dict.fromkeys(("amp", "use_amp", "mixed_precision", "autocast", "fp16", "bf16", "half"), _PRECISION),
    **dict.fromkeys(("max_grad_norm", "grad_clip", "clip_grad", "clip_grad_norm", "clipnorm", "grad_norm"), _CLIP),
    **dict.fromkeys(("gradient_clipping", "gradient_clip_val", "clip_norm", "clipvalue", "clip"), _CLIP),
    **dict.fromkeys(("warmup", "warmup_steps", "warmup_ratio", "warmup_epochs", "num_warmup_steps"), _WARM_UP),
    **dict.fromkeys(("scheduler", "lr_scheduler", "lr_schedule", "lr_scheduler_type"), "is schedule here"),
    **dict.fromkeys(("ema", "model_ema", "use_ema", "ema_momentum"), _EMA),
    **dict.fromkeys(("smoothing", "label_smooth"), "is label_smoothing here"),
    **dict.fromkeys(("num_epochs", "n_epochs", "max_epochs", "num_train_epochs"), "is epochs here"),
    **dict.fromkeys(("train_batch_size", "per_device_train_batch_size", "bs"), "is batch_size here"),
    **dict.fromkeys(("init", "weight_init", "kernel_initializer"), "is initializer here"),
    **dict.fromkeys(("llrd", "layer_decay", "layerwise_lr_decay"), "is layer_lr_decay here"),
    **dict.fromkeys(("patience", "min_delta"), 'is of early_stopping: {"metric": "valid_loss", "patience": 3}'),
    **dict.fromkeys(("random_state", "seed"), "is seeds here: a number of them, or a list"),
    **dict.fromkeys(("focal", "focal_gamma"), 'is focal_loss here: {"gamma": 2.0}'),
    **dict.fromkeys(("class_weight", "pos_weight"), "is class_weights here"),
    **dict.fromkeys(("stochastic_depth", "drop_path", "drop_path_rate"), "is of the model, which has its own"),
}
"""Its name elsewhere -> the way to say it here."""
CATALOGUES: Mapping[str, Registry] = {
    "dataset": datasets,
    "model": models,
    "optimizer": optimizers,
    "schedule": schedules,
    "initializer": initializers,
}
"""The fields whose entries have parameters of their own."""


class Elsewhere(Mapping[str, str]):
    """The way to say what has another name here, or is a parameter of an entry: `test_fraction` of the data set."""

    def __getitem__(self, name: str) -> str:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
        of = [field for field, known in CATALOGUES.items() if any(name in _parameters(known[one]) for one in known)]
        if not of:
            raise KeyError(name)
        return f"is of the {' or the '.join(of)}: {' or '.join(f'{field}.{name}' for field in of)}, where it has one"

    def __iter__(self) -> Iterator[str]:
        entries = (known[one] for known in CATALOGUES.values() for one in known)
        return iter({*ELSEWHERE, *(name for entry in entries for name in _parameters(entry))})

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _parameters(entry: type[Entry]) -> set[str]:
    return {*entry.model_fields} - {"name"}
