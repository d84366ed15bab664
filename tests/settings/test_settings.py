"""Settings: their sources, the texts of refusals, and the values derived from them."""

import ast
import inspect
import os
import stat
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from core.access.password import hash_password
from core.model.errors import SettingsRefused
from core.settings.choices import PlivoMode
from core.settings.credentials import auth_token, secret_key
from core.settings.reading import read_settings
from core.settings.settings import SANDBOX_AUTH_ID, SANDBOX_NUMBER, SANDBOX_PHLO_ID, Settings

ROOT = Path(__file__).parents[2]
AUTH_ID = "MA" + "A1" * 9
LIVE = {
    "PLIVO_AUTH_ID": AUTH_ID,
    "PLIVO_AUTH_TOKEN": "t0ken-of-the-account",
    "PLIVO_NUMBER": "+14155550123",
    "SECRET_KEY": "k" * 32,
}
#: The secret of the Standard Webhooks specification's own example: 24 bytes.
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def project(directory: Path, dotenv: str = "", toml: str = "") -> Path:
    """A project with these files; an empty one is not there."""
    if dotenv:
        (directory / ".env").write_text(dotenv)
    if toml:
        (directory / ".streamlit").mkdir()
        (directory / ".streamlit" / "secrets.toml").write_text(toml)
    return directory


def given_live(monkeypatch: pytest.MonkeyPatch, *, without: str = "", **more: str) -> None:
    for name, value in {**LIVE, **more}.items():
        if name != without:
            monkeypatch.setenv(name, value)


def refusal(directory: Path) -> SettingsRefused:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(directory)
    return refused.value


# Where they come from


def test_a_project_without_any_setting_is_a_whole_sandbox(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    assert settings.mode is PlivoMode.SANDBOX
    assert settings.is_sandbox
    assert settings.redis_url is None
    assert (settings.sender, settings.auth_id) == (SANDBOX_NUMBER, SANDBOX_AUTH_ID)
    assert settings.effective_phlo_id == SANDBOX_PHLO_ID
    assert settings.data_dir == tmp_path / ".data"
    assert settings.warnings == []


def test_the_environment_goes_before_dotenv_and_dotenv_before_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("BRAND=two\nCODE_LENGTH=7\n", 'BRAND = "three"\nCODE_LENGTH = 8\nSENDS_PER_DAY = 9\n')
    monkeypatch.setenv("BRAND", "one")
    settings = read_settings(project(tmp_path, *files))
    assert (settings.brand, settings.code_length, settings.sends_per_day) == ("one", 7, 9)


def test_an_empty_value_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND", "")
    settings = read_settings(project(tmp_path, "REDIS_URL=\nBRAND=mine\n", 'PHLO_ID = ""\n'))
    assert (settings.redis_url, settings.brand, settings.phlo_id) == (None, "mine", None)


def test_unknown_names_are_ignored(tmp_path: Path) -> None:
    toml = 'other = 1\n[connections.db]\nurl = "x"\n[brand]\nname = "x"\n'
    assert read_settings(project(tmp_path, "OTHER=1\n", toml)) == read_settings(tmp_path)


def test_numbers_and_lists_of_toml_are_understood(tmp_path: Path) -> None:
    toml = 'PLIVO_NUMBER = 14155550123\nCOUNTRIES = ["us", "CA"]\nRESEND_COOLDOWNS = [5, 10]\n'
    settings = read_settings(project(tmp_path, toml=toml))
    assert settings.plivo_number == "+14155550123"
    assert settings.countries == ("CA", "US")
    assert settings.resend_cooldowns == (5, 10)


def test_the_current_directory_is_the_project_unless_one_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project(tmp_path, "BRAND=here\n"))
    assert read_settings().brand == "here"
    assert read_settings(ROOT / "tests").brand == "Acme"


def test_the_data_directory_is_relative_to_the_project(tmp_path: Path) -> None:
    assert read_settings(project(tmp_path, "DATA_DIR=a/b\n")).data_dir == tmp_path / "a" / "b"
    assert read_settings(project(tmp_path, "DATA_DIR=/c\n")).data_dir == Path("/c")


def test_settings_made_from_arguments_read_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project(tmp_path, "BRAND=file\n"))
    monkeypatch.setenv("CODE_LENGTH", "9")
    assert Settings(sends_per_day=3) == Settings(brand="Acme", code_length=6, sends_per_day=3)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().brand = "Other"  # type: ignore[misc]


