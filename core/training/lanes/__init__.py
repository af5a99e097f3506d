"""The vectorised program: the runs of a cohort as lanes that train together."""
