"""What moto makes anew each time, though it is always the same, is made once.

It parses a JSONPath at each use, and the time of each object at each listing; it finds the service for each
request by listing its own folder and trying a pattern for each service. It sorts a whole table of DynamoDB
for each query of one partition, and copies all of it for each item of a transaction. Its web applications run
in debug mode, in which each request makes a class that refers to the request: bodies stay in memory until
Python looks for cycles, which takes longer the more objects there are.
"""

import copy
import functools
import inspect
from collections import defaultdict
from typing import Any

from moto.core import serialize
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

#: Different paths and hosts are known at once: there are as many as definitions and services have.
_KNOWN = 4096


def dispatcher() -> Any:
    """moto as a WSGI application, all services behind one address."""
    made: Any = DomainDispatcherApplication(_backend_app)
    made.get_backend_for_host = functools.lru_cache(_KNOWN)(made.get_backend_for_host)
    return made


def _backend_app(service: Any) -> Any:
    app = create_backend_app(service)
    app.debug = False
    app.config["PROPAGATE_EXCEPTIONS"] = True  # to the front, as in debug mode: it answers as the service
    return app


def install_reuse() -> None:
    """Let paths and times be parsed once, and queries look at their partition only."""
    times: Any = serialize
    parse_time = times.parse_to_aware_datetime
    parse_text = functools.lru_cache(_KNOWN)(parse_time)
    times.parse_to_aware_datetime = lambda value: (parse_text if isinstance(value, str) else parse_time)(
        value
    )
    modules: tuple[Any, ...] = (json_path, result_path)
    for module in modules:
        module.parse = functools.lru_cache(_KNOWN)(module.parse)
    table: Any = Table
    original = table.query

    before_index = list(inspect.signature(original).parameters).index("index_name") - 2

    def query(self: Any, hash_key: Any, *others: Any, **named: Any) -> Any:
        if any(others[before_index : before_index + 1]) or named.get("index_name"):
            return original(self, hash_key, *others, **named)
        partition = copy.copy(self)
        partition.items = {hash_key: self.items[hash_key]} if hash_key in self.items else {}
        return original(partition, hash_key, *others, **named)

    table.query = query
    table.__deepcopy__ = _kept
    backend: Any = DynamoDBBackend
    update = backend.update_item

    def update_item(self: Any, table_name: str, key: dict[str, Any], *others: Any, **named: Any) -> Any:
        _renew(self.tables.get(table_name), key)
        return update(self, table_name, key, *others, **named)

    backend.update_item = update_item


def _kept(table: Any, memo: dict[int, Any]) -> Any:
    """The table as it is, with the same items: those are only ever replaced (`_renew`)."""
    kept = copy.copy(table)
    partitions = {key: dict(items) if table.has_range_key else items for key, items in table.items.items()}
    kept.items = defaultdict(dict, partitions)
    return kept


def _renew(table: Any, key: dict[str, Any]) -> None:
    """Put a copy in an item's place, as an update changes the item itself."""
    if table is None:
        return
    names = [table.hash_key_attr, *([table.range_key_attr] if table.has_range_key else [])]
    if all(name in key for name in names):
        *partition, last = (DynamoType(key[name]) for name in names)
        items = table.items.get(partition[0], {}) if partition else table.items
        if last in items:
            items[last] = copy.deepcopy(items[last])
