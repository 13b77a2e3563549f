# SPDX-License-Identifier: Apache-2.0
"""Every line that a test reads is checked against docs/output.schema.json, and for members that it
does not know: readers must bear them, but we write none that has no row there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "output.schema.json"
SCHEMA: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8"))
PARTS: dict[str, dict[str, Any]] = SCHEMA["definitions"]


def bases_of(part: dict[str, Any]) -> list[str]:
    return [base["$ref"].rpartition("/")[2] for base in part.get("allOf", [])]


def members_of(name: str) -> set[str]:
    """All that an event, or a part of one, may have."""
    own = set(PARTS[name]["properties"])
    return own.union(*(members_of(base) for base in bases_of(PARTS[name])))


def closed() -> dict[str, Any]:
    """The schema without room for what it does not name. A part with others in it, or in others,
    is looked at by itself (members_of): draft 7 knows no better."""
    in_others = {base for part in PARTS.values() for base in bases_of(part)}
    alone = {name for name, part in PARTS.items() if "allOf" not in part} - in_others
    parts = {
        name: {**part, "additionalProperties": False} if name in alone else part
        for name, part in PARTS.items()
    }
    return {**SCHEMA, "definitions": parts}


_VALIDATORS = {
    kind: jsonschema.Draft7Validator({**closed(), "oneOf": [{"$ref": f"#/definitions/{kind}"}]})
    for kind in (entry["$ref"].rpartition("/")[2] for entry in SCHEMA["oneOf"])
}
_seen: set[str] = set()  # a test reads the same file again and again


def check_line(line: str, event: dict[str, Any]) -> None:
    """Fails where a line is none of the schema's."""
    if line in _seen:
        return
    kind = event["type"]
    assert kind in _VALIDATORS, f"no such type: {line}"
    problem = jsonschema.exceptions.best_match(_VALIDATORS[kind].iter_errors(event))
    where = "/".join(map(str, problem.absolute_path)) if problem else ""
    assert problem is None, f"{where}: {problem.message}, in {line}"
    more = set(event) - members_of(kind)
    assert not more, f"{PAGE.name} has no {', '.join(sorted(more))} in {kind}: {line}"
    _seen.add(line)
