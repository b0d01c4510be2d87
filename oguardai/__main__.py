"""Run the command line as ``python -m oguardai``."""

from __future__ import annotations

from oguardai.cli import main

if __name__ == "__main__":
    main()
