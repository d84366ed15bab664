"""The connection: each form of REDIS_URL with a real server, and what a missing one is called."""

import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.model.errors import SettingsRefused, StoreForbidden, StoreUnavailable
from core.settings.redis_address import RedisKind, parse_address
from core.settings.settings import Settings
from core.store.connection import RedisConnection, connect
from core.store.failures import store_errors
from tests.store.servers import free_port, running, running_cluster, running_sentinel
from tests.world import PATIENCE_SECONDS, until

PASSWORD = "p@ss:w/rd#1"
QUOTED = "p%40ss%3Aw%2Frd%231"


def evaluate(client: Any, script: str, *keys: Any) -> Any:
    """Run a script that is no file of the product; the number of its keys comes first."""
    return client.execute_command("EVAL", script, *keys)


@contextmanager
def connected(url: str | None = None, data: Path = Path(".data")) -> Iterator[RedisConnection]:
    connection = connect(Settings(redis_url=url, data_dir=data))
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that asks for a password."""
    with running(tmp_path_factory.mktemp("plain")) as port:
        with redis.Redis(port=port) as client:
            client.config_set("requirepass", PASSWORD)
        yield port


@pytest.fixture(scope="module")
def url(port: int) -> str:
    return f"redis://:{QUOTED}@127.0.0.1:{port}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as port:
        yield port


# Every way to a Redis, and one question to each


def speaks(connection: RedisConnection) -> None:
    client = connection.client
    script = "redis.call('HSET', KEYS[1], 'a', ARGV[1]) return redis.call('HGET', KEYS[1], 'a')"
    assert evaluate(client, script, 1, "{sandbox}:key", "é") == "é"
    assert client.hgetall("{sandbox}:key") == {"a": "é"}


def test_a_server_is_reached_with_its_password_and_named_without(port: int, url: str) -> None:
    with connected(f"{url}/3") as connection:
        speaks(connection)
        assert connection.where.endswith(f"at redis://127.0.0.1:{port}/3")
        assert PASSWORD not in repr(connection)
        assert QUOTED not in repr(connection)


def test_the_database_of_the_url_is_used(url: str) -> None:
    with connected(f"{url}/4") as four, connected(f"{url}/5") as five:
        speaks(four)
        assert five.client.hgetall("{sandbox}:key") == {}


def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "with space.sock"
    with (
        running(tmp_path / "data", "--unixsocket", str(path)),
        connected(f"unix://{str(path).replace(' ', '%20')}?db=2") as connection,
    ):
        speaks(connection)


def test_without_a_url_an_embedded_server_is_started_and_ended(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with connected(data=data) as connection:
        speaks(connection)
        assert connection.where.startswith("embedded ")
        assert connection.where.endswith(f" in {data}")
    assert not (data / "redis" / "redis.sock").exists()


def test_a_cluster_is_reached(cluster: int) -> None:
    with connected(f"redis+cluster://127.0.0.1:{cluster}") as connection:
        speaks(connection)
        assert connection.where.endswith(f"at redis+cluster://127.0.0.1:{cluster}")


def test_a_cluster_is_reached_through_any_of_its_nodes(cluster: int) -> None:
    for hosts in (
        f"127.0.0.1:{free_port()},127.0.0.1:{cluster}",
        f"127.0.0.1:{cluster},127.0.0.1:{free_port()}",
        f"127.0.0.1:{free_port()},127.0.0.1:{cluster},[::1]:{free_port()}",
    ):
        with connected(f"redis+cluster://{hosts}") as connection:
            speaks(connection)
            assert connection.where.endswith(f"at redis+cluster://{hosts}")


def test_a_cluster_of_which_no_node_answers_is_unavailable() -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        connect(Settings(redis_url=f"redis+cluster://{hosts}"))


def test_a_user_who_may_not_ask_for_the_nodes_is_told_that_a_right_is_missing(
    cluster: int,
) -> None:
    with redis.Redis(port=cluster) as admin:
        admin.execute_command("ACL", "SETUSER", "few", "on", ">pw", "~*", "+@read", "+info")
        with pytest.raises(StoreUnavailable, match="does not allow"):
            connect(Settings(redis_url=f"redis+cluster://few:pw@127.0.0.1:{cluster}"))
        admin.execute_command("ACL", "SETUSER", "few", "+cluster|slots")
    with connected(f"redis+cluster://few:pw@127.0.0.1:{cluster}") as connection:
        assert connection.client.get("{sandbox}:absent") is None


def test_the_primary_is_found_through_the_first_sentinel_that_answers(tmp_path: Path) -> None:
    with (
        running(tmp_path / "primary") as primary,
        running_sentinel(tmp_path / "sentinel", primary, "codes") as sentinel,
    ):
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{sentinel}"
        with connected(f"redis+sentinel://{hosts}/codes/1") as connection:
            speaks(connection)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            connect(Settings(redis_url=f"redis+sentinel://{hosts}/others"))


# The wrong server at the address


def test_a_cluster_node_as_a_server_is_refused_with_the_right_form(cluster: int) -> None:
    with pytest.raises(SettingsRefused, match=r"node of a Cluster.*redis\+cluster://"):
        connect(Settings(redis_url=f"redis://127.0.0.1:{cluster}"))


def test_a_server_as_a_cluster_is_refused_with_the_right_form(tmp_path: Path) -> None:
    with running(tmp_path / "data") as port, pytest.raises(SettingsRefused, match="single server"):
        connect(Settings(redis_url=f"redis+cluster://127.0.0.1:{port}"))


def test_a_sentinel_as_a_server_is_refused_with_the_right_form(tmp_path: Path) -> None:
    refusal = pytest.raises(SettingsRefused, match=r"a Sentinel answers.*redis\+sentinel://")
    with running(tmp_path / "data", "--sentinel") as port, refusal:
        connect(Settings(redis_url=f"redis://127.0.0.1:{port}"))


def test_a_server_that_is_too_old_is_named() -> None:
    refusal = pytest.raises(StoreUnavailable, match=r"Redis 5\.0\.14 at .* is too old.*6\.2")
    with answering(lambda *_: info(b"redis_version:5.0.14")) as (port, _), refusal:
        connect(Settings(redis_url=f"redis://127.0.0.1:{port}"))


def test_a_valkey_is_called_by_its_own_name_and_version() -> None:
    answer = info(b"redis_version:7.2.4", b"server_name:valkey", b"valkey_version:8.0.1")
    with (
        answering(lambda *_: answer) as (port, _),
        connected(f"redis://127.0.0.1:{port}") as connection,
    ):
        assert connection.where == f"Valkey 8.0.1 at redis://127.0.0.1:{port}"


# Redis is away, full or not ours to write


def test_a_wrong_password_is_said_and_not_shown(port: int) -> None:
    with pytest.raises(StoreUnavailable, match="refused the user or the password") as refused:
        connect(Settings(redis_url=f"redis://:guessed@127.0.0.1:{port}"))
    assert "guessed" not in str(refused.value)


@pytest.mark.parametrize("form", ["redis://{}", "redis+cluster://{}", "redis+sentinel://{}/codes"])
def test_an_address_where_nobody_listens_is_unavailable(form: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(StoreUnavailable, match="cannot be reached") as away:
        connect(Settings(redis_url=form.format(address)))
    assert f"(at {form.format(address)})." in away.value.cause
    assert away.value.__cause__ is not None


def test_a_user_who_may_not_is_told_what_to_allow(port: int) -> None:
    with redis.Redis(port=port, password=PASSWORD) as client:
        client.execute_command("ACL", "SETUSER", "some", "on", ">pw", "~*", "+info", "+get")
    refusal = pytest.raises(StoreUnavailable, match="does not allow")
    with connected(f"redis://some:pw@127.0.0.1:{port}") as connection, refusal:
        connection.client.hgetall("key")


@pytest.mark.parametrize("cluster", [False, True])
def test_pipelines_and_subscriptions_map_their_errors_too(tmp_path: Path, cluster: bool) -> None:
    data = tmp_path / "data"
    scheme = "redis+cluster" if cluster else "redis"
    with (running_cluster if cluster else running)(data) as port:
        with redis.Redis(port=port) as admin:
            admin.execute_command(
                "ACL SETUSER", "some", "on", ">pw", "~*", "+info", "+cluster|slots"
            )
        with connected(f"{scheme}://some:pw@127.0.0.1:{port}") as connection:
            with pytest.raises(StoreForbidden), connection.client.pipeline() as pipe:
                pipe.get("key").execute()
            with pytest.raises(StoreForbidden), connection.client.pipeline(False) as pipe:
                pipe.get("key").execute()
            with connection.client.pubsub() as subscription:
                subscription.subscribe("channel")
                with pytest.raises(StoreForbidden):
                    subscription.get_message(timeout=PATIENCE_SECONDS)


def test_a_full_server_is_unavailable_for_commands_and_for_scripts(tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", "--maxmemory", "1", "--maxmemory-policy", "noeviction") as port,
        connected(f"redis://127.0.0.1:{port}") as connection,
    ):
        with pytest.raises(StoreUnavailable, match="no memory"):
            connection.client.pipeline().set("key", "value").execute()
        with pytest.raises(StoreUnavailable, match="no memory"):
            evaluate(connection.client, "return redis.call('SET', KEYS[1], 1)", 1, "key")


def test_a_replica_is_unavailable_for_commands_and_for_scripts(tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", "--replicaof", "127.0.0.1", str(free_port())) as port,
        connected(f"redis://127.0.0.1:{port}") as connection,
    ):
        with pytest.raises(StoreUnavailable, match="replica"):
            connection.client.delete("key")
        with pytest.raises(StoreUnavailable, match="replica"):
            evaluate(connection.client, "return redis.call('SET', KEYS[1], 1)", 1, "key")


def test_a_server_that_cannot_save_is_unavailable(tmp_path: Path) -> None:
    with running(tmp_path / "data") as port, connected(f"redis://127.0.0.1:{port}") as connection:
        with redis.Redis(port=port) as admin:
            # A snapshot into a folder that has gone fails, and Redis then refuses to write.
            admin.config_set("save", "3600 1")
            (tmp_path / "data" / "dump.rdb").mkdir()
            admin.set("key", 1)
            admin.bgsave()
            until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")
        with pytest.raises(StoreUnavailable, match="cannot save"):
            connection.client.delete("key")


def test_a_cluster_that_lost_a_slot_or_its_node_is_unavailable(tmp_path: Path) -> None:
    with (
        running_cluster(tmp_path / "data") as port,
        connected(f"redis+cluster://127.0.0.1:{port}") as connection,
        redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as admin,
    ):
        admin.execute_command("CLUSTER", "DELSLOTS", *range(16384))
        with pytest.raises(StoreUnavailable, match="cannot serve all keys"):
            connection.client.hgetall("{sandbox}:key")
        admin.shutdown(nosave=True)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            connection.client.hgetall("{sandbox}:key")


def test_the_error_of_a_script_stays_what_it_is(url: str) -> None:
    with connected(url) as connection, pytest.raises(redis.ResponseError):
        evaluate(connection.client, "return nothing.at.all", 0)


def test_a_script_that_speaks_of_an_error_does_not_become_one(url: str) -> None:
    with connected(url) as connection, pytest.raises(redis.ResponseError):
        evaluate(connection.client, "return redis.error_reply('ERR it was BUSY or OOM ')", 0)


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), store_errors():
        raise ZeroDivisionError


# What is sent once and what is tried again


@contextmanager
def answering(answer: Callable[[bytes, int], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A listener on the loopback that answers each command by `answer(command, port)`; nothing
    means that it hangs up. Gives its port and what was heard. Not Redis: it must misbehave."""
    heard: list[bytes] = []

    class Line(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                while command := self.request.recv(65536):
                    heard.append(command)
                    said = answer(command, own_port)
                    if not said:
                        return
                    self.request.sendall(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
        own_port = int(server.socket.getsockname()[1])
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        try:
            yield own_port, heard
        finally:
            server.shutdown()


def info(*lines: bytes) -> bytes:
    """The answer to INFO."""
    text = b"".join(line + b"\r\n" for line in lines)
    return b"$%d\r\n%s\r\n" % (len(text), text)


def hangs_up_on_scripts(command: bytes, port: int) -> bytes:
    """A server, or a Cluster of one, that runs each script and then loses its line."""
    if b"EVAL" in command:
        return b""
    if b"SLOTS" in command:
        return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % port
    return info(b"redis_version:7.0.0")


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_a_command_that_may_have_run_is_never_sent_again(scheme: str) -> None:
    with (
        answering(hangs_up_on_scripts) as (port, heard),
        connected(f"{scheme}://127.0.0.1:{port}") as connection,
    ):
        with pytest.raises(StoreUnavailable):
            evaluate(connection.client, "return 1", 1, "key")
        with pytest.raises(StoreUnavailable):
            connection.own.run("EVAL", "return 1", 1, "key")
        assert sum(b"EVAL" in command for command in heard) == 2


def test_a_connection_that_breaks_while_it_is_made_is_tried_again() -> None:
    breaks = iter((b"", b"", b"+OK\r\n"))

    def server(command: bytes, _: int) -> bytes:
        # SELECT, for the database, is part of making a connection.
        return next(breaks) if b"SELECT" in command else info(b"redis_version:7.0.0")

    with (
        answering(server) as (port, heard),
        connected(f"redis://127.0.0.1:{port}/1") as connection,
    ):
        assert connection.where.startswith("Redis 7.0.0")
        assert [b"SELECT" in command for command in heard] == [True, True, True, False]


def test_a_wrong_password_is_tried_once() -> None:
    def server(command: bytes, _: int) -> bytes:
        return b"-WRONGPASS invalid username-password pair\r\n"

    with answering(server) as (port, heard):
        with pytest.raises(StoreUnavailable, match="refused the user"):
            connect(Settings(redis_url=f"redis://:guessed@127.0.0.1:{port}"))
        assert len(heard) == 1


def test_what_is_no_redis_at_all_is_called_so() -> None:
    answers = iter((b"HTTP/1.1 400 Bad Request\r\n\r\n", info(b"something:else")))
    with answering(lambda *_: next(answers)) as (port, _):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="no Redis"):
                connect(Settings(redis_url=f"redis://127.0.0.1:{port}"))


def test_a_connection_that_died_while_idle_is_replaced_unnoticed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with connected(data=data) as connection, redis.Redis.from_url(sock(data)) as admin:
        evaluate(connection.client, "return redis.call('SET', KEYS[1], 1)", 1, "key")
        admin.client_kill_filter(_type="normal", skipme=True)
        assert connection.client.delete("key") == 1


def sock(data: Path) -> str:
    return f"unix://{data / 'redis' / 'redis.sock'}"


def test_the_embedded_server_may_crash_between_two_commands(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with connected(data=data) as connection:
        evaluate(connection.client, "return redis.call('SET', KEYS[1], 1)", 1, "key")
        os.kill(int(connection.client.info("server")["process_id"]), signal.SIGKILL)
        assert until(lambda: survives(connection))


def survives(connection: RedisConnection) -> bool:
    try:
        return (
            str(evaluate(connection.client, "return redis.call('GET', KEYS[1])", 1, "key")) == "1"
        )
    except StoreUnavailable:
        return False


def test_threads_share_the_connection(url: str) -> None:
    with connected(url) as connection:
        connection.client.delete("counted")
        script = "return redis.call('INCR', KEYS[1])"
        seen: list[int] = []
        barrier = threading.Barrier(32)

        def count() -> None:
            barrier.wait()
            for _ in range(20):
                seen.append(evaluate(connection.client, script, 1, "counted"))

        threads = [threading.Thread(target=count) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == list(range(1, 641))


# The forms of REDIS_URL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redis://h", "redis://h:6379"),
        ("redis://u:p@h:1/2", "redis://h:1/2"),
        ("rediss://h", "rediss://h:6379"),
        ("redis://[::1]:7", "redis://[::1]:7"),
        ("unix:///a/b.sock?db=3", "unix:///a/b.sock"),
        ("redis+cluster://h:1", "redis+cluster://h:1"),
        ("redis+cluster://u:p@h:1,[::1]:2,g", "redis+cluster://h:1,[::1]:2,g:6379"),
        ("rediss+cluster://h", "rediss+cluster://h:6379"),
        ("redis+sentinel://:p@a,b:2/s/1", "redis+sentinel://a:26379,b:2/s/1"),
    ],
)
def test_a_url_is_shown_without_its_credentials(text: str, words: str) -> None:
    assert parse_address(text).words == words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:6379",
        "http://h",
        "redis://",
        "redis://h:port",
        "redis://h:99999",
        "redis://h/db",
        "redis://h/1/2",
        "redis://a,b",
        "redis://h?retry_on_timeout=yes",
        "redis://h?ssl_ca_certs=/ca.pem",
        "unix://",
        "unix://host/path",
        "unix:///a?db=x",
        "redis+cluster://h/1",
        "redis+sentinel://h",
        "redis+sentinel://h/service/db",
        "redis+sentinel:///service",
    ],
)
def test_a_wrong_url_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"redis(\+\w+)?://host|unix:///path"):
        parse_address(text)


