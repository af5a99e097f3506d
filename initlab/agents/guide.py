"""The words for an agent that has never seen a spec; a test posts the examples."""

from typing import Any

INSTRUCTIONS = """\
initlab trains a network with several settings ("arms") on the same seeds and says which differences are real.
Usual order: get_spec_guide, list_catalog, preview_experiment, submit_experiment, wait_for_experiment, get_report.
A report decides each pair of arms: better, worse, equivalent (within `margin`) or open (not enough seeds).
Never call an open pair a win, and never pick a metric, seed or alpha after seeing results.
You may also train yourself and have it judged: get_spec_guide, example_external.
To try many changes one after another, give all experiments the same `study`: it shares one error budget and says
keep, discard or inconclusive for each."""

EXAMPLE: dict[str, Any] = {
    "name": "initial weights on digits",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [32], "activation": "relu"},
    "optimizer": {"name": "adam", "lr": 0.001},
    "schedule": "constant",
    "batch_size": 100,
    "epochs": 3,
    "seeds": 5,
    "arms": [
        {"label": "he", "initializer": "he_normal"},
        {"label": "glorot, ten times the rate", "initializer": "glorot_normal", "optimizer.lr": 0.01},
    ],
}
IN_A_STUDY: dict[str, Any] = EXAMPLE | {"name": "try he", "study": "digits-weights", "baseline": "he"}

EXTERNAL: dict[str, Any] = {
    "kind": "external",
    "name": "trained by an agent",
    "arms": [{"label": "adam", "config": {"lr": 0.001}}, {"label": "sgd", "config": {"lr": 0.1}}],
    "seeds": 5,
    "metrics": [
        {"name": "valid_accuracy", "direction": "max"},
        {"name": "train_loss", "direction": "min", "per": "step"},
    ],
    "margin": 0.01,
}

RULES = [
    "A catalogue entry is a name, or {'name': ..., its parameters}; list_catalog has the names.",
    "arms replace settings of the base; a dotted path reaches inside: 'optimizer.lr'. Labels are unique.",
    "grid is the other way to say arms: {'initializer': ['he_normal', 'zeros'], 'batch_size': [32, 128]}.",
    "seeds is a count or a list, or {'from': 5, 'to': 20, 'looks': [5, 10, 20]}, which adds seeds to open pairs alone.",
    "margin is the largest difference that does not matter, in the outcome's unit; alpha the error allowed (0.05).",
    "baseline is an arm's label: others are compared with it alone, which needs fewer seeds.",
    "study is a name without spaces: experiments of one study share alpha, and get keep, discard or inconclusive.",
    "kind external is trained by you: submit_experiment, list_runs, log_points and finish_run of each, get_report.",
    "What a spec gets wrong is refused with the field's path and the names that are near.",
]


def guide() -> dict[str, Any]:
    """Return how a spec is written: an example, one in a study, one that is trained elsewhere, and the rules."""
    return {"example": EXAMPLE, "example_in_a_study": IN_A_STUDY, "example_external": EXTERNAL, "rules": RULES}
