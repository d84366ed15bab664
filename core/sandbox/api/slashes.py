"""Makes the final slash of paths optional.

Plivo documents paths with it. Its SDKs leave it out (Go, PHP, Java, .NET and Node for PHLOs, Node
for live calls, Java for streams) or send two (Node for the account). A redirect would not do: a
client that follows it may lose the body of its POST.
"""

import re

from starlette.routing import BaseRoute, Route, WebSocketRoute


def with_optional_slash(route: BaseRoute) -> BaseRoute:
    """The same route, which also matches its path with another number of final slashes."""
    if isinstance(route, Route | WebSocketRoute):
        pattern = route.path_regex.pattern.removesuffix("$").removesuffix("/")
        route.path_regex = re.compile(f"{pattern}/*$")
    return route
