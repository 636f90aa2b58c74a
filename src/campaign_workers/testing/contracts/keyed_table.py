"""Contract of the keyed tables in which the fakes store their rows."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Thread
from typing import Any, Final

import pytest

from campaign_workers.adapters.fakes.tables import KeyedTable, Tables
from campaign_workers.testing.contracts._base import Contract, SourceError, race

Row = Mapping[str, Any]

Plant = Callable[[str, str, Row], object]
"""Writes a row (table, key, row) directly to the backend, without the adapter."""

Peek = Callable[[str, str], Row | None]
"""Reads a row (table, key) directly from the backend, without the adapter; None if missing."""

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
"""Any text is a key; these are in the order of their UTF-8 bytes."""

PREFIXES: Final = ("", "a", "a/", "a/1", "a\0", "\0", "日", "\ud7ff", "\U0010ffff", "zz")

ROW: Final = {
    "text": 'Zoë "🎫"\n\0',
    "numbers": [0, -1, 2**70, 0.1 + 0.2, 1e300],
    "flags": [True, False, None],
    "nested": {"": {"a": [[], {}]}},
}


def rows(table: KeyedTable, prefix: str = "", *, after: str = "") -> list[str]:
    """Return the scanned keys."""
    return [key for key, _ in table.scan(prefix, after=after)]


class KeyedTableContract(Contract):
    """Fixtures: `tables`, the factory of empty tables; `plant` and `peek` for the backend."""

    def test_a_row_is_read_unchanged(self, tables: Tables, plant: Plant, peek: Peek) -> None:
        """Any JSON is read exactly, through the adapter and directly from the backend."""
        table = tables("t")
        table.put("new", ROW)
        plant("t", "planted", ROW)
        assert table.get("new") == table.get("planted") == peek("t", "new") == ROW
        table.put("new", {})
        assert (table.get("new"), peek("t", "new")) == ({}, {})

    def test_any_text_is_a_key(self, tables: Tables) -> None:
        """Empty keys, null characters, wildcards and emoji are separate keys."""
        table = tables("t")
        for number, key in enumerate(KEYS):
            table.put(key, {"n": number})
        assert table.get_many(KEYS) == {key: {"n": n} for n, key in enumerate(KEYS)}
        assert [table.get(key) for key in KEYS] == [{"n": n} for n in range(len(KEYS))]
        table.delete(KEYS[::2])
        assert table.get_many(KEYS).keys() == set(KEYS[1::2])

    def test_missing_rows_are_none(self, tables: Tables) -> None:
        """A missing row is None, and omitted from `get_many`."""
        table = tables("t")
        table.put("a", {})
        assert table.get("b") is None
        assert table.get_many(["b", "a", "c", "a"]) == {"a": {}}
        assert table.get_many([]) == {}

    def test_rows_are_copied(self, tables: Tables) -> None:
        """Changes of a written or returned row do not affect the table."""
        table, row = tables("t"), {"list": [1]}
        table.put("k", row)
        table.insert("i", row)
        row["list"].append(2)
        for found in (table.get("k"), table.get_many(["i"])["i"], next(table.scan())[1]):
            assert found == {"list": [1]}
            found["list"].append(3)
        assert (table.get("k"), table.get("i")) == ({"list": [1]}, {"list": [1]})

    def test_a_name_identifies_a_table(self, tables: Tables) -> None:
        """The same name is the same table; different tables share no rows."""
        tables("t").put("k", {"n": 1})
        tables("u").put("k", {"n": 2})
        assert (tables("t").get("k"), tables("u").get("k")) == ({"n": 1}, {"n": 2})
        tables("u").delete(["k"])
        assert rows(tables("t")) == ["k"]

    @pytest.mark.parametrize("prefix", PREFIXES, ids=ascii)
    def test_a_scan_is_ordered_by_key(self, tables: Tables, prefix: str) -> None:
        """Rows are in the order of the UTF-8 bytes of their keys, after any key, for any prefix."""
        table = tables("t")
        table.put_many((key, {}) for key in reversed(KEYS))
        ordered = sorted(KEYS, key=str.encode)
        for after in ("", *KEYS, "a/11", "zz"):
            assert rows(table, prefix, after=after) == [
                key for key in ordered if key.startswith(prefix) and (not after or key > after)
            ]

    def test_many_rows_are_scanned(self, tables: Tables) -> None:
        """Every row is returned exactly once."""
        keys = [f"{number % 13}/{number:04d}" for number in range(2300)]
        tables("t").put_many((key, {"key": key}) for key in keys)
        assert list(tables("t").scan()) == [(key, {"key": key}) for key in sorted(keys)]
        assert rows(tables("t"), "7/") == [key for key in sorted(keys) if key.startswith("7/")]
        assert tables("t").get_many(keys).keys() == set(keys)

    def test_a_scan_tolerates_changes_during_iteration(self, tables: Tables) -> None:
        """Rows that exist throughout are returned once, whatever else changes."""
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
        """The first insert wins; after a delete, another one succeeds."""
        table = tables("t")
        assert [table.insert("k", {"n": n}) for n in (1, 2)] == [True, False]
        assert table.get("k") == {"n": 1}
        table.delete(["k", "gone"])
        assert table.insert("k", {"n": 3})

    def test_concurrent_inserts_have_one_winner(self, tables: Tables, peek: Peek) -> None:
        """Of concurrent inserts one succeeds, and the row is its row."""
        outcomes = race(*(partial(tables("t").insert, "k", {"n": n}) for n in range(8)))
        assert sorted(map(bool, outcomes)) == [False] * 7 + [True]
        assert peek("t", "k") == {"n": outcomes.index(True)}

    def test_concurrent_updates_are_not_lost(self, tables: Tables) -> None:
        """Threads that increment a row in a context lose no increment."""

        def count() -> None:
            for _ in range(25):
                with tables("t").atomic():
                    row = tables("t").get("k") or {"n": 0}
                    tables("t").put("k", {"n": row["n"] + 1})

        race(*[count] * 4)
        assert tables("t").get("k") == {"n": 100}

    def test_put_many_is_atomic(self, tables: Tables) -> None:
        """A failing source, or a row that is not JSON, leaves the table unchanged."""
        table = tables("t")
        table.put("a", {"n": 1})

        def failing_rows() -> Iterator[tuple[str, Row]]:
            yield "a", {"n": 2}
            yield "b", {}
            raise SourceError

        with pytest.raises(SourceError):
            table.put_many(failing_rows())
        with pytest.raises(TypeError):
            table.put_many([("a", {"n": 3}), ("b", {"n": {1, 2}})])
        assert list(table.scan()) == [("a", {"n": 1})]


class AtomicTablesContract(Contract):
    """Fixtures: `tables`, the factory of empty tables; `peek` for the backend."""

    def test_a_context_commits_its_changes(self, tables: Tables, peek: Peek) -> None:
        """Changes of all tables persist when the context ends without an error."""
        tables("t").put_many([("a", {}), ("b", {})])
        with tables("t").atomic():
            tables("t").delete(["a"])
            tables("u").put("c", {})
            assert (rows(tables("t")), rows(tables("u"))) == (["b"], ["c"])
        assert (peek("t", "a"), peek("t", "b"), peek("u", "c")) == (None, {}, {})

    @pytest.mark.parametrize("error", [SourceError, KeyboardInterrupt])
    def test_an_error_rolls_back_all_changes(
        self, tables: Tables, peek: Peek, error: type[BaseException]
    ) -> None:
        """All tables are as before, even after several changes of one row."""
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

    def test_a_nested_context_is_rolled_back_with_the_outer_one(self, tables: Tables) -> None:
        """Changes of a nested context are undone if the outer one fails."""

        def change() -> None:
            with tables("t").atomic():
                with tables("u").atomic():
                    tables("t").put("a", {})
                tables("t").put("b", {})
                raise SourceError

        with pytest.raises(SourceError):
            change()
        assert rows(tables("t")) == []

    def test_a_failed_nested_context_is_rolled_back_alone(self, tables: Tables) -> None:
        """If the error is caught, only the changes of the nested context are undone."""

        def change() -> None:
            with tables("t").atomic():
                tables("t").put("a", {"n": 2})
                tables("u").put("b", {})
                raise SourceError

        with tables("t").atomic():
            tables("t").put("a", {"n": 1})
            with pytest.raises(SourceError):
                change()
            tables("t").put("c", {})
        assert list(tables("t").scan()) == [("a", {"n": 1}), ("c", {})]
        assert rows(tables("u")) == []

    def test_contexts_are_isolated(self, tables: Tables) -> None:
        """Another thread sees all changes of a context or none of them."""
        table, found = tables("t"), list[set[int]]()

        def get() -> None:
            found.append({row["n"] for row in table.get_many(["a", "b"]).values()})

        def scan() -> None:
            found.append({row["n"] for _, row in table.scan()})

        table.put_many([("a", {"n": 1}), ("b", {"n": 1})])
        readers = [Thread(target=read) for read in (get, scan)]
        with table.atomic():
            table.put("a", {"n": 2})
            for thread in readers:
                thread.start()
                thread.join(timeout=0.1)
            table.put("b", {"n": 2})
        for thread in readers:
            thread.join()
        assert all(len(numbers) == 1 for numbers in found)
        assert len(found) == 2
