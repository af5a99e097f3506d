"""The catalogue itself, below what asks it."""

from core.analysis.outcomes._entry import OutcomeEntry
from core.catalogue import Catalogue

outcomes = Catalogue[OutcomeEntry]("outcome", "core.analysis.outcomes", unique=["rank", "label"])
