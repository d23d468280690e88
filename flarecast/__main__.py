"""`python -m flarecast`."""

from flarecast.cli import main

main()
