"""The manifest: what its schema says, and what a schema cannot say."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from packaging.specifiers import SpecifierSet

import calendar_ext
from calendar_ext import _resources, config, hookspecs
from calendar_ext.persistence.base import PREFIX, VERSION_TABLE, Base
from calendar_ext.providers.google.auth import SCOPES, GoogleEndpoints
from calendar_ext.services import terms

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "calendar_ext" / "manifest.schema.json").read_text())


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return yaml.safe_load(_resources.manifest_path().read_text())


def test_the_manifest_is_what_its_schema_wants(manifest: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(manifest, SCHEMA)


@pytest.mark.parametrize(
    ("field", "value"),
    [("schema_version", 2), ("surprise", 1), ("version", "1.0"), ("id", "Calendar"), ("summary", "x" * 141)],
)
def test_a_manifest_that_is_wrong_is_refused(manifest: dict[str, Any], field: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest | {field: value}, SCHEMA)


def test_keys_of_others_are_let_through(manifest: dict[str, Any]) -> None:
    jsonschema.validate(manifest | {"x-shop": {"price": 1}}, SCHEMA)


def test_version_and_entry_point_are_the_distribution_s(manifest: dict[str, Any]) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    entry = setup["options.entry_points"]["marketplace.extensions"].strip()
    assert entry == f"{manifest['id']} = {manifest['entry_point']}"
    assert manifest["version"] == calendar_ext.__version__
    assert manifest["license"] == setup["metadata"]["license"]


def test_id_and_tables_share_the_prefix(manifest: dict[str, Any]) -> None:
    migrations = manifest["migrations"]
    assert migrations["table_prefix"] == PREFIX == f"{manifest['id']}_"
    assert migrations["version_table"] == VERSION_TABLE
    assert all(name.startswith(PREFIX) for name in Base.metadata.tables)
    assert manifest["id"] == terms.ID


def test_every_range_can_be_read(manifest: dict[str, Any]) -> None:
    compatibility = manifest["compatibility"]
    ranges = [compatibility[name] for name in ("host_api", "python", "upgrade_from")]
    for text in ranges + list(compatibility["databases"].values()):
        SpecifierSet(text)


def test_the_ranges_are_those_the_code_checks(manifest: dict[str, Any]) -> None:
    compatibility = manifest["compatibility"]
    oldest = {kind: ".".join(map(str, version)) for kind, version in terms.DATABASES.items()}
    assert compatibility["databases"] == {kind: f">={version}" for kind, version in oldest.items()}
    assert compatibility["upgrade_from"] == ">=" + ".".join(map(str, terms.UPGRADE_FROM))


def test_options_and_permissions_are_those_the_lifecycle_asks_for(manifest: dict[str, Any]) -> None:
    options = {
        option["key"]: terms.Option(option["default"], option.get("fee", {}).get("note", ""))
        for option in manifest["options"]
    }
    assert options == terms.OPTIONS
    requests = manifest["permissions"]["requests"]
    assert [asked["id"] for asked in requests if not asked.get("optional")] == list(terms.PERMISSIONS)
    assert [asked["id"] for asked in requests if asked.get("optional")] == list(terms.OPTIONAL_PERMISSIONS)


def test_every_permission_of_the_decisions_is_defined_and_no_other(manifest: dict[str, Any]) -> None:
    names = {"view", "connect", "schedule", "view_all", "manage_others", "admin"}
    assert {defined["id"] for defined in manifest["permissions"]["defines"]} == {f"calendar.{name}" for name in names}


def test_every_job_that_needs_an_option_names_one(manifest: dict[str, Any]) -> None:
    options = {option["key"] for option in manifest["options"]}
    assert all(job.get("requires_option", "scheduler_active") in options for job in manifest["jobs"])


def test_every_hook_exists_in_the_specs(manifest: dict[str, Any]) -> None:
    for group in ("listens", "calls", "emits"):
        for hook in manifest["hooks"][group]:
            assert hasattr(getattr(hookspecs, hook["name"]), f"{hookspecs.PROJECT}_spec"), hook["name"]


def test_required_services_are_those_the_install_looks_for(manifest: dict[str, Any]) -> None:
    required = [hook["name"] for hook in manifest["hooks"]["calls"] if hook.get("required", True)]
    assert required == list(terms.REQUIRED_SERVICES)


def test_every_store_of_data_has_a_table(manifest: dict[str, Any]) -> None:
    for store in manifest["data"]["stores"]:
        named = re.findall(rf"{PREFIX}\w+", store["what"])
        assert named
        assert set(named) <= set(Base.metadata.tables)
    assert manifest["data"]["on_uninstall"]["keep_days"] == terms.KEEP_DAYS


def test_settings_and_secrets_are_configuration_keys(manifest: dict[str, Any]) -> None:
    shown = [rule["x-config"] for rule in manifest["settings"]["site"]["properties"].values()]
    assert set(shown) | {secret["key"] for secret in manifest["secrets"]} <= config.KEYS


def test_sign_ins_and_firewall_rules_are_those_of_the_provider(manifest: dict[str, Any]) -> None:
    (sign_in,) = manifest["oauth"]
    assert tuple(sign_in["scopes"]) == SCOPES
    assert set(manifest["outbound"]) == GoogleEndpoints().hosts()


def test_the_icon_is_shipped(manifest: dict[str, Any]) -> None:
    assert (ROOT / manifest["icon"]).is_file()
