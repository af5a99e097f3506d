"""Made by `python -m tests.initlab.builders`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

def spec(*, dataset: Literal['breast_cancer', 'cifar10', 'cifar100', 'diabetes', 'digits', 'fashion_mnist', 'kmnist', 'mnist', 'teacher_student', 'two_spirals', 'uploaded'] | Mapping[str, Any] = 'digits', model: Literal['cnn', 'lenet5', 'mlp', 'resnet', 'sequential', 'torchvision', 'transformer'] | Mapping[str, Any] = 'mlp', optimizer: Literal['adagrad', 'adam', 'adamw', 'adan', 'lamb', 'lars', 'lion', 'muon', 'nadam', 'radam', 'rmsprop', 'schedule_free_adamw', 'sgd'] | Mapping[str, Any] = 'adam', schedule: str | Mapping[str, Any] = 'constant', initializer: str | Mapping[str, Any] = 'torch_default', batch_size: int = 100, micro_batch_size: int | None = None, drop_last: bool = False, epochs: int = 10, augment: Mapping[str, Any] = {'crop': 0, 'flip': False}, mixup: float = 0.0, cutmix: float = 0.0, precision: Literal['fp32', 'tf32', 'bf16', 'fp16'] = 'fp32', early_stopping: Mapping[str, Any] | None = None, gradient_clip: Mapping[str, Any] | None = None, label_smoothing: float = 0.0, class_weights: Literal['balanced'] | Sequence[float] | None = None, focal_loss: Mapping[str, Any] | None = None, weight_decay_on: Literal['all', 'weights'] = 'all', layer_lr_decay: float | None = None, lr_per_layer: Mapping[str, Any] | None = None, sam: Mapping[str, Any] | None = None, ema_decay: float | None = None, name: str = 'untitled', arms: Sequence[Mapping[str, Any]] | None = None, grid: Mapping[str, Any] | None = None, seeds: int | Sequence[int] | Mapping[str, Any] = 5, split: Literal['fixed', 'per_seed'] = 'fixed', vary: Sequence[Literal['init', 'split', 'order', 'dropout']] | None = None, baseline: str | None = None, margin: float | None = None, alpha: float = 0.05, study: str | None = None, tags: Sequence[str] = [], priority: int = 0, device: Literal['auto', 'cpu', 'cuda'] = 'auto', queue: str | None = None, checkpoint_every: float = 20.0, memory_limit: float = 0.6, layout: Literal['auto', 'loop', 'vmap'] = 'auto', threads: int = 1, lanes: int | None = None, evaluate: Mapping[str, Any] = {'train': 'sample', 'examples': True, 'classification': True}, target: Mapping[str, Any] | None = None, diagnostics: Mapping[str, Any] | None = None, kind: Literal['comparison', 'lr_range_test', 'batch_size_scan', 'coordinate_check'] | None = None, lr_range: Mapping[str, Any] | None = None, batch_size_scan: Mapping[str, Any] | None = None, coordinate_check: Mapping[str, Any] | None = None, pruning: Mapping[str, Any] | None = None, repeat: Mapping[str, Any] | None = None, keep: Literal['initial', 'best', 'final'] | Sequence[Literal['initial', 'best', 'final']] | None = None, plugins: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a whole spec: the base's settings, and what is compared, by `arms` or `grid`."""
def arm(label: str, paths: Mapping[str, Any] = {}, *, dataset: Literal['breast_cancer', 'cifar10', 'cifar100', 'diabetes', 'digits', 'fashion_mnist', 'kmnist', 'mnist', 'teacher_student', 'two_spirals', 'uploaded'] | Mapping[str, Any] = 'digits', model: Literal['cnn', 'lenet5', 'mlp', 'resnet', 'sequential', 'torchvision', 'transformer'] | Mapping[str, Any] = 'mlp', optimizer: Literal['adagrad', 'adam', 'adamw', 'adan', 'lamb', 'lars', 'lion', 'muon', 'nadam', 'radam', 'rmsprop', 'schedule_free_adamw', 'sgd'] | Mapping[str, Any] = 'adam', schedule: str | Mapping[str, Any] = 'constant', initializer: str | Mapping[str, Any] = 'torch_default', batch_size: int = 100, micro_batch_size: int | None = None, drop_last: bool = False, epochs: int = 10, augment: Mapping[str, Any] = {'crop': 0, 'flip': False}, mixup: float = 0.0, cutmix: float = 0.0, precision: Literal['fp32', 'tf32', 'bf16', 'fp16'] = 'fp32', early_stopping: Mapping[str, Any] | None = None, gradient_clip: Mapping[str, Any] | None = None, label_smoothing: float = 0.0, class_weights: Literal['balanced'] | Sequence[float] | None = None, focal_loss: Mapping[str, Any] | None = None, weight_decay_on: Literal['all', 'weights'] = 'all', layer_lr_decay: float | None = None, lr_per_layer: Mapping[str, Any] | None = None, sam: Mapping[str, Any] | None = None, ema_decay: float | None = None) -> dict[str, Any]:
    """Return an arm: its label, and the settings that it has instead of the base's."""

