from mnistweb.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock


def test_open_breaker_allows_one_trial_call_after_each_pause() -> None:
    clock = Clock()
    breaker = CircuitBreaker(failures=2, pause_seconds=1.0, clock=clock)
    for _ in range(2):
        assert breaker.allows_call()
        breaker.record_failure()
    assert not breaker.allows_call()
    clock.now += 1.0
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]
    breaker.record_failure()
    assert not breaker.allows_call()
    clock.now += 1.0
    assert breaker.allows_call()
    breaker.record_success()
    assert [breaker.allows_call() for _ in range(3)] == [True, True, True]


def test_trial_call_without_a_result_is_replaced_after_a_pause() -> None:
    clock = Clock()
    breaker = CircuitBreaker(failures=1, pause_seconds=1.0, clock=clock)
    breaker.record_failure()
    for _ in range(2):
        clock.now += 1.0
        assert [breaker.allows_call() for _ in range(2)] == [True, False]


def test_success_forgets_earlier_failures() -> None:
    breaker = CircuitBreaker(failures=2, pause_seconds=60)
    breaker.record_failure()
    breaker.record_success()
    breaker.record_failure()
    assert breaker.allows_call()
