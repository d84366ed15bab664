"""Clients of redis-py whose commands, pipelines and subscriptions raise StoreUnavailable for the
errors that `failures.py` maps, so that callers need not map them."""

from typing import Any

import redis
from redis.client import Pipeline, PubSub
from redis.exceptions import MovedError

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
    def _execute_pipeline(self, connection: Any, commands: Any, raise_on_error: bool) -> Any:
        """The connection sends a pipeline again after MOVED (`slot_primary.py`). One that is not
        atomic may have run in part before the slot moved; then it must not."""
        results = super()._execute_pipeline(connection, commands, False)  # type: ignore[no-untyped-call]
        if results and all(isinstance(result, MovedError) for result in results):
            raise results[0]
        if raise_on_error:
            with store_errors():
                self.raise_first_error(commands, results)  # type: ignore[no-untyped-call]
        return results


class _PubSub(_MapsPubSub, PubSub):
    pass


class ServerClient(_MapsCommands, redis.Redis):
    """A client of one server, which may be the primary of Sentinels or of a slot of a Cluster."""

    # redis-py writes the classes of its pipelines and subscriptions into these methods. Ours have
    # the same state, so they can take their place.
    def pipeline(self, *args: Any, **options: Any) -> Any:
        return _with_class(_Pipeline, super().pipeline(*args, **options))

    def pubsub(self, **options: Any) -> Any:
        return _with_class(_PubSub, super().pubsub(**options))  # type: ignore[no-untyped-call]


def _with_class(kind: Any, client: Any) -> Any:
    client.__class__ = kind
    return client
