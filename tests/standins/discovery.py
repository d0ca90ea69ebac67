"""Google's own description of its API, as the wheel google-api-python-client carries it, made checkable."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import requests

Json = dict[str, Any]


@lru_cache
def document() -> Json:
    """Return the discovery document of the Calendar API."""
    folder = files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((folder / "calendar.v3.json").read_text())


@lru_cache
def methods() -> dict[str, Json]:
    """Return every method by name: `events.list`."""
    return {
        f"{name}.{method}": facts
        for name, resource in document()["resources"].items()
        for method, facts in resource["methods"].items()
    }


def _converted(schema: Json) -> Json:
    """Return a discovery schema as JSON Schema: names as references, misspelt members refused."""
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + schema["$ref"]}
    result: Json = {} if schema.get("type", "any") == "any" else {"type": schema["type"]}
    if "properties" in schema:
        result["properties"] = {name: _converted(each) for name, each in schema["properties"].items()}
        result["additionalProperties"] = False
    for name in ("additionalProperties", "items"):
        if name in schema:
            result[name] = _converted(schema[name])
    for name in ("enum", "format"):
        if name in schema and schema[name] not in ("int32", "int64"):
            result[name] = schema[name]
    return result


def _is_moment(text: object) -> bool:
    """Return whether a text is an RFC 3339 date-time with its offset."""
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


@lru_cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    defs = {each: _converted(schema) for each, schema in document()["schemas"].items()}
    checker = jsonschema.FormatChecker(["date"])
    checker.checks("date-time", ValueError)(_is_moment)
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": defs}, format_checker=checker)


def method_of(verb: str, path: str) -> str:
    """Return the method a request calls; the shortest template wins, as `events/import` does over `events/{id}`."""
    found = []
    for name, facts in methods().items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", facts["path"])
        if facts["httpMethod"] == verb and re.fullmatch("/calendar/v3/" + pattern, path):
            found.append((facts["path"].count("{"), name))
    return min(found)[1]


class CheckedSession(requests.Session):
    """A session that holds every request and every good answer against the discovery document."""

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__()
        self.base = f"{base_url}/calendar/v3"
        self.headers.update({"Authorization": f"Bearer {token}", "User-Agent": "tests (gzip)"})

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Send to a path below the API and check what comes back."""
        response = super().request(method, self.base + url, *args, **kwargs)
        called = methods()[method_of(method, urlsplit(self.base + url).path)]
        known = {*called.get("parameters", {}), *document()["parameters"]}
        unknown = {name for name, _ in parse_qsl(urlsplit(response.request.url or "").query)} - known
        assert not unknown or response.status_code == 501, unknown
        assert response.headers["X-Standin"] == "1"
        if response.ok and response.content and "response" in called:
            _validator(called["response"]["$ref"]).validate(response.json())
        return response


def reason(response: requests.Response) -> tuple[int, str]:
    """Return status and reason of a refusal."""
    return response.status_code, response.json()["error"]["errors"][0]["reason"]
