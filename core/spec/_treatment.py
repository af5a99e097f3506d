"""Settings of one run's training."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.datasets import DatasetEntry
from core.initializers import InitializerEntry
from core.models import ModelEntry
from core.optimizers import OptimizerEntry
from core.schedules import ScheduleEntry
from core.spec._clipping import GradientClip
from core.spec._elsewhere import Elsewhere
from core.spec._examples import Augment
from core.spec._focal import ClassWeights, FocalLoss
from core.spec._limits import LIMITS, MixingAlpha
from core.spec._precision import Precision
from core.spec._rates import LrDecay, LrPerLayer
from core.spec._sharpness import Sam
from core.spec._stopping import EarlyStopping


class Treatment(BaseModel):
    """Settings of one run's training, all but its seed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    elsewhere: ClassVar[Mapping[str, str]] = Elsewhere()

    dataset: DatasetEntry = "digits"
    model: ModelEntry = "mlp"
    optimizer: OptimizerEntry = "adam"
    schedule: ScheduleEntry = "constant"
    initializer: InitializerEntry = "torch_default"
    batch_size: Annotated[int, Field(ge=1, le=LIMITS.batch_size)] = 100
    micro_batch_size: Annotated[int, Field(ge=1, le=LIMITS.batch_size)] | None = None
    """The most examples of a batch that the model is given at a time: the gradients of all its parts are added up for
    one update, which is that of the whole batch in less memory (gradient accumulation). None: all at once. An update
    is of `batch_size` examples either way, so that no other setting changes its meaning."""
    drop_last: bool = False
    """True: the examples that are left over for a smaller last batch are not trained in that epoch, as of torch's
    `DataLoader`. They are others in every epoch."""
    epochs: Annotated[int, Field(ge=1, le=LIMITS.epochs)] = 10
    augment: Augment = Augment()
    mixup: MixingAlpha = 0.0
    """The alpha of mixup: an update mixes every example and its label with another's, in shares from Beta(alpha, alpha)
    (Zhang et al. 2018, arXiv:1710.09412). 0: none. The loss that is trained, `train_loss`, is that of the mixtures."""
    cutmix: MixingAlpha = 0.0
    """The alpha of cutmix: a box of every picture is another's, and the labels are mixed by its area (Yun et al. 2019,
    arXiv:1905.04899). 0: none. With `mixup` too, an update has either with probability 1/2."""
    precision: Precision = "fp32"
    early_stopping: EarlyStopping | None = None
    """The rule by which a run ends before its last epoch; none: never."""
    gradient_clip: GradientClip | None = None
    """The bound on an update's gradients; none: they are used as they are."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The part of a label that is shared out among all classes (Szegedy et al. 2016, arXiv:1512.00567). The loss that
    is trained, `train_loss`, is that of the smoothed labels; every other metric is of the labels themselves."""
    class_weights: ClassWeights | None = None
    """The weight of each class in the loss that is trained; of a binary target those of the labels 0 and 1. Of classes
    a batch's loss is the weighted mean, the sum over the sum of its labels' weights, as of torch's
    `cross_entropy(weight=)`; of a binary target the mean over its examples, as of torch's `pos_weight`: `[1, p]` is
    `pos_weight=p`. None: all weigh 1."""
    focal_loss: FocalLoss | None = None
    """The loss that is trained instead of the cross-entropy; None: none."""
    weight_decay_on: Literal["all", "weights"] = "all"
    """`weights`: biases and the gains of norms, all parameters of one dimension, do not decay."""
    layer_lr_decay: LrDecay | None = None
    """The factor from a layer's learning rate to that of the layer before it: the last has the schedule's rate, the one
    before it `layer_lr_decay` times that, and so on (Bao et al. 2022, arXiv:2106.08254). A residual block, or whatever
    else stands in a list of blocks, is one layer; norms belong to the layer before them. None: all have one rate."""
    lr_per_layer: LrPerLayer | None = None
    """Factors of the learning rates of layers or parameters by name, `{"fc1": 0.1, "*.bias": 2.0}`; a whole name goes
    before names with `*`, and the first of those before the others. 0 freezes: there is no gradient, no decay and no
    step. Other factors leave weight decay to the optimizer, as a torch parameter group does."""
    sam: Sam | None = None
    """The ascent before each gradient, by sharpness-aware minimization; none: gradients are those at the weights."""
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The share of a running mean of the weights, and of norms' statistics, that remains after an update; it is judged
    beside the weights themselves, as `valid_loss_ema` and so on. None: no mean is kept; where other arms keep one, this
    one counts in those metrics by its weights themselves."""

    def updates_per_epoch(self, examples: int) -> int:
        """Return the batches, and so the updates, of an epoch of so many training examples."""
        return examples // self.batch_size if self.drop_last else math.ceil(examples / self.batch_size)