@pytest.mark.parametrize("end", ["h:port", "h:99999", "h/db", "h?a=b", "[h", "h/1?", "", "a,b"])
def test_the_refusal_of_a_url_does_not_quote_its_password(end: str) -> None:
    for start in ("redis://", "unix://", "redis+sentinel://", "redis+cluster://", "wrong://"):
        with suppress(ValueError):
            parse_address(f"{start}user:s3cret@{end}")
            continue
        with pytest.raises(ValueError, match=r"^(?!.*s3cret)") as refused:
            parse_address(f"{start}user:s3cret@{end}")
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("password", ["p#w", "123#w", "p/w", "6379/w", "1/2", "p?w", "6379?a=b"])
@pytest.mark.parametrize(
    "form",
    [
        "redis://:{}@host",
        "redis://user:{}@host:6379/0",
        "rediss://user:{}@host:6379",
        "redis+cluster://user:{}@host:1,host2",
        "redis+sentinel://user:{}@host:26379/service",
        "redis+sentinel://user:{}@host:26379/service/1",
        "unix://user:{}@/path",
    ],
)
def test_a_password_that_must_be_encoded_is_refused_and_never_a_host(
    form: str, password: str
) -> None:
    with pytest.raises(ValueError, match=r"%23 for #, %2F for /") as refused:
        parse_address(form.format(password))
    assert f":{password}@" not in str(refused.value)
    encoded = parse_address(form.format(quote(password, safe="")))
    assert (encoded.username or "user", encoded.password) == ("user", password)


