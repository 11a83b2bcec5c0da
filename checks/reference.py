"""Writes the tables of docs/ that follow from the template, each between two markers.

python -m checks.reference
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ops.embedded.template import load_template

ROOT = Path(__file__).resolve().parent.parent
NOTES = Path(__file__).with_name("reference.toml")
"""what the template does not say: links, and what an empty default means"""

Template = Mapping[str, Any]

_SAME = re.compile(r"^arn:\$\{AWS::Partition\}:\w+:(\$\{AWS::Region\}|):(\$\{AWS::AccountId\}|):")
"""what the ARNs of an account's resources begin with"""
_PSEUDO = re.compile(r"\$\{(?:AWS::)?(\w+)\}")


def parameters(template: Template) -> Iterator[str]:
    """Returns the rows of the stack's parameters: name, default, and the description in the
    template."""
    notes = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    yield "| Parameter | Default | Meaning |"
    yield "| --- | --- | --- |"
    for name, parameter in template["Parameters"].items():
        note = notes.get(name, {})
        links = f" ({note['see']})" if "see" in note else ""
        description = _escaped(parameter["Description"]) + links
        yield f"| `{name}` | {_default(parameter, note)} | {description} |"


def roles(template: Template) -> Iterator[str]:
    """Returns the rows of the roles' permissions: one for each statement of their policies."""
    yield "| Role | Statement | May | On | If |"
    yield "| --- | --- | --- | --- | --- |"
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for policy in resource["Properties"]["Policies"]:
            for one in policy["PolicyDocument"]["Statement"]:
                condition, statement, _ = one.get("Fn::If", ("", one, None))
                cells = (
                    f"`{name}`",
                    statement["Sid"],
                    _code(_many(statement["Action"])),
                    _on(statement),
                    f"`{condition}`" if condition else "",
                )
                yield f"| {' | '.join(cells)} |"


TABLES: Mapping[str, tuple[str, Callable[[Template], Iterator[str]]]] = {
    "parameters": ("docs/parameters.md", parameters),
    "roles": ("docs/security.md", roles),
}
"""the page that a table is in, and what writes it"""


def current(page: str, name: str, rows: Iterator[str]) -> str:
    """Returns the page with these rows between the table's markers.

    Raises ValueError if the page does not have the markers, once.
    """
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
    if (page.count(begin), page.count(end)) != (1, 1):
        raise ValueError(f"the page does not have the markers of the table {name} once")
    before, _, rest = page.partition(begin)
    return before + begin + "".join(f"{row}\n" for row in rows) + end + rest.partition(end)[2]


def _default(parameter: Mapping[str, Any], note: Mapping[str, str]) -> str:
    if "Default" not in parameter:
        return "required"
    default = str(parameter["Default"])
    return f"`{default}`" if default else f"empty{note.get('empty', '')}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\|*<])", r"\\\1", text)


def _on(statement: Mapping[str, Any]) -> str:
    where = [_named(resource) for resource in _many(statement["Resource"])]
    condition = statement.get("Condition", {})
    if prefixes := condition.get("StringLike", {}).get("s3:prefix"):
        where.append(f"prefix {_code(_many(prefixes))}")
    if service := condition.get("StringEquals", {}).get("kms:ViaService"):
        where.append(f"through `{_named(service).strip('`').partition('.')[0]}` only")
    return ", ".join(where)


def _named(resource: Any) -> str:
    """Returns a resource without the parts that are the same for all: partition, region, account,
    stack name."""
    match resource:
        case {"Fn::GetAtt": [name, *_]} | {"Ref": name}:
            return f"`{name}`"
        case {"Fn::Sub": [str(arn), _] | str(arn)}:
            name = _PSEUDO.sub(r"<\1>", _SAME.sub("", arn))
            return f"`{name}`"
    return f"`{resource}`"


def _code(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main() -> None:
    template = load_template(ROOT / "template.yaml")
    for name, (path, rows) in TABLES.items():
        page = ROOT / path
        page.write_text(
            current(page.read_text(encoding="utf-8"), name, rows(template)), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