class _Initializers:
    def constant(self, *, value: float, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """All weights `value`: the units of a hidden layer start equal."""
    def delta_orthogonal(self, *, gain: float = 1.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """An orthogonal map at the centre of the kernel: the convolution keeps lengths. Each group is a map of its own."""
    def depth_scaled(self, *, std: float = 0.02, n_layer: int | None = None, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal of one standard deviation, smaller for the last layer of each residual branch."""
    def dirac(self, *, groups: int | None = None, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Each output channel is the input channel of its number in its group. `groups`, left out, are the layer's own."""
    def glorot_normal(self, *, gain: float = 1.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal of variance 2·gain² / (fan_in + fan_out), as in torch and Paddle; Keras' is truncated."""
    def glorot_normal_truncated(self, *, gain: float = 1.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal without its tails, of variance 2·gain² / (fan_in + fan_out) after the cut, as in Keras and JAX."""
    def glorot_uniform(self, *, gain: float = 1.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform of variance 2·gain² / (fan_in + fan_out)."""
    def he_normal(self, *, mode: Literal['fan_in', 'fan_out'] = 'fan_in', a: float = 0.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal of variance 2 / fan, as in torch and Paddle; Keras' is truncated. Parameters as in `he_uniform`."""
    def he_normal_truncated(self, *, mode: Literal['fan_in', 'fan_out'] = 'fan_in', a: float = 0.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal without its tails, of variance 2 / fan after the cut, as in Keras and JAX."""
    def he_uniform(self, *, mode: Literal['fan_in', 'fan_out'] = 'fan_in', a: float = 0.0, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform of variance 2 / fan; `a` is the negative slope of a leaky rectifier."""
    def identity(self, *, gain: float = 1.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Each output is `gain` times the input of its number, as far as there is one."""
    def keras_random_normal(self, *, mean: float = 0.0, std: float = 0.05, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """`normal` with Keras' defaults."""
    def keras_random_uniform(self, *, low: float = -0.05, high: float = 0.05, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """`uniform` with Keras' defaults."""
    def lecun_normal(self, *, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal without its tails, of variance 1 / fan_in after the cut; what SELU networks start from."""
    def lecun_uniform(self, *, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform of variance 1 / fan_in."""
    def lsuv(self, *, tol: float = 0.1, max_iter: int = 10, examples: int = 256, std: float = 1.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Layer-sequential unit variance: every layer's outputs are given the standard deviation `std`."""
    def model_default(self, *, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """The model's own start: every weight, bias and norm as its constructor draws it under the seed."""
    def mup(self, *, base_width: int, of: str | Mapping[str, Any] = 'he_normal', bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Maximal-update parametrization: one learning rate suits every width of a network."""
    def normal(self, *, mean: float = 0.0, std: float = 0.01, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal of a fixed standard deviation (not variance), not truncated."""
    def normal_rule(self, *, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal of variance 1 / fan_in."""
    def ones(self, *, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """All weights 1: the units of a hidden layer start equal, and their output grows like fan_in."""
    def orthogonal(self, *, gain: float = 1.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Rows or columns of one length, at right angles to one another; a convolution is flattened to (out, fan_in)."""
    def per_layer(self, *, layers: Mapping[str, Any], default: str | Mapping[str, Any] = 'torch_default', bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Each layer in `layers` by its own initializer, bias included, and every other by `default`."""
    def sparse(self, *, sparsity: float, std: float = 0.01, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal weights, of which each input keeps the same number, chosen at random."""
    def torch_default(self, *, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """PyTorch's own default for linear and convolution layers, biases included."""
    def trunc_normal(self, *, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal cut at two values, not at two standard deviations: the 0.02 of transformers is not cut at all."""
    def truncated_normal(self, *, mean: float = 0.0, std: float = 0.05, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Normal without its tails; `std` is that of the normal before the cut, and 0.88 of it is left."""
    def uniform(self, *, low: float = 0.0, high: float = 1.0, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform between two fixed numbers; the default's mean is 0.5, not 0."""
    def uniform_fixed(self, *, sigma: float, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform around 0 of standard deviation `sigma` (not variance)."""
    def uniform_rule(self, *, groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Uniform of variance 1 / (3·fan_in); biases are 0, unlike in `torch_default`."""
    def variance_scaling(self, *, scale: float = 1.0, mode: Literal['fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'] = 'fan_in', distribution: Literal['truncated_normal', 'untruncated_normal', 'uniform'] = 'truncated_normal', groups_aware: bool = False, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """A distribution of variance scale / fan. The fan is of the inputs, the outputs, or their (geometric) mean."""
    def zero_init(self, *, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """Identity maps, and Hadamard maps where a layer widens: each unit differs, yet nothing is drawn."""
    def zeros(self, *, bias: float | Literal['torch_default'] | None = None, output_bias: float | Literal['prior'] | None = None) -> dict[str, Any]:
        """All weights 0: the units of a hidden layer stay equal for ever."""

class _Schedules:
    def chained(self, *, parts: Sequence[str | Mapping[str, Any]], unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """B times what every part multiplies it with at t: meant for parts that are factors of B."""
    def constant(self, *, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The optimizer's rate throughout."""
    def constant_factor(self, *, factor: float = 0.3333333333333333, total_steps: int | str = 5, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """B times `factor` for T = `total_steps` units, then B."""
    def constant_warmup(self, *, warmup_steps: int | str, start_lr: float = 0.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """A ramp from `start_lr` to B over w = `warmup_steps` units, then B; w = 0 is B from the first update."""
    def cosine(self, *, T_max: int | str | None = None, eta_min: float = 0.0, beyond: Literal['hold', 'periodic'] = 'hold', unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Decays from B to `eta_min` at t = `T_max` (the run's length where it is left out)."""
    def cosine_restarts(self, *, T_0: int | str, T_mult: int = 1, eta_min: float = 0.0, m_mul: float = 1.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Half cosines from the peak towards `eta_min`: the first of `T_0` units, each `T_mult` times as long as the last."""
    def cosine_warmup(self, *, warmup_steps: int | str, total_steps: int | str | None = None, eta_min: float = 0.0, start_lr: float = 0.0, beyond: Literal['hold', 'periodic'] = 'hold', unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """A ramp from `start_lr` to B over w = `warmup_steps`, then a half cosine to `eta_min` at t = T = `total_steps`."""
    def cyclic(self, *, max_lr: float, step_size_up: int | str = 2000, step_size_down: int | str | None = None, mode: Literal['triangular', 'triangular2', 'exp_range'] = 'triangular', gamma: float = 1.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Rises from B to `max_lr` in up = `step_size_up` units and falls back in down = `step_size_down` (up), repeatedly."""
    def exponential(self, *, gamma: float, decay_steps: int | str = 1, staircase: bool = False, end_lr: float | None = None, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate times `gamma` over every `decay_steps`, smoothly or in stairs, never below `end_lr`."""
    def inverse_sqrt(self, *, warmup_steps: int | str, timescale: float | None = None, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Straight up to B at t = w = `warmup_steps`, then down to half of B where t - w is three times the timescale."""
    def inverse_time(self, *, gamma: float, decay_steps: int | str = 1, staircase: bool = False, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Half of B after `decay_steps` / `gamma` units, a third after twice as many; `gamma` may be above 1."""
    def lambda_(self, *, fn: str, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """B times an expression, such as `0.95 ** epoch`."""
    def linear_decay(self, *, total_steps: int | str | None = None, warmup_steps: int | str = 0, end_lr: float = 0.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Falls linearly from B to `end_lr` at t = T = `total_steps` (the run's length where left out), then `end_lr`."""
    def linear_factor(self, *, start_factor: float = 0.3333333333333333, end_factor: float = 1.0, total_steps: int | str = 5, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """B times a factor that moves from f0 = `start_factor` to f1 = `end_factor` over T = `total_steps` units."""
    def linear_warmup(self, *, warmup_steps: int | str, start_lr: float = 0.0, end_lr: float | None = None, after: str | Mapping[str, Any] = 'constant', unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """A ramp from `start_lr` towards `end_lr` (B where it is left out) over w = `warmup_steps` units, then `after`."""
    def multiplicative(self, *, fn: str, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate times an expression at every t from 1 on, B at t = 0; the expression's names are those of `lambda`."""
    def multistep(self, *, milestones: Sequence[int | str], gamma: float = 0.1, unit: Literal['step', 'epoch'] = 'epoch', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate times `gamma` at every milestone, in force at t = the milestone itself; one at 0 applies at once."""
    def natural_exp(self, *, gamma: float, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate divided by e over every 1 / `gamma` units: exponential decay by exp(-`gamma`) a unit."""
    def noam(self, *, d_model: int, warmup_steps: int | str, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Up to B / sqrt(d·w) at t = w = `warmup_steps`, then down as 1 / sqrt(t); d = `d_model`."""
    def onecycle(self, *, max_lr: float | None = None, total_steps: int | str | None = None, pct_start: float = 0.3, anneal_strategy: Literal['cos', 'linear'] = 'cos', div_factor: float = 25.0, final_div_factor: float = 10000.0, three_phase: bool = False, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Up to `max_lr` (B where it is left out), then down to far below where it began."""
    def piecewise(self, *, boundaries: Sequence[int | str], values: Sequence[float], unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate `values[i]` until t = `boundaries[i]`, and the next one from there on: one value more than boundaries."""
    def polynomial(self, *, decay_steps: int | str | None = None, end_lr: float = 0.0001, power: float = 1.0, cycle: bool = False, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Decays from B to `end_lr` over D = `decay_steps` (the run's length where it is left out), then `end_lr`."""
    def reduce_on_plateau(self, *, metric: Literal['valid_accuracy', 'valid_r2', 'valid_loss', 'train_accuracy', 'train_r2', 'valid_accuracy_ema', 'valid_r2_ema', 'valid_loss_ema', 'valid_auc', 'valid_rmse', 'valid_top5_accuracy', 'valid_balanced_accuracy', 'valid_macro_f1', 'valid_mae', 'valid_precision', 'valid_recall', 'valid_log_loss'] = 'valid_loss', mode: Literal['auto', 'min', 'max'] = 'auto', factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, threshold_mode: Literal['rel', 'abs'] = 'rel', cooldown: int = 0, min_lr: float = 0.0, eps: float = 1e-08, flavour: Literal['torch', 'paddle', 'keras', 'optax'] = 'torch', unit: Literal['epoch'] = 'epoch', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """B, multiplied by `factor` whenever `metric` has not improved for more than `patience` epochs."""
    def rex(self, *, total_steps: int | str | None = None, min_lr: float = 0.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Decays from B to `min_lr` at t = T = `total_steps` (the run's length where left out), above the straight line."""
    def sequential(self, *, parts: Sequence[str | Mapping[str, Any]], milestones: Sequence[int | str], unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """One part after the other, from B at its own t = 0; a milestone is the first t of the part that follows it."""
    def step(self, *, step_size: int | str, gamma: float = 0.1, unit: Literal['step', 'epoch'] = 'epoch', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """The rate times `gamma` every `step_size` epochs (or updates, by `unit`), first at t = `step_size`."""
    def tanh(self, *, T_max: int | str | None = None, lb: float = -7.0, ub: float = 3.0, eta_min: float = 0.0, unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """Decays from near B to near `eta_min` at t = `T_max` (the run's length where it is left out), then `eta_min`."""
    def wsd(self, *, warmup_steps: int | str, stable_steps: int | str | None = None, decay_steps: int | str | None = None, min_ratio: float = 0.0, decay_type: Literal['linear', 'cosine', '1-sqrt'] = '1-sqrt', unit: Literal['step', 'epoch'] = 'step', per: Literal['unit', 'update'] = 'unit', lr: float | None = None) -> dict[str, Any]:
        """A ramp from 0 to B over w = `warmup_steps`, B for S = `stable_steps`, then down to m = `min_ratio` of B over D."""

class _Optimizers:
    def adagrad(self, *, lr: float = 0.01, lr_decay: float = 0.0, weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10) -> dict[str, Any]:
        """The gradient over the root of the sum of all its squares: weights that seldom move keep a large step."""
    def adam(self, *, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.0, amsgrad: bool = False) -> dict[str, Any]:
        """Steps scaled by running means of the gradient and of its square, both corrected for their start at zero."""
    def adamw(self, *, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.01, amsgrad: bool = False) -> dict[str, Any]:
        """Adam whose weight decay shrinks the weights themselves, in proportion to the learning rate."""
    def adan(self, *, lr: float = 0.001, beta1: float = 0.98, beta2: float = 0.92, beta3: float = 0.99, eps: float = 1e-08, weight_decay: float = 0.0, no_prox: bool = False) -> dict[str, Any]:
        """Adam with the differences of gradients in its momentum and in its scale, so that it looks ahead."""
    def lamb(self, *, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-06, weight_decay: float = 0.01, always_adapt: bool = False) -> dict[str, Any]:
        """Adam's step of each parameter, made as long as `lr` times the parameter itself; for large batches."""
    def lars(self, *, lr: float = 1.0, momentum: float = 0.9, weight_decay: float = 0.0005, trust_coeff: float = 0.001, eps: float = 1e-08, always_adapt: bool = False) -> dict[str, Any]:
        """SGD with momentum, the gradient of each parameter made `trust_coeff` times as long as the parameter; for large"""
    def lion(self, *, lr: float = 0.0001, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> dict[str, Any]:
        """The sign of a mix of gradient and momentum: every weight moves by the same amount."""
    def muon(self, *, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0, match_rms_adamw: bool = False, adamw_lr_scale: float = 0.015, adamw_beta1: float = 0.9, adamw_beta2: float = 0.95, adamw_eps: float = 1e-10) -> dict[str, Any]:
        """Nesterov momentum whose singular values are all made about 1, for the weights of hidden layers alone."""
    def nadam(self, *, lr: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.0, momentum_decay: float = 0.004, decoupled_weight_decay: bool = False) -> dict[str, Any]:
        """Adam that looks one step of momentum ahead, with a momentum that grows from beta1 / 2 towards beta1."""
    def radam(self, *, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.0, decoupled_weight_decay: bool = False) -> dict[str, Any]:
        """Adam with a warm-up of its own: plain momentum until the mean of squares is worth dividing by, then rectified."""
    def rmsprop(self, *, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-08, weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False) -> dict[str, Any]:
        """The gradient over a running root mean square of itself, uncorrected for its start at zero."""
    def schedule_free_adamw(self, *, lr: float = 0.0025, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.0, warmup_steps: int = 0, r: float = 0.0, weight_lr_power: float = 2.0) -> dict[str, Any]:
        """AdamW with an average of the weights in place of a falling learning rate; meant for a constant schedule."""
    def sgd(self, *, lr: float = 0.01, momentum: float = 0.0, dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> dict[str, Any]:
        """The gradient, or with `momentum` a decaying sum of gradients; the first update's sum is the gradient itself."""

class _Models:
    def cnn(self, *, channels: Sequence[int] = [32, 64, 128], convolutions: int = 1, kernel_size: int = 3, batch_norm: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'relu', negative_slope: float | None = None, dropout: float = 0.25, dense: Sequence[int] = [128], dense_dropout: float = 0.5) -> dict[str, Any]:
        """One block for every number in `channels`, each with `convolutions` layers that keep the picture's size and a"""
    def lenet5(self, *, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'tanh', negative_slope: float | None = None, pool: Literal['average', 'max'] = 'average', width: int = 1) -> dict[str, Any]:
        """LeCun's network for digits, for pictures of 12 x 12 or more and any number of channels; `width` multiplies the"""
    def mlp(self, *, hidden: Sequence[int] = [256, 128], activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'relu', negative_slope: float | None = None, dropout: float = 0.0, norm: Literal['none', 'batch_norm', 'layer_norm'] = 'none') -> dict[str, Any]:
        """Dense layers of the widths in `hidden`, named fc1, fc2, ...; `norm`, activation and `dropout` follow every hidden"""
    def resnet(self, *, depth: int = 20, width: int = 1, shortcut: Literal['A', 'B'] = 'A') -> dict[str, Any]:
        """`depth` is 6n + 2, such as 20, 32, 44, 56 or 110; `width` multiplies the channels."""
    def sequential(self, *, layers: Sequence[str | Mapping[str, Any]]) -> dict[str, Any]:
        """Layers one after the other, by Keras' and torch's names: the catalogue's `layers`."""
    def torchvision(self, *, model: str) -> dict[str, Any]:
        """The classification model that torchvision calls `model`, without weights, such as resnet18."""
    def transformer(self, *, patch: int = 4, d_model: int = 64, heads: int = 4, layers: int = 2, mlp_ratio: int = 4, activation: Literal['relu', 'gelu'] = 'relu', dropout: float = 0.1, norm_first: bool = True) -> dict[str, Any]:
        """An encoder of `layers` layers of `d_model` features, with `mlp_ratio` times as many in the dense layers between."""

class _Layers:
    def adaptive_avg_pool(self, *, output_size: int | Sequence[int]) -> dict[str, Any]:
        """Means over a picture that is cut into `output_size` parts, which should divide its height and width."""
    def avgpool(self, *, kernel_size: int | Sequence[int] = [2, 2], stride: int | Sequence[int] | None = None, padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0], count_include_pad: bool = True) -> dict[str, Any]:
        """The mean in each place of the kernel, which moves by `stride` (its own size, where nothing is said)."""
    def batch_norm(self, *, affine: bool = True, momentum: float = 0.1, eps: float = 1e-05) -> dict[str, Any]:
        """Batch norm of rows or pictures, with torch's `momentum`: the share of the new in the running statistics."""
    def conv2d(self, *, filters: int | Literal['outputs'], kernel_size: int | Sequence[int], stride: int | Sequence[int] = [1, 1], padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0], dilation: int | Sequence[int] = [1, 1], groups: int = 1, bias: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'linear') -> dict[str, Any]:
        """A convolution of pictures with `filters` channels of its own."""
    def conv_transpose2d(self, *, filters: int | Literal['outputs'], kernel_size: int | Sequence[int], stride: int | Sequence[int] = [1, 1], padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0], output_padding: int = 0, bias: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'linear') -> dict[str, Any]:
        """A transposed convolution of pictures: a side becomes (side - 1)·stride + kernel - 2·padding + output_padding."""
    def dense(self, *, units: int | Literal['outputs'], bias: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'linear') -> dict[str, Any]:
        """A layer of `units` neurons, each of which sees all inputs."""
    def depthwise_conv2d(self, *, kernel_size: int | Sequence[int], depth_multiplier: int = 1, stride: int | Sequence[int] = [1, 1], padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0], dilation: int | Sequence[int] = [1, 1], bias: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'linear') -> dict[str, Any]:
        """A convolution of every channel by itself, which gives `depth_multiplier` channels of each."""
    def dropout(self, *, rate: float = 0.5) -> dict[str, Any]:
        """Dropout of single numbers, by masks that all runs of a seed share."""
    def dropout2d(self, *, rate: float = 0.5) -> dict[str, Any]:
        """Dropout of whole channels of pictures."""
    def elu(self) -> dict[str, Any]:
        """The exponential linear unit."""
    def flatten(self) -> dict[str, Any]:
        """All numbers of an example in one row, channel by channel, as torch has them."""
    def gelu(self) -> dict[str, Any]:
        """The Gaussian error linear unit, exact."""
    def global_average_pooling(self) -> dict[str, Any]:
        """The mean of every channel: pictures become rows of as many numbers as they have channels."""
    def global_max_pooling(self) -> dict[str, Any]:
        """The largest number of every channel: pictures become rows of as many numbers as they have channels."""
    def group_norm(self, *, groups: int, affine: bool = True, eps: float = 1e-05) -> dict[str, Any]:
        """Norm of groups of neighbouring channels; under Keras' name there are 32, and eps is 0.001."""
    def hardswish(self) -> dict[str, Any]:
        """Swish in straight pieces."""
    def identity(self) -> dict[str, Any]:
        """Its inputs, unchanged."""
    def input_layer(self) -> dict[str, Any]:
        """Its inputs, unchanged; their shape is the data set's."""
    def layer_norm(self, *, affine: bool = True, eps: float = 1e-05) -> dict[str, Any]:
        """Layer norm of rows; under Keras' name eps is 0.001."""
    def leaky_relu(self, *, negative_slope: float = 0.01) -> dict[str, Any]:
        """The rectifier with a slope below 0, which is torch's where nothing is said."""
    def maxpool(self, *, kernel_size: int | Sequence[int] = [2, 2], stride: int | Sequence[int] | None = None, padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0]) -> dict[str, Any]:
        """The largest number in each place of the kernel, which moves by `stride` (its own size, where nothing is said)."""
    def mish(self) -> dict[str, Any]:
        """A smooth rectifier that is a little below 0 for some x below 0."""
    def prelu(self) -> dict[str, Any]:
        """The rectifier with one learned slope a layer, as torch's; Keras' has one for every number."""
    def relu(self) -> dict[str, Any]:
        """The rectifier."""
    def relu6(self) -> dict[str, Any]:
        """The rectifier, cut at 6."""
    def rescaling(self, *, scale: float, offset: float = 0.0) -> dict[str, Any]:
        """Every number times `scale`, plus `offset`. Data sets are scaled already: pictures of bytes from 0 to 1."""
    def selu(self) -> dict[str, Any]:
        """The scaled exponential linear unit."""
    def separable_conv2d(self, *, filters: int | Literal['outputs'], kernel_size: int | Sequence[int], depth_multiplier: int = 1, stride: int | Sequence[int] = [1, 1], padding: Literal['same', 'valid'] | int | Sequence[int] = [0, 0], dilation: int | Sequence[int] = [1, 1], bias: bool = True, activation: Literal['relu', 'leaky_relu', 'prelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardswish', 'softplus', 'tanh', 'sigmoid', 'linear', 'swish', 'hard_swish'] = 'linear') -> dict[str, Any]:
        """A convolution of every channel by itself, without a bias, and one of 1 x 1 over all that it gives."""
    def sigmoid(self) -> dict[str, Any]:
        """The logistic function; not of the outputs, whose loss has it already."""
    def silu(self) -> dict[str, Any]:
        """The sigmoid linear unit, or swish."""
    def softplus(self) -> dict[str, Any]:
        """The smooth rectifier."""
    def tanh(self) -> dict[str, Any]:
        """The hyperbolic tangent."""
    def zero_padding(self, *, padding: int | Sequence[int | Sequence[int]] = [[1, 1], [1, 1]]) -> dict[str, Any]:
        """A border of zeros around pictures: as many above, below, left and right as `padding` says."""

class _Datasets:
    def breast_cancer(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0) -> dict[str, Any]:
        """A binary task that needs no download."""
    def cifar10(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The training files in `cifar-10-batches-py` under INITLAB_DATA_ROOT: `initlab datasets fetch cifar10`."""
    def cifar100(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The training files in `cifar-100-python` under INITLAB_DATA_ROOT: `initlab datasets fetch cifar100`."""
    def diabetes(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0) -> dict[str, Any]:
        """A regression that needs no download."""
    def digits(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0) -> dict[str, Any]:
        """The offline default: real data that needs no download."""
    def fashion_mnist(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The training files in `FashionMNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch fashion_mnist`."""
    def kmnist(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The training files in `KMNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch kmnist`."""
    def mnist(self, *, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The training files in `MNIST/raw` under INITLAB_DATA_ROOT: `initlab datasets fetch mnist`."""
    def teacher_student(self, *, inputs: int = 20, hidden: int = 32, outputs: int = 1, examples: int = 10000, noise: float = 0.0, task: Literal['regression', 'multiclass'] = 'regression', seed: int = 0, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0) -> dict[str, Any]:
        """A task of any size, generated: a function of its parameters."""
    def two_spirals(self, *, examples: int = 1000, noise: float = 0.0, turns: float = 3.0, seed: int = 0, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0) -> dict[str, Any]:
        """A binary task, generated: a function of its parameters."""
    def uploaded(self, *, id: str, valid_fraction: float = 0.2, split_seed: int = 0, test_fraction: float = 0.0, own_test: bool = False) -> dict[str, Any]:
        """The data set of that name; `name@sha256` where its content is that one, which an experiment's spec records."""

initializers: _Initializers
schedules: _Schedules
optimizers: _Optimizers
models: _Models
layers: _Layers
datasets: _Datasets
