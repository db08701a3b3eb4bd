"""`python -m vidgen` does what `vidgen` does."""

import sys

from vidgen.cli import main

sys.exit(main())
