"""What the tables under every in-process service promise."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Thread
from typing import Any, Final

import pytest

from campaign_workers.adapters.fakes.tables import KeyedTable, Tables
from campaign_workers.testing.contracts._base import Contract
from campaign_workers.testing.contracts._race import race

Row = Mapping[str, Any]

Plant = Callable[[str, str, Row], object]
"""Writes a row (table, key, row) into the medium, past the adapter."""

Peek = Callable[[str, str], Row | None]
"""The row (table, key) in the medium, past the adapter; None if there is none."""

KEYS: Final = (
    "",
    " ",
    "A",
    "a",
    "a\0b",
    "a/",
    "a/1",
    "a/10",
    "a/2",
    "a0",
    "a%",
    "a_",
    "é",
    "日/🎫",
    "\uffee",
    "🎫",
    "\U0010ffff",
    "\U0010ffff\U0010ffffx",
)
"""Any text is a key; these are sorted below, as their UTF-8 is."""

PREFIXES: Final = ("", "a", "a/", "a/1", "a\0", "\0", "日", "\ud7ff", "\U0010ffff", "zz")

ROW: Final = {
    "text": 'Zoë "🎫"\n\0',
    "numbers": [0, -1, 2**70, 0.1 + 0.2, 1e300],
    "flags": [True, False, None],
    "nested": {"": {"a": [[], {}]}},
}


class Failed(Exception):
    """What the test itself raises."""


def rows(table: KeyedTable, prefix: str = "", *, after: str = "") -> list[str]:
    """The keys that a scan gives."""
    return [key for key, _ in table.scan(prefix, after=after)]


class KeyedTableContract(Contract):
    """Fixtures: `tables`, the factory, all empty; `plant` and `peek` its medium."""

    def test_a_row_is_read_as_it_was_written(
        self, tables: Tables, plant: Plant, peek: Peek
    ) -> None:
        """Whatever JSON holds comes back, exactly, through the adapter and past it."""
        table = tables("t")
        table.put("new", ROW)
        plant("t", "planted", ROW)
        assert table.get("new") == table.get("planted") == peek("t", "new") == ROW
        table.put("new", {})
        assert (table.get("new"), peek("t", "new")) == ({}, {})

    def test_any_text_is_a_key(self, tables: Tables) -> None:
        """Empty keys, zeros, wildcards and pictures are keys of their own."""
        table = tables("t")
        for number, key in enumerate(KEYS):
            table.put(key, {"n": number})
        assert table.get_many(KEYS) == {key: {"n": n} for n, key in enumerate(KEYS)}
        assert [table.get(key) for key in KEYS] == [{"n": n} for n in range(len(KEYS))]
        table.delete(KEYS[::2])
        assert table.get_many(KEYS).keys() == set(KEYS[1::2])

    def test_there_is_nothing_where_nothing_was_put(self, tables: Tables) -> None:
        """What is missing is None, and left out of many."""
        table = tables("t")
        table.put("a", {})
        assert table.get("b") is None
        assert table.get_many(["b", "a", "c", "a"]) == {"a": {}}
        assert table.get_many([]) == {}

    def test_what_is_handed_over_is_not_shared(self, tables: Tables) -> None:
        """Changing a row that was put or got changes nothing in the table."""
        table, row = tables("t"), {"list": [1]}
        table.put("k", row)
        table.insert("i", row)
        row["list"].append(2)
        for found in (table.get("k"), table.get_many(["i"])["i"], next(table.scan())[1]):
            assert found == {"list": [1]}
            found["list"].append(3)
        assert (table.get("k"), table.get("i")) == ({"list": [1]}, {"list": [1]})

    def test_a_name_is_one_table(self, tables: Tables) -> None:
        """Tables of one name are the same, those of two names share nothing."""
        tables("t").put("k", {"n": 1})
        tables("u").put("k", {"n": 2})
        assert (tables("t").get("k"), tables("u").get("k")) == ({"n": 1}, {"n": 2})
        tables("u").delete(["k"])
        assert rows(tables("t")) == ["k"]

    @pytest.mark.parametrize("prefix", PREFIXES, ids=ascii)
    def test_a_scan_goes_by_key(self, tables: Tables, prefix: str) -> None:
        """Rows come in the order of their keys' UTF-8, from after any key, by any prefix."""
        table = tables("t")
        table.put_many((key, {}) for key in reversed(KEYS))
        ordered = sorted(KEYS, key=str.encode)
        for after in ("", *KEYS, "a/11", "zz"):
            assert rows(table, prefix, after=after) == [
                key for key in ordered if key.startswith(prefix) and (not after or key > after)
            ]

    def test_any_number_is_scanned(self, tables: Tables) -> None:
        """No page is lost, and none comes twice."""
        keys = [f"{number % 13}/{number:04d}" for number in range(2300)]
        tables("t").put_many((key, {"key": key}) for key in keys)
        assert list(tables("t").scan()) == [(key, {"key": key}) for key in sorted(keys)]
        assert rows(tables("t"), "7/") == [key for key in sorted(keys) if key.startswith("7/")]
        assert tables("t").get_many(keys).keys() == set(keys)

    def test_a_scan_bears_changes_while_it_is_read(self, tables: Tables) -> None:
        """What is there from the first to the last moment comes once, come and go what may."""
        table = tables("t")
        table.put_many((f"{number:04d}", {}) for number in range(1500))
        seen = []
        for key, _ in table.scan():
            seen.append(key)
            table.delete([key])
            table.put(f"{key}+", {})
        assert [key for key in seen if "+" not in key] == [f"{n:04d}" for n in range(1500)]
        assert len(seen) == len(set(seen))

    def test_a_row_is_inserted_once(self, tables: Tables) -> None:
        """The first one wins; when it is gone, another one may come."""
        table = tables("t")
        assert [table.insert("k", {"n": n}) for n in (1, 2)] == [True, False]
        assert table.get("k") == {"n": 1}
        table.delete(["k", "gone"])
        assert table.insert("k", {"n": 3})

    def test_of_all_who_insert_at_once_one_wins(self, tables: Tables, peek: Peek) -> None:
        """Threads exclude each other, and the row is the winner's."""
        outcomes = race(*(partial(tables("t").insert, "k", {"n": n}) for n in range(8)))
        assert sorted(map(bool, outcomes)) == [False] * 7 + [True]
        assert peek("t", "k") == {"n": outcomes.index(True)}

    def test_changes_at_once_are_not_lost(self, tables: Tables) -> None:
        """Threads that count a row up, each in a context, count every time."""

        def count() -> None:
            for _ in range(25):
                with tables("t").atomic():
                    row = tables("t").get("k") or {"n": 0}
                    tables("t").put("k", {"n": row["n"] + 1})

        race(*[count] * 4)
        assert tables("t").get("k") == {"n": 100}

    def test_many_rows_are_written_all_or_none(self, tables: Tables) -> None:
        """A source of rows that fails, or a row that is no JSON, leaves the table as it was."""
        table = tables("t")
        table.put("a", {"n": 1})

        def failing() -> Iterator[tuple[str, Row]]:
            yield "a", {"n": 2}
            yield "b", {}
            raise Failed

        with pytest.raises(Failed):
            table.put_many(failing())
        with pytest.raises(TypeError):
            table.put_many([("a", {"n": 3}), ("b", {"n": {1, 2}})])
        assert list(table.scan()) == [("a", {"n": 1})]


