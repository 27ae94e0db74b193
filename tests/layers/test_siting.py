"""Laws of the ranking: nothing but weights and measures decides."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.measures import Measure, Ranked, rank

WISHES = ("harbour", "coast", "campus")


def exact(value: float) -> Measure:
    return Measure(value, value, value)


measures = st.none() | st.builds(exact, st.floats(0, 1))
candidates = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.fixed_dictionaries(dict.fromkeys(WISHES, measures)),
    max_size=8,
)
weights = st.fixed_dictionaries(dict.fromkeys(WISHES, st.integers(0, 5)))


def score(row: Ranked) -> Fraction:
    assert row.score is not None
    return row.score


def number(row: Ranked) -> int:
    assert row.rank is not None
    return row.rank


def by_id(rows: list[Ranked]) -> dict[str, Ranked]:
    return {row.id: row for row in rows}


@given(candidates, weights, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(rows, wished, random) -> None:
    shuffled = list(rows.items())
    random.shuffle(shuffled)
    assert rank(dict(shuffled), wished) == rank(rows, dict(reversed(wished.items())))


@given(candidates, weights, st.sampled_from(WISHES), st.integers(1, 5))
def test_more_weight_on_a_wish_never_lowers_who_fulfils_it_against_who_does_not(
    rows, wished, wish, more
) -> None:
    rows |= {"met": {**dict.fromkeys(WISHES, exact(0.4)), wish: exact(1)}}
    rows |= {"unmet": {**dict.fromkeys(WISHES, exact(0.7)), wish: exact(0)}}
    before = by_id(rank(rows, wished))
    after = by_id(rank(rows, wished | {wish: wished[wish] + more}))
    if before and score(before["met"]) >= score(before["unmet"]):
        assert number(after["met"]) <= number(after["unmet"])
    if before:
        gap = score(before["met"]) - score(before["unmet"])
        assert score(after["met"]) - score(after["unmet"]) >= gap


@given(candidates)
def test_without_any_weight_nothing_is_ranked(rows) -> None:
    assert rank(rows, dict.fromkeys(WISHES, 0)) == []
    assert rank(rows, {}) == []


@given(candidates, weights)
def test_every_candidate_is_listed_once_and_scores_fall(rows, wished) -> None:
    found = rank(rows, wished)
    if any(wished.values()):
        assert sorted(row.id for row in found) == sorted(rows)
    full = [row for row in found if row.rank]
    assert found[: len(full)] == full
    assert list(map(score, full)) == sorted(map(score, full), reverse=True)
    for row in full:
        better = sum(score(other) > score(row) for other in full)
        assert row.rank == better + 1
        assert row.tied == (sum(score(other) == score(row) for other in full) > 1)
        assert 0 <= score(row) <= 1


@given(candidates, weights)
def test_what_is_unknown_leaves_the_sum_and_the_ranks(rows, wished) -> None:
    for row in rank(rows, wished):
        known = {w: m for w, m in rows[row.id].items() if wished[w] and m is not None}
        missing = {w for w, m in rows[row.id].items() if wished[w] and m is None}
        assert set(row.unknown) == missing
        assert (row.rank is None) == bool(missing)
        assert row.known_weight == sum(wished[w] for w in known)
        if known:
            total = sum(wished[w] * Fraction(m.value) for w, m in known.items())
            assert row.score == total / row.known_weight


def test_a_doubtful_order_is_marked() -> None:
    rows = {
        "a": {"harbour": Measure(0.8, 0.6, 0.9)},
        "b": {"harbour": Measure(0.7, 0.6, 0.8)},
        "c": {"harbour": exact(0.1)},
    }
    assert [(row.id, row.unclear) for row in rank(rows, {"harbour": 1})] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


def test_a_weight_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        rank({}, {"harbour": -1})
