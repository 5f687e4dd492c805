import sys
from pathlib import Path

# The in-memory platform that makes bundles, and the reader of published vectors, of the tests beside these.
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("bundle", "crypto")]
