"""How many examples a property test tries."""

from hypothesis import HealthCheck, settings

#: The profile for a long run: `pytest --hypothesis-profile=thorough`.
THOROUGH = "thorough"
THOROUGH_EXAMPLES = 5000


def examples(usual: int) -> int:
    """For `max_examples` of a slow property: `usual`, or 5,000 in the thorough profile."""
    is_thorough = settings.get_current_profile_name() == THOROUGH
    return THOROUGH_EXAMPLES if is_thorough else usual


def sharing_fixtures(usual: int) -> settings:
    """Settings of a property whose examples share one test's fixtures and reset what they need."""
    return settings(
        max_examples=examples(usual),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
