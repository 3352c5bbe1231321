# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets all sessions and clients of a process share what depends on botocore's files alone."""

from __future__ import annotations

import copy
import functools
import typing as t

import botocore.client
import botocore.handlers
import botocore.hooks
import botocore.loaders
import botocore.session

Json = dict[str, t.Any]


class Patch(t.Protocol):
    """Sets an attribute, as pytest's MonkeyPatch does."""

    def setattr(self, target: t.Any, name: str, value: t.Any, /) -> None: ...


class Permanent:
    setattr = staticmethod(setattr)


class SharedHandlers:
    """botocore's handlers by event, of which each client has a copy: copies share what neither has changed."""

    @staticmethod
    def copy(tree: t.Any) -> t.Any:
        copied = type(tree)()
        copied._root = tree._root
        return copied

    @staticmethod
    def append_item(tree: t.Any, key: str, value: t.Any, section: int = 1) -> None:
        tree._root = SharedHandlers.added(tree._root, key.split("."), value, section)

    @staticmethod
    def added(node: Json, parts: list[str], value: t.Any, section: int) -> Json:
        if not parts:
            values: tuple[list[t.Any], ...] = node["values"] or ([], [], [])
            lists = [[*part] for part in values]
            lists[section].append(value)
            return {**node, "values": botocore.hooks.NodeList(*lists)}
        first, *rest = parts
        child = node["children"].get(first, {"chunk": first, "values": None, "children": {}})
        children = {**node["children"], first: SharedHandlers.added(child, rest, value, section)}
        return {**node, "children": children}

    @staticmethod
    def install(patch: Patch) -> None:
        tree = botocore.hooks._PrefixTrie
        remove = tree.remove_item

        def remove_item(own: t.Any, key: str, value: t.Any) -> None:
            own._root = own._recursive_copy(own._root)
            remove(own, key, value)

        patch.setattr(tree, "__copy__", SharedHandlers.copy)
        patch.setattr(tree, "append_item", SharedHandlers.append_item)
        patch.setattr(tree, "remove_item", remove_item)


def share_models_and_classes(patch: Patch) -> None:
    """Clients of a service have one model, which computes its shapes once, and one class."""
    creator = botocore.client.ClientCreator
    create, load = creator._create_client_class, creator._load_service_model
    classes: dict[int, t.Any] = {}
    # With the data, whose identity is the key.
    models: dict[int, tuple[t.Any, t.Any]] = {}

    def load_service_model(own: t.Any, name: str, version: str | None = None) -> t.Any:
        data = own._loader.load_service_model(name, "service-2", api_version=version)
        if id(data) not in models:
            models[id(data)] = (data, load(own, name, version))
        return models[id(data)][1]

    def create_client_class(own: t.Any, name: str, model: t.Any) -> t.Any:
        if id(model) not in classes:
            classes[id(model)] = create(own, name, model)
        return classes[id(model)]

    patch.setattr(creator, "_load_service_model", load_service_model)
    patch.setattr(creator, "_create_client_class", create_client_class)


def prepare(patch: Patch) -> None:
    """Every client has a session of its own, which would read botocore's models again, look through their folders,
    translate the names of events, and register botocore's handlers one by one."""
    read = functools.cache(botocore.loaders.JSONFileLoader.load_file)
    loader = botocore.loaders.JSONFileLoader()
    listed = functools.cache(botocore.session.get_session().get_component("data_loader").list_available_services)
    alias = botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter())._alias_event_name
    register = botocore.session.Session._register_builtin_handlers
    # By their number, as moto adds one when it is imported.
    registered: dict[int, t.Any] = {}

    def register_handlers(session: t.Any, events: t.Any) -> None:
        known = registered.get(len(botocore.handlers.BUILTIN_HANDLERS))
        if known:
            vars(events._emitter).update(vars(copy.copy(known)), _lookup_cache={})
        else:
            register(session, events)
            registered[len(botocore.handlers.BUILTIN_HANDLERS)] = copy.copy(events._emitter)

    SharedHandlers.install(patch)
    share_models_and_classes(patch)
    patch.setattr(botocore.hooks.EventAliaser, "_alias_event_name", lambda _self, name: alias(name))
    patch.setattr(botocore.session.Session, "_register_builtin_handlers", register_handlers)
    patch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _self, path: read(loader, path))
    patch.setattr(botocore.loaders.Loader, "list_available_services", lambda _self, type_name: listed(type_name))
