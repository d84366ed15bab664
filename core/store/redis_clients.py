"""Clients of redis-py whose commands, pipelines and subscriptions raise StoreUnavailable for the
errors that `failures.py` maps, so that callers need not map them."""

from typing import Any

import redis
from redis.client import Pipeline, PubSub
from redis.cluster import ClusterPipeline, ClusterPubSub, RedisCluster

from core.store.failures import store_errors


class _MapsCommands:
    """Mixed into a client or a pipeline."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with store_errors():
            return super().execute_command(*args, **options)  # type: ignore[misc]


class _MapsPipeline(_MapsCommands):
    def execute(self, raise_on_error: bool = True) -> Any:
        with store_errors():
            return super().execute(raise_on_error)  # type: ignore[misc]


class _MapsPubSub(_MapsCommands):
    def get_message(self, *args: Any, **options: Any) -> Any:
        with store_errors():
            return super().get_message(*args, **options)  # type: ignore[misc]


class _Pipeline(_MapsPipeline, Pipeline):
    pass


class _PubSub(_MapsPubSub, PubSub):
    pass


class _ClusterPipeline(_MapsPipeline, ClusterPipeline):
    pass


class _ClusterPubSub(_MapsPubSub, ClusterPubSub):
    pass


class ServerClient(_MapsCommands, redis.Redis):
    """A client of one server, also of the primary that Sentinels name."""

    # redis-py writes the classes of its pipelines and subscriptions into these methods. Ours have
    # the same state, so they can take their place.
    def pipeline(self, *args: Any, **options: Any) -> Any:
        return _with_class(_Pipeline, super().pipeline(*args, **options))

    def pubsub(self, **options: Any) -> Any:
        return _with_class(_PubSub, super().pubsub(**options))  # type: ignore[no-untyped-call]


class ClusterClient(_MapsCommands, RedisCluster):
    """A client of a Cluster."""

    def pipeline(self, *args: Any, **options: Any) -> Any:
        pipeline = super().pipeline(*args, **options)  # type: ignore[no-untyped-call]
        return _with_class(_ClusterPipeline, pipeline)

    def pubsub(self, *args: Any, **options: Any) -> Any:
        pubsub = super().pubsub(*args, **options)  # type: ignore[no-untyped-call]
        return _with_class(_ClusterPubSub, pubsub)


def _with_class(kind: Any, client: Any) -> Any:
    client.__class__ = kind
    return client
