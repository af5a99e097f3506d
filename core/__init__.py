"""Experiments: their description, training, analysis, pictures, storage and queue."""

import os

# Before MKL multiplies for the first time: else a product's last bits hang on where in memory its operands begin, and
# so on the runs that train beside it. Measured, it costs nothing (docs/decisions/0024).
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
