"""Digests of personal data in Redis keys keep their values, so that nothing kept is lost."""

from core.model.phone_number import PhoneNumber
from core.model.way import Way
from core.settings.keyring import Keyring

KEYRING = Keyring(b"a test's secret, 32 bytes or more")
NUMBER = PhoneNumber("+14155550123", "+1 415 ••• ••23", "US", "United States")


def test_every_digest_is_the_same_as_in_earlier_versions() -> None:
    """The values were computed with commit d753e17."""
    assert KEYRING.number_index(NUMBER.e164) == "f79cb62ccca0656fc12a4516"
    assert KEYRING.prefix_index(NUMBER.prefix) == "9b7469d3492bbbd786c0c6fd"
    assert KEYRING.network_index("192.0.2.7") == "173d8feb705507bbab00afe4"
    assert KEYRING.network_index(None) == "unknown"
    assert KEYRING.request_index(NUMBER, Way.SMS) == "a86c7447d463dff31fc5da42"
    assert KEYRING.idempotency_index("key 1") == "04f486490552030c9cc17c80"
    assert KEYRING.login_index("192.0.2.7") == "b9fbd59c2d35a8d4a7d400ae"
    assert KEYRING.device_index("device 1") == "e3302ed05cfd2396dffd19ea"
