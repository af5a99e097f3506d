"""The catalogue of outcomes, apart from the package so that modules of the package can import it."""

from core.analysis.outcomes._entry import OutcomeEntry
from core.catalogue import Catalogue

outcomes = Catalogue[OutcomeEntry]("outcome", "core.analysis.outcomes", unique=["rank", "label"])
