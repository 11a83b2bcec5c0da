"""Takes the picture of the report that the README shows, from the demo's report.

python -m tests.report.picture docs/report.png
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.report.webdriver import MISSING, browser

TALL = 970
"""in pixels: the totals and two charts"""

ROOT = Path(__file__).resolve().parents[2]


def main(picture: Path) -> None:
    if MISSING:
        sys.exit(f"{MISSING}: apt-get install chromium chromium-driver")
    with TemporaryDirectory() as directory:
        demo = [sys.executable, "-m", "ops", "demo", "--out", directory]
        subprocess.run(demo, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with browser() as opened:
            opened.open(Path(directory) / "report.html")
            picture.write_bytes(opened.screenshot(height=TALL))
    print(f"{picture}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