# What is refused


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("LIFETIME_SECONDS", "601", "30 to 600 (NIST SP 800-63B"),
        ("LIFETIME_SECONDS", "29", "30 to 600"),
        ("CODE_LENGTH", "3", "a whole number from 4 to 10"),
        ("CODE_LENGTH", "six", "a whole number from 4 to 10"),
        ("CHECKS_PER_VERIFICATION", "11", "from 1 to 10"),
        ("FAILED_CHECKS_PER_DAY", "101", "from 1 to 100"),
        ("SPEND_PER_DAY", "-1", "a number from 0 to 1,000,000"),
        ("SPEND_PER_DAY", "nan", "a number from 0 to 1,000,000"),
        ("SANDBOX_SPEED", "inf", "from 0.1 to 1,000"),
        ("RESEND_COOLDOWNS", "30,soon", "whole seconds from 1 to 3600 with commas"),
        ("RESEND_COOLDOWNS", ",", "whole seconds from 1 to 3600 with commas"),
        ("COUNTRIES", "US,XX", "unknown: XX"),
        ("DEFAULT_REGION", "Germany", "two letters of a country"),
        ("PLIVO_MODE", "test", "sandbox or live"),
        ("PLIVO_NUMBER", "+1415", "a full number with its country code"),
        ("ORIGIN_HOST", "https://host.com", "without https://"),
        ("BRAND", "x" * 21, "1 to 20 printable characters"),
        ("SMS_TEMPLATE", "Your code", "__code__ where the code goes"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_given_and_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    cause = refusal(tmp_path).cause
    assert cause.startswith(f'{name} is "{value}", and must be ')
    assert allowed in cause


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "s3cret"),
        ("REDIS_URL", "redis://:s3cret@host:port"),
        ("WEBHOOK_URL", "ftp://host/s3cret"),
        ("WEBHOOK_URL", "https://user:s3cret@host/"),
        ("WEBHOOK_URL", "https://host/s3cret#part"),
        ("WEBHOOK_URL", "https://host:s3cret/"),
        ("WEBHOOK_URL", "s3cret"),
        ("WEBHOOK_URL", "https://[s3cret"),
        ("WEBHOOK_URL", "https://host:70000/s3cret"),
        ("PLIVO_AUTH_ID", "s3cret"),
        ("PLIVO_AUTH_ID", "MA" + "s3cret" * 4),
        ("PHLO_ID", "s3cret/"),
        ("PUBLIC_URL", "ftp://s3cret"),
        ("PUBLIC_URL", "https://user:s3cret@host"),
        ("PUBLIC_URL", "https://host/?key=s3cret"),
        ("PUBLIC_URL", "https://[s3cret"),
        ("PUBLIC_URL", "https://s3cret:70000"),
        ("PUBLIC_URL", "https://s3cret\nhost"),
        ("SANDBOX_URL", "http://user:s3cret@host"),
        ("WEBHOOK_SECRET", "s3cret"),
        ("ALERT_URLS", "json://host/ s3cret"),
        ("ALERT_URLS", "json://host/, s3cret://"),
        ("WEBHOOK_SECRET", "whsec_s3cret"),
        ("WEBHOOK_SECRET", "whsec_" + "s3cr" * 7 + "*"),
        ("WEBHOOK_SECRET", "whsec_" + "s3cr" * 7 + "e"),
        ("WEBHOOK_SECRET", "wh_" + "s3cr" * 8 + "et"),
        ("WEBHOOK_SECRET", "whsec_" + "s3cret00" * 12),
    ],
)
def test_a_wrong_secret_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    error = refusal(tmp_path)
    assert error.cause.startswith(f"{name} must be ")
    assert "s3cret" not in str(error)
    # Nor in a traceback, which would print the chain of causes.
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    cause = refusal(project(tmp_path, "CODE_LENGTH=1\nBRAND=\n", 'PLIVO_MODE = "x"\n')).cause
    assert "CODE_LENGTH is" in cause
    assert "PLIVO_MODE is" in cause
    assert "BRAND" not in cause


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"BRAND = \n", "not valid TOML: Invalid value"), (b'BRAND = "\xff"\n', "not UTF-8")],
)
def test_a_broken_secrets_file_is_refused_by_name(
    tmp_path: Path, content: bytes, said: str
) -> None:
    project(tmp_path, toml="#")
    (tmp_path / ".streamlit" / "secrets.toml").write_bytes(content)
    cause = refusal(tmp_path).cause
    assert cause.startswith(".streamlit/secrets.toml is ")
    assert said in cause