def test_the_command_of_the_readme_encodes_any_password() -> None:
    readme = (Path(__file__).parents[2] / "core" / "store" / "README.md").read_text()
    found = re.search(r"`python -c \"(.*)\"`", readme)
    assert found is not None
    word = "a#b/c@d:e?f%g+h é"
    printed = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", found[1]], input=word, capture_output=True, text=True, check=True
    )
    assert parse_address(f"redis://u:{printed.stdout.strip()}@host").password == word


def test_a_plus_in_the_password_of_a_socket_stays_one() -> None:
    assert parse_address("unix:///path?password=a+b%20c").password == "a+b c"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_user_and_password_come_through_a_url_and_into_no_words(user: str, word: str) -> None:
    quoted = [part.encode().hex(" ").upper().replace(" ", "%") for part in (user, word)]
    address = parse_address(f"redis://%{quoted[0]}:%{quoted[1]}@host")
    assert (address.username, address.password) == (user, word)
    assert address.words == "redis://host:6379"
    assert repr(address) == repr(parse_address("redis://host"))


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for start in ("", "redis://", "unix://", "redis+sentinel://", "redis+cluster://"):
        with suppress(ValueError):
            assert parse_address(start + text).kind in RedisKind


def test_a_server_with_tls_is_not_spoken_to_in_the_clear() -> None:
    with answering(lambda *_: b"") as (port, heard):
        with pytest.raises(StoreUnavailable):
            connect(Settings(redis_url=f"rediss://:s3cret@127.0.0.1:{port}"))
        # 22 is the first byte of a TLS handshake (RFC 8446, section 5.1).
        assert {command[0] for command in heard} == {22}
