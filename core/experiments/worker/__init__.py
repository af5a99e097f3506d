"""The training process: it claims cohorts, trains them, and records what they measure."""
