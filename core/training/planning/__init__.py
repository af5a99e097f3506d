"""Plans of experiments: which runs train together, by what a machine was measured to do."""
