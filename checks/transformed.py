"""Writes the template as SAM transforms it, for checkers that know CloudFormation only.

python -m checks.transformed template.json
"""

import json
import sys
from pathlib import Path
from typing import Any

from ops.embedded.template import complete_parameters, load_template, translate

ROOT = Path(__file__).resolve().parent.parent


def transformed() -> dict[str, Any]:
    """Returns the template in CloudFormation's own form; parameters and conditions are not
    resolved."""
    template = load_template(ROOT / "template.yaml")
    parameters = complete_parameters(template, {"TableName": "trips"})
    return translate(template, directory=ROOT, bucket="code", parameters=parameters).template


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(transformed(), indent=1), encoding="utf-8")
