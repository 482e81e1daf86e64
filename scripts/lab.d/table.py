#!/usr/bin/env python3
"""table.py --show|--write|--check SCENARIOS RECORDS README: what each client did, from the last run of each scenario.

A scenario says in lines "# client PACKAGE: what was done" whose software it proves something of; its record says how
it ended, and with which versions. The table stands in the README between two comments.
"""
import pathlib
import re
import sys

BEGIN = "<!-- scripts/lab table --write makes what follows -->"
END = "<!-- until here -->"
HEAD = ("client", "version", "what was done", "result", "scenario")
# timeout(1)'s, of a scenario that did not end.
TIMED_OUT = "124"


def declared(scenarios):
    """(client, scenario, what was done), as the scenarios say."""
    rows = []
    for path in sorted(scenarios.glob("*.sh")):
        said = re.findall(r"^# client ([^:\s]+): (.+)$", path.read_text(), re.M)
        if not said:
            sys.exit(f"{path.name} names no client: # client PACKAGE: what was done")
        rows += [(client, path.stem, what) for client, what in said]
    return sorted(rows)


def record(path):
    """How a scenario's last run ended; nothing if it has not run on this machine."""
    if not path.exists():
        return None
    found = {"failed": []}
    for line in path.read_text().splitlines():
        key, value = line.split("\t", 1)
        if key == "failed":
            found[key].append(value)
        else:
            found[key] = value
    return found


def result(run):
    if not run:
        return "**not run**"
    passed, failed = int(run["passed"]), run["failed"]
    if failed:
        return f"**failed**: {len(failed)} of {passed + len(failed)} steps; first: {failed[0]}"
    if run["status"] == TIMED_OUT:
        return f"**did not end**: {passed} steps passed"
    if run["status"] != "0" or passed == 0:
        return f"**broke off** ({run['status']}): {passed} steps passed"
    return f"{passed} steps passed"


def lined_up(rows):
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]


def table(scenarios, records):
    said = declared(scenarios)
    runs = {name: record(records / f"{name}.tsv") for _, name, _ in said}
    rows = [HEAD]
    for client, name, what in said:
        version = (runs[name] or {}).get(f"version {client}", "")
        rows.append((client, version, what, result(runs[name]), f"`{name}`"))
    kept = [run for run in runs.values() if run]
    if not kept:
        sys.exit("no scenario has run here: scripts/lab run all")
    dates = [run["date"] for run in kept]
    days = " to ".join(sorted({min(dates), max(dates)}))
    programs = sorted({f"{run['daemon']} on {run['system']}" for run in kept})
    return [f"{', '.join(programs)}, {days}:", "", *lined_up(rows)]


def parts(readme):
    """The README before, within and after the table."""
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit(f"{readme} wants one line {BEGIN} and, below, one {END}")
    before, rest = text.split(BEGIN)
    return before, *rest.split(END)


def check(scenarios, readme):
    rows = set()
    for line in parts(readme)[1].splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == len(HEAD) and cells[0] != HEAD[0] and set(cells[0]) != {"-"}:
            rows.add((cells[0], cells[4].strip("`"), cells[2]))
    said = set(declared(scenarios))
    for client, name, what in sorted(said - rows):
        print(f"no row says: {client} in {name}: {what}")
    for client, name, what in sorted(rows - said):
        print(f"no scenario says: {client} in {name}: {what}")
    return rows == said


def main(action, scenarios, records, readme):
    scenarios, records, readme = map(pathlib.Path, (scenarios, records, readme))
    if action == "--check":
        return 0 if check(scenarios, readme) else 1
    if action not in ("--show", "--write"):
        sys.exit("table wants nothing, --write or --check")
    lines = "\n".join(table(scenarios, records))
    if action == "--show":
        print(lines)
    else:
        before, _, after = parts(readme)
        readme.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