def test_live_refuses_the_address_of_a_sandbox_that_it_would_not_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_live(monkeypatch, SANDBOX_URL="http://127.0.0.1:8510")
    assert refusal(tmp_path).cause.startswith("SANDBOX_URL must not be set when live")
    monkeypatch.setenv("PLIVO_MODE", "sandbox")
    assert read_settings(tmp_path).sandbox_url == "http://127.0.0.1:8510"


@pytest.mark.parametrize("line", ["PLIVO_MODE sandbox", "=sandbox", "PLIVO_MODE='sandbox"])
def test_a_line_of_dotenv_that_cannot_be_read_is_refused_by_its_number(
    tmp_path: Path, line: str
) -> None:
    project(tmp_path, f"# The account.\nBRAND=Acme\n{line}\n")
    assert refusal(tmp_path).cause == ".env has a line that cannot be read: line 3."


def test_a_byte_order_mark_hides_no_setting(tmp_path: Path) -> None:
    project(tmp_path, "\ufeffPLIVO_MODE=sandbox\n", '\ufeffBRAND = "Other"\n')
    settings = read_settings(tmp_path)
    assert (settings.plivo_mode, settings.brand) == (PlivoMode.SANDBOX, "Other")


@pytest.mark.parametrize(
    "url", ["https://api.plivo.com", "http://API.plivo.com.:80/", "https://plivo.com"]
)
def test_the_real_plivo_cannot_be_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SANDBOX_URL", url)
    assert refusal(tmp_path).cause.startswith("SANDBOX_URL must not be Plivo's own address")
    monkeypatch.setenv("SANDBOX_URL", "http://notplivo.com:8510")
    assert read_settings(tmp_path).is_sandbox


def test_a_dotenv_that_is_not_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BRAND=\xff\n")
    assert refusal(tmp_path).cause.startswith(".env is not UTF-8")


#: Any text, and near misses of addresses.
TEXTS = st.text(max_size=40) | st.from_regex(r"https?://[\[\]:@a1./#?\n%-]{1,12}", fullmatch=True)


@given(st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), TEXTS))
def test_any_text_is_accepted_or_refused_by_the_name_of_its_setting(given: dict[str, str]) -> None:
    try:
        # What is accepted can be used.
        assert Settings(**given).webhook_host != ""  # type: ignore[arg-type]
    except ValidationError as error:
        named = {problem["loc"][:1] for problem in error.errors()}
        assert named <= {(name,) for name in given} | {()}


# Sandbox or live


def test_both_credentials_make_it_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_live(monkeypatch)
    settings = read_settings(tmp_path)
    assert settings.mode is PlivoMode.LIVE
    assert (settings.auth_id, auth_token(settings)) == (AUTH_ID, LIVE["PLIVO_AUTH_TOKEN"])
    assert settings.sender == LIVE["PLIVO_NUMBER"]
    assert settings.effective_phlo_id is None
    assert secret_key(settings) == LIVE["SECRET_KEY"].encode()


@pytest.mark.parametrize("missing", ["PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN"])
@pytest.mark.parametrize("mode", ["", "sandbox", "live"])
def test_one_credential_without_the_other_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, mode: str
) -> None:
    given_live(monkeypatch, without=missing, PLIVO_MODE=mode)
    assert refusal(tmp_path).cause.startswith(f"{missing} must be set")


def test_forced_live_mode_needs_both_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLIVO_MODE", "live")
    cause = refusal(tmp_path).cause
    for name in LIVE:
        assert name in cause


def test_live_without_a_number_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_live(monkeypatch, without="PLIVO_NUMBER")
    assert refusal(tmp_path).cause.startswith("PLIVO_NUMBER must be set")


def test_live_without_a_key_is_refused_with_the_way_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_live(monkeypatch, without="SECRET_KEY")
    cause = refusal(tmp_path).cause
    code = cause.partition('python -c "')[2].partition('"')[0]
    made = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - ours
    monkeypatch.setenv("SECRET_KEY", made.strip())
    assert secret_key(read_settings(tmp_path)) == made.strip().encode()


def test_live_webhooks_need_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_live(monkeypatch, WEBHOOK_URL="https://example.com/events?of=verify")
    cause = refusal(tmp_path).cause
    assert cause.startswith("WEBHOOK_SECRET must be set")
    code = cause.partition('python -c "')[2].partition('"')[0]
    made = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - ours
    monkeypatch.setenv("WEBHOOK_SECRET", made.strip())
    assert read_settings(tmp_path).webhook_url == "https://example.com/events?of=verify"


