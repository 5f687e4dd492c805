from shared.local_engines.backoff import FIRST_S, MOST_S, STEADY_S, count_deaths, delay_s


def test_waits_double_up_to_a_ceiling():
    assert [delay_s(n) for n in range(1, 9)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert delay_s(10_000) == MOST_S


def test_a_process_that_lived_long_starts_the_count_again():
    assert count_deaths(0, 0.1) == 1
    assert count_deaths(6, 0.1) == 7
    assert count_deaths(6, STEADY_S) == 1
    assert delay_s(count_deaths(6, STEADY_S)) == FIRST_S
