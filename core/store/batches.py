"""Divides many items into batches, each for a round trip to Redis."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter. (itertools has it from 3.12 on.)"""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