@pytest.mark.parametrize(
    ("url", "mode", "allowed"),
    [
        ("https://example.com/", "live", True),
        ("http://example.com/", "live", False),
        ("http://10.0.0.7/", "live", False),
        ("http://localhost.example.com/", "live", False),
        ("http://localhost:8000/", "live", True),
        ("http://127.0.0.1:8000/", "live", True),
        ("http://[::1]:8000/", "live", True),
        ("http://example.com/", "sandbox", True),
    ],
)
def test_live_webhooks_are_encrypted_outside_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, mode: str, allowed: bool
) -> None:
    given_live(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET=WEBHOOK_SECRET, PLIVO_MODE=mode)
    if allowed:
        assert read_settings(tmp_path).webhook_url == url
    else:
        assert refusal(tmp_path).cause.startswith("WEBHOOK_URL must begin with https://")


def test_the_sandbox_can_be_forced_over_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_live(monkeypatch, PLIVO_MODE="sandbox")
    settings = read_settings(tmp_path)
    assert settings.is_sandbox
    assert (settings.auth_id, auth_token(settings)) == (AUTH_ID, LIVE["PLIVO_AUTH_TOKEN"])


@pytest.mark.parametrize(
    ("mode", "countries", "allowed"),
    [
        ("sandbox", "", None),
        ("sandbox", "de, fr", frozenset({"DE", "FR"})),
        ("live", "", frozenset({"US"})),
        ("live", "de,fr,DE", frozenset({"DE", "FR"})),
    ],
)
def test_without_a_list_the_sandbox_allows_all_countries_and_live_the_senders_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    countries: str,
    allowed: frozenset[str] | None,
) -> None:
    given_live(monkeypatch, PLIVO_MODE=mode, COUNTRIES=countries)
    assert read_settings(tmp_path).allowed_countries == allowed


def test_a_live_sender_without_a_country_needs_a_list_of_countries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_live(monkeypatch, PLIVO_NUMBER="+883510012345678")
    assert refusal(tmp_path).cause.startswith("COUNTRIES must be set")
    monkeypatch.setenv("COUNTRIES", "DE")
    assert read_settings(tmp_path).allowed_countries == frozenset({"DE"})


# Single values


def test_values_are_normalised(tmp_path: Path) -> None:
    lines = [
        "PLIVO_NUMBER=1 (415) 555-0123",
        "PUBLIC_URL=https://verify.example.com/",
        "ORIGIN_HOST=Verify.Example.com",
        "DEFAULT_REGION=de",
        "SPEND_PER_DAY=12.50",
        "RESEND_COOLDOWNS=5, 10 ,20",
        "PLIVO_CONNECT_SECONDS=1.5",
    ]
    settings = read_settings(project(tmp_path, "\n".join(lines)))
    assert settings.plivo_number == "+14155550123"
    assert settings.public_url == "https://verify.example.com"
    assert settings.origin_host == "verify.example.com"
    assert settings.default_region == "DE"
    assert settings.spend_per_day == Decimal("12.50")
    assert settings.resend_cooldowns == (5, 10, 20)
    assert settings.plivo_timeout == (1.5, 10.0)


def test_a_short_code_is_allowed_with_a_warning() -> None:
    [warning] = Settings(code_length=5).warnings
    assert "CODE_LENGTH is 5" in warning
    assert Settings(code_length=6).warnings == []


def test_a_product_that_allows_no_sign_in_warns_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings().start_warnings == []
    monkeypatch.setenv("VERIFY_ACCESS", "invite")
    [warning] = read_settings(tmp_path).start_warnings
    assert warning.startswith("ADMIN_PASSWORD_HASH is not set")
    # The pages say it in their own words.
    assert read_settings(tmp_path).warnings == []
    monkeypatch.setenv("ADMIN_PASSWORD_HASH", hash_password("correct horse"))
    assert read_settings(tmp_path).start_warnings == []


