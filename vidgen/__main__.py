"""`python -m vidgen` does what `vidgen` does."""

import sys

from vidgen.cli import main

if __name__ == "__main__":  # workers import it too
    sys.exit(main())
