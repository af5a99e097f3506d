"""Methods: intervals, paired tests, corrections, power. They know numbers, and neither metrics nor sentences."""
