"""A SAM template, read, checked against its parameters, and translated to CloudFormation on this
machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import boto3
import yaml  # type: ignore[import-untyped]  # it ships no types
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from ops.embedded.errors import DeploymentError
from ops.embedded.isolation import REGION

FUNCTION = "AWS::Serverless::Function"
STATE_MACHINE = "AWS::Serverless::StateMachine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A template as CloudFormation takes it, and the files that it needs under their S3 keys."""

    template: dict[str, Any]
    artifacts: dict[str, bytes]
    code_paths: dict[str, Path]


def load_template(path: Path) -> dict[str, Any]:
    """Returns the parsed template. Raises DeploymentError if it cannot be read or is none."""
    try:
        template = yaml_parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeploymentError(f"The template {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise DeploymentError(f"The template {path} is not YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise DeploymentError(f"The template {path} has no Resources.")
    return template


def translate(
    template: dict[str, Any], *, directory: Path, bucket: str, parameters: Mapping[str, str]
) -> Translation:
    """Translates the template as `sam deploy` does, with its files copied to `bucket`.

    `directory` is where relative paths start. Changes `template`.
    Raises DeploymentError if a file is not there, or what SAM finds wrong.
    """
    artifacts: dict[str, bytes] = {}
    code_paths: dict[str, Path] = {}
    shared_code = template.get("Globals", {}).get("Function", {}).get("CodeUri")
    for logical_id, resource in template["Resources"].items():
        properties = resource["Properties"] = resource.get("Properties") or {}
        if resource.get("Type") == FUNCTION:
            code = properties.get("CodeUri", shared_code)
            code_paths[logical_id] = _existing(logical_id, "CodeUri", code, directory, Path.is_dir)
            # The functions run from their directories; CloudFormation wants an object to point at.
            properties["CodeUri"] = _staged(artifacts, bucket, logical_id.encode(), ".zip")
        elif resource.get("Type") == STATE_MACHINE and "DefinitionUri" in properties:
            uri = properties["DefinitionUri"]
            path = _existing(logical_id, "DefinitionUri", uri, directory, Path.is_file)
            properties["DefinitionUri"] = _staged(artifacts, bucket, path.read_bytes(), ".json")
    return Translation(
        template=_translated(template, parameters), artifacts=artifacts, code_paths=code_paths
    )


def complete_parameters(template: dict[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Returns every parameter's value, with the defaults, as CloudFormation's text.

    Raises DeploymentError if one is unknown, missing or not allowed: moto would take it.
    """
    declared: dict[str, Any] = template.get("Parameters") or {}
    if unknown := sorted(given.keys() - declared.keys()):
        raise DeploymentError(
            f"The template has no parameter {', '.join(unknown)}. {_alike(unknown[0], declared)}"
            f"It has: {', '.join(sorted(declared))}."
        )
    values: dict[str, str] = {}
    for name, declaration in declared.items():
        if name not in given and "Default" not in declaration:
            raise DeploymentError(f"The parameter {name} has no default: give it a value.")
        values[name] = _text(given.get(name, declaration.get("Default")))
        if broken := _broken_rule(declaration, values[name]):
            raise DeploymentError(
                f"The parameter {name} cannot be {values[name]!r}: it "
                f"{declaration.get('ConstraintDescription', broken)}"
            )
    return values


def _broken_rule(declaration: Mapping[str, Any], value: str) -> str | None:
    allowed = [_text(one) for one in declaration.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}."
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        return f"must match {pattern}."
    if declaration.get("Type") == "Number":
        try:
            number = float(value)
        except ValueError:
            return "must be a number."
        if number < float(declaration.get("MinValue", number)):
            return f"must be at least {declaration['MinValue']}."
        if number > float(declaration.get("MaxValue", number)):
            return f"must be at most {declaration['MaxValue']}."
    if len(value) < int(declaration.get("MinLength", 0)):
        return f"must have at least {declaration['MinLength']} characters."
    if len(value) > int(declaration.get("MaxLength", len(value))):
        return f"must have at most {declaration['MaxLength']} characters."
    return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _existing(logical_id: str, key: str, uri: Any, directory: Path, exists: Any) -> Path:
    if not isinstance(uri, str):
        raise DeploymentError(f"{logical_id}: {key} must be a path on this machine, not {uri!r}.")
    path = (directory / uri).resolve()
    if not exists(path):
        raise DeploymentError(f"{logical_id}: {key} names {path}, which is not there.")
    return path


def _staged(artifacts: dict[str, bytes], bucket: str, content: bytes, suffix: str) -> str:
    key = hashlib.sha256(content).hexdigest() + suffix
    artifacts[key] = content
    return f"s3://{bucket}/{key}"


def _translated(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    class AwsManagedPolicies(dict[str, str]):
        # A policy's ARN is not looked up anywhere; IAM in the embedded cloud knows every one by
        # name.
        def __missing__(self, name: str) -> str:
            return f"arn:aws:iam::aws:policy/{name}"

        def __contains__(self, name: object) -> bool:
            return isinstance(name, str) and not name.startswith("arn:")

    session = boto3.Session(region_name=REGION)
    translator = Translator(AwsManagedPolicies(), Parser(), boto_session=session)
    try:
        translated: dict[str, Any] = translator.translate(
            sam_template=template, parameter_values=dict(parameters)
        )
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes) or error.message
        raise DeploymentError(f"SAM does not accept the template: {causes}") from error
    finally:
        # To nobody; but what is left over it would warn of, whenever it is collected.
        translator.metrics.publish()
    if dangling := sorted(_references(translated) - _referable(translated)):
        raise DeploymentError(
            f"The template refers to {', '.join(dangling)}, and has no such resource or parameter."
        )
    return translated


def _references(part: Any) -> set[str]:
    """Returns the logical ids that Ref and Fn::GetAtt name; moto fails on one that does not
    exist."""
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(_references, part.values()))
    match part:
        case {"Ref": str(name)}:
            found.add(name)
        case {"Fn::GetAtt": [str(name), *_]}:
            found.add(name)
    return found


def _referable(template: Mapping[str, Any]) -> set[str]:
    pseudo = ("AccountId", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
    named = set(template["Resources"]) | set(template.get("Parameters") or {})
    return named | {f"AWS::{name}" for name in (*pseudo, "NotificationARNs")}


def _alike(name: str, declared: Collection[str]) -> str:
    """Returns the declared name that was probably meant, ignoring case; empty if none is close."""
    by_letters = {one.casefold(): one for one in declared}
    alike = get_close_matches(name.casefold(), by_letters, n=1, cutoff=0.5)
    return f"Did you mean {by_letters[alike[0]]}? " if alike else ""
