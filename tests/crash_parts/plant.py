"""Damages the database between a kill and the next start, to see that the judge sees it."""
import os
import sqlite3

from clients import GONE, HELD


class Planter:
    def __init__(self, kind, state):
        self.kind = kind
        self.path = os.path.join(state, "estiva.db")
        self.rows = {}  # leases as they were at earlier kills
        self.done = False

    def between(self, clients):
        """The daemon is dead. Does its damage once, as soon as there is something to damage."""
        if self.done or not self.kind or not os.path.exists(self.path):
            return
        states = {name: state for client in clients for name, state in client.log.items()}
        with sqlite3.connect(self.path) as database:
            if self.kind == "lost-lease":
                self.lose(database, [n for n, state in states.items() if state == HELD])
            else:
                self.resurrect(database, [n for n, state in states.items() if state == GONE])
        database.close()

    def lose(self, database, held):
        for name in held:
            self.done = database.execute("DELETE FROM leases WHERE model = ?",
                                         (name,)).rowcount == 1
            if self.done:
                return

    def resurrect(self, database, gone):
        rows = {row[1]: row for row in database.execute("SELECT * FROM leases")}
        for name in gone:
            if name in self.rows and name not in rows:
                marks = ",".join("?" * len(self.rows[name]))
                database.execute(f"INSERT INTO leases VALUES({marks})", self.rows[name])
                self.done = True
                return
        self.rows.update(rows)
