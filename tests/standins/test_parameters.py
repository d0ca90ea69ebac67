"""The table of parameters and scopes is Google's."""

from __future__ import annotations

import pytest

from demo.standins.google import parameters

from . import discovery


@pytest.mark.parametrize("name", parameters.METHODS)
def test_a_method_takes_the_parameters_and_scopes_of_the_discovery_document(name: str) -> None:
    facts = discovery.methods()[name]
    query = {each for each, about in facts.get("parameters", {}).items() if about["location"] == "query"}
    scopes = {scope.removeprefix(parameters.SCOPE) for scope in facts["scopes"]}
    assert {*parameters.METHODS[name][0].split()} == query
    assert {*parameters.METHODS[name][1].split()} == scopes


def test_the_parameters_of_every_method_are_those_of_the_discovery_document() -> None:
    assert set(discovery.document()["parameters"]) == parameters.EVERYWHERE


def test_members_of_an_event_are_those_of_the_schema() -> None:
    from demo.standins.google import bodies

    assert set(discovery.document()["schemas"]["Event"]["properties"]) == bodies.KNOWN
