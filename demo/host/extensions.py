"""Copy this: find extensions, read their manifests as data, start them in order, survive one that fails."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import jsonschema
import pluggy
import yaml
from flask import Flask

from calendar_ext import hookspecs

from .models import db
from .news import News
from .registry import MarketplaceRegistry
from .services import HostServices

log = logging.getLogger("harbor.extensions")
GROUP = "marketplace.extensions"


@dataclass
class Extension:
    """One installed package that calls itself an extension; `problem` says why it cannot be used."""

    id: str
    manifest: dict[str, Any] = field(default_factory=dict)
    manifest_sha256: str = ""
    plugin: Any = None
    problem: str = ""


@dataclass
class Harbor:
    """What this host keeps beside its app: the plugin manager, the registry, and what was found."""

    pm: pluggy.PluginManager
    registry: MarketplaceRegistry
    extensions: dict[str, Extension] = field(default_factory=dict)

    def default_roles(self, permission: str) -> set[str]:
        """Return the roles that have a permission by default: the union over the manifests that define it."""
        defined = [p for e in self.extensions.values() for p in e.manifest.get("permissions", {}).get("defines", [])]
        return {role for entry in defined if entry["id"] == permission for role in entry["default_roles"]}


def prepare(app: Flask) -> Harbor:
    """Make the plugin manager with the specs and our own services; from here on the host may fire."""
    pm = pluggy.PluginManager(hookspecs.PROJECT)
    pm.add_hookspecs(hookspecs)
    pm.register(HostServices(), name="harbor")
    pm.register(News(), name="harbor_news")
    harbor = app.extensions["harbor"] = Harbor(pm, MarketplaceRegistry())
    return harbor


def start(app: Flask, plugins: Iterable[EntryPoint | Any] | None = None, transport: Any = None) -> None:
    """Load the entry points, call `init_app` of each, and look for misspelt hooks at last.

    :param plugins: what to load instead of the installed entry points.
    """
    harbor = app.extensions["harbor"]
    for point in entry_points(group=GROUP) if plugins is None else plugins:
        extension = _load(point)
        harbor.extensions[extension.id] = extension
        if not extension.problem:
            _initialise(app, harbor, extension, transport)
    harbor.pm.check_pending()


def _load(point: EntryPoint | Any) -> Extension:
    """Read the manifest first; a package whose manifest is refused is not even imported."""
    extension = Extension(point.name)
    try:
        extension.manifest, extension.manifest_sha256 = read_manifest(point.value)
        extension.plugin = point.load()
    except Exception as error:
        log.exception("Extension %s could not be loaded.", point.name)
        extension.problem = f"{type(error).__name__}: {error}"
    return extension


def _initialise(app: Flask, harbor: Harbor, extension: Extension, transport: Any) -> None:
    """Copy this: a failure here is shown on the card and logged; everything else of the host starts."""
    plugin = extension.plugin
    try:
        plugin.init_app(app, pm=harbor.pm, db=db, registry=harbor.registry, transport=transport)
        if not harbor.pm.is_registered(plugin):
            harbor.pm.register(plugin, name=extension.id)
        harbor.pm.check_pending()
    except Exception as error:
        log.exception("Extension %s could not be started.", extension.id)
        extension.problem = f"{type(error).__name__}: {error}"
        if harbor.pm.is_registered(plugin):
            harbor.pm.unregister(plugin)


def read_manifest(entry_point: str) -> tuple[dict[str, Any], str]:
    """Return a package's validated manifest and its hash, without running any of the package's code."""
    package = entry_point.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"Package {package} is not installed.")
    home = Path(spec.origin).parent
    text = _first(home / "manifest" / "manifest.yaml", home.parent / "manifest.yaml").read_bytes()
    manifest = yaml.safe_load(text)
    jsonschema.validate(manifest, json.loads((home / "manifest.schema.json").read_text()))
    if manifest["entry_point"] != entry_point:
        raise ValueError(f"The manifest names {manifest['entry_point']}, the package {entry_point}.")
    return manifest, hashlib.sha256(text).hexdigest()


def _first(*candidates: Path) -> Path:
    found: Callable[[Path], bool] = Path.exists
    return next(filter(found, candidates), candidates[0])
