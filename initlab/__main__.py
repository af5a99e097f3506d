"""`python -m initlab` is `initlab`."""

from initlab.cli import main

main()