class AtomicTablesContract(Contract):
    """Fixtures: `tables`, the factory, all empty; `peek` their medium."""

    def test_a_context_keeps_changes_together(self, tables: Tables, peek: Peek) -> None:
        """Puts, inserts and deletes in every table stay when the context ends well."""
        tables("t").put_many([("a", {}), ("b", {})])
        with tables("t").atomic():
            tables("t").delete(["a"])
            tables("u").put("c", {})
            assert (rows(tables("t")), rows(tables("u"))) == (["b"], ["c"])
        assert (peek("t", "a"), peek("t", "b"), peek("u", "c")) == (None, {}, {})

    @pytest.mark.parametrize("error", [Failed, KeyboardInterrupt])
    def test_an_error_undoes_all_of_them(
        self, tables: Tables, peek: Peek, error: type[BaseException]
    ) -> None:
        """Every table is as it was, also after several changes of one row."""
        tables("t").put_many([("a", {"n": 1}), ("b", {"n": 1})])

        def change() -> None:
            with tables("t").atomic():
                for n in (2, 3):
                    tables("t").put("a", {"n": n})
                tables("t").delete(["b", "gone"])
                tables("t").insert("c", {})
                tables("u").put_many([("d", {}), ("e", {})])
                raise error

        with pytest.raises(error):
            change()
        assert list(tables("t").scan()) == [("a", {"n": 1}), ("b", {"n": 1})]
        assert (rows(tables("u")), peek("t", "c"), peek("u", "d")) == ([], None, None)

    def test_a_context_within_one_ends_with_it(self, tables: Tables) -> None:
        """What was kept together is undone when what is around it fails."""

        def change() -> None:
            with tables("t").atomic():
                with tables("u").atomic():
                    tables("t").put("a", {})
                tables("t").put("b", {})
                raise Failed

        with pytest.raises(Failed):
            change()
        assert rows(tables("t")) == []

    def test_a_context_that_fails_within_one_undoes_its_own(self, tables: Tables) -> None:
        """Whoever bears the error goes on without what failed, and with all else."""

        def change() -> None:
            with tables("t").atomic():
                tables("t").put("a", {"n": 2})
                tables("u").put("b", {})
                raise Failed

        with tables("t").atomic():
            tables("t").put("a", {"n": 1})
            with pytest.raises(Failed):
                change()
            tables("t").put("c", {})
        assert list(tables("t").scan()) == [("a", {"n": 1}), ("c", {})]
        assert rows(tables("u")) == []

    def test_nobody_sees_half_of_a_context(self, tables: Tables) -> None:
        """Another thread finds all that was changed together, or nothing of it."""
        table, found = tables("t"), list[set[int]]()

        def get() -> None:
            found.append({row["n"] for row in table.get_many(["a", "b"]).values()})

        def scan() -> None:
            found.append({row["n"] for _, row in table.scan()})

        table.put_many([("a", {"n": 1}), ("b", {"n": 1})])
        looking = [Thread(target=look) for look in (get, scan)]
        with table.atomic():
            table.put("a", {"n": 2})
            for thread in looking:
                thread.start()
                thread.join(timeout=0.1)
            table.put("b", {"n": 2})
        for thread in looking:
            thread.join()
        assert all(len(numbers) == 1 for numbers in found)
        assert len(found) == 2