def test_every_setting_has_a_docstring() -> None:
    tree = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(tree, ast.ClassDef)
    docstrings = {
        ast.unparse(field.target): ast.literal_eval(docstring.value)
        for field, docstring in pairwise(tree.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
    }
    assert docstrings.keys() == Settings.model_fields.keys()
    assert all(text.endswith(".") for text in docstrings.values()), docstrings


def test_no_secret_is_in_the_repr() -> None:
    settings = Settings(
        secret_key=SecretStr("s3cret" * 6),
        plivo_auth_id=AUTH_ID,
        plivo_auth_token=SecretStr("s3cret"),
        plivo_number="+14155550123",
        redis_url="redis://:s3cret@host",
        webhook_url="https://example.com/s3cret",
        webhook_secret=SecretStr("whsec_" + "s3cret00" * 5),
    )
    assert "s3cret" not in f"{settings!r} {settings}"


# The sandbox's own key

MAKE = """
import sys
from pathlib import Path
from core.settings.credentials import secret_key
from core.settings.settings import Settings
from tests.world import PATIENCE_SECONDS
sys.stdin.read(1)
print(secret_key(Settings(data_dir=Path(sys.argv[1]))).decode())
"""


def test_the_sandbox_makes_a_private_key_once_and_keeps_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = secret_key(settings)
    assert len(key) >= 32
    assert secret_key(settings) == key
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == ["secret_key"]
    assert secret_key(Settings(data_dir=tmp_path / "other")) != key


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", MAKE, str(tmp_path / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    # All are told to go on before any is listened to.
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(keys) == 1
    assert len(keys.pop()) >= 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused_with_the_command(tmp_path: Path, mode: int) -> None:
    settings = Settings(data_dir=tmp_path)
    secret_key(settings)
    path = tmp_path / "secret_key"
    path.chmod(mode)
    with pytest.raises(SettingsRefused) as refused:
        secret_key(settings)
    assert f"chmod 600 '{path}'" in refused.value.remedy
    path.chmod(0o600)
    secret_key(settings)


def test_a_damaged_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.write_text("s3cret")
    path.chmod(0o600)
    with pytest.raises(SettingsRefused, match="damaged") as refused:
        secret_key(Settings(data_dir=tmp_path))
    assert "s3cret" not in str(refused.value)


def test_a_folder_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsRefused, match="cannot be made or read: Not a directory"):
        secret_key(Settings(data_dir=tmp_path / "file" / "data"))


def test_the_sandboxs_token_is_derived_from_its_key_and_does_not_reveal_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    token = auth_token(settings)
    assert auth_token(Settings(data_dir=tmp_path)) == token
    assert auth_token(Settings(data_dir=tmp_path / "other")) != token
    assert len(token) == 40
    assert secret_key(settings).decode() not in token


def test_region_uk_means_gb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTRIES", "uk, GB, DE")
    monkeypatch.setenv("DEFAULT_REGION", "UK")
    settings = read_settings(tmp_path)
    assert settings.countries == ("DE", "GB")
    assert settings.default_region == "GB"


# Test numbers


def test_test_numbers_are_read_with_their_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_NUMBERS", "+14155550199=123456, 447700900123 = 654321,")
    settings = read_settings(tmp_path)
    assert [(entry.number, entry.code.get_secret_value()) for entry in settings.test_numbers] == [
        ("+14155550199", "123456"),
        ("+447700900123", "654321"),
    ]
    assert "123456" not in repr(settings)


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ("+14155550199", "entry 1 is not."),
        ("+14155550199=123456,+14155550198=12345a", "entry 2 is not."),
        ("+14155550199=123456;+14155550198=123456", "entry 1 is not."),
        ("+14155550199=٣٣٣٣٣٣", "entry 1 is not."),
        ("+14155550199=123456,14155550199=654321", "entry 2 repeats a number."),
    ],
)
def test_a_wrong_test_number_is_named_by_its_place_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, end: str
) -> None:
    monkeypatch.setenv("TEST_NUMBERS", value)
    cause = refusal(tmp_path).cause
    assert cause.startswith("TEST_NUMBERS must be numbers with their codes")
    assert cause.endswith(end)
    assert "123456" not in cause.replace("+14155550199=123456; entry", "")


def test_the_codes_of_test_numbers_have_the_length_of_all_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_NUMBERS", "+14155550199=123456,+14155550198=12345678")
    assert refusal(tmp_path).cause == (
        "TEST_NUMBERS must have codes of CODE_LENGTH=6 digits; entry 2 has 8."
    )


def test_property_21_live_refuses_test_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_live(monkeypatch, TEST_NUMBERS="+14155550199=123456")
    assert refusal(tmp_path).cause.startswith("TEST_NUMBERS must not be set when live")
    monkeypatch.setenv("PLIVO_MODE", "sandbox")
    assert len(read_settings(tmp_path).test_numbers) == 1
