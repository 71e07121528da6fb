"""Checks an account of a monitor's period: `python -I account_checker.py account.zip [--head HASH]`.

Plain Python without the package that made it. Counted anew, to the bit: the chain of hashes, the evidence of a level
from that of its watches, thresholds, what alarms had to reach, which windows had an open page. By hashes alone: single
watches. Whoever makes a whole chain anew is found by its head, or a signature of the file, alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import zipfile
from typing import Any

FILES = ("plan", "windows", "incidents", "labels", "drills", "rollouts", "runs", "erasures")
number = float.fromhex


def level_evidence(logs: dict[tuple[str, str], float], shares: list[list[str]], scale: str) -> float:
    """The log of a level's evidence: log of the sum of share times evidence, and the level's calibration."""
    terms = [math.log(number(share)) + logs.get((watch, part), -math.inf) for watch, part, share in shares]
    top = max(terms, default=-math.inf)
    total = top if top == -math.inf else top + math.log(math.fsum(math.exp(term - top) for term in terms))
    return total + number(scale)


class AccountCheck:
    """An account, and what does not follow in it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.counted = {"means": 0, "levels": 0, "last digit": 0, "verdicts": 0, "alarms": 0}
        self.data: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
        self.header, self.head = dict[str, Any](), ""

    def must(self, follows: object, fault: str) -> None:
        """Note a fault, unless it follows."""
        if not follows:
            self.faults.append(fault)

    def read(self, path: str) -> None:
        """Read the account, and follow its chain."""
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            self.must(sorted(names) == sorted(["account.json", *(f"{name}.txt" for name in FILES)]), "files: not those")
            text = archive.read("account.json").decode().rstrip("\n")
            self.header, self.head = json.loads(text), hashlib.sha256(text.encode()).hexdigest()
            for name in FILES:
                lines = archive.read(f"{name}.txt").decode().splitlines() if f"{name}.txt" in names else []
                self.must(len(lines) == self.header["records"].get(name), f"{name}: not as many records as it says")
                for place, line in enumerate(lines, start=1):
                    said, _, record = line.partition(" ")
                    follows = said == hashlib.sha256(f"{self.head} {name} {record}".encode()).hexdigest()
                    self.must(follows, f"{name}, record {place}: the chain breaks")
                    self.head = said
                    self.data[name].append(json.loads(record))

    def plans(self) -> None:
        """Thresholds follow from budgets; shares of a budget sum to 1."""
        for plan in self.data["plan"]:
            where = f"plan of deployment {plan['deployment']}"
            for level in ("page", "notice"):
                alarms, _, windows, _ = plan[level]["budget"].split()
                threshold = number(plan[level]["threshold"])
                self.must(threshold == int(windows) / int(alarms), f"{where}: threshold of {level}")
            for name, level in (plan["recount"] or {}).get("levels", {}).items():
                total = math.fsum(number(share) for *_, share in level["shares"])
                self.must(not level["shares"] or abs(total - 1.0) < 1e-9, f"{where}: shares of {name} sum to {total}")

    def windows(self, plan: dict[str, Any]) -> None:
        """Windows are in order, without a gap that is not said; their sums and evidence are counted anew."""
        recount, last = plan["recount"], None
        labelled = list((recount or {}).get("labelled_before", ()))
        for one in (each for each in self.data["windows"] if each["deployment"] == plan["deployment"]):
            where = f"window {one['start']}"
            self.must(self.header["from"] <= one["start"] < one["end"] <= self.header["to"], f"{where}: outside")
            if last is not None:
                self.must(one["index"] == last["index"] + 1, f"{where}: {last['index']} is followed by {one['index']}")
                gap = one["start"] != last["end"]
                self.must(one["start"] >= last["end"] and one["gap_before"] == gap, f"{where}: a gap before it")
                for name in ("rows", "labels"):
                    so_far = last[f"{name}_before"] + last[name]
                    self.must(one[f"{name}_before"] == so_far, f"{where}: {name} before it are {so_far}")
            delays, last = one["labels_by_delay"], one
            self.must(not delays or sum(delays) == one["labels"], f"{where}: labels by delay are not {one['labels']}")
            if recount and (recount["since"] is None or one["start"] >= recount["since"]) and one["scores"]:
                self.evidence(one, recount, labelled[-30:])
                losses = {watch for watch, (family, *_) in recount["watches"].items() if family == "performance"}
                labelled.append(any(s[1] in losses and not s[2] and s[5] is not None for s in one["scores"]))
            else:
                labelled.append(None)

    def evidence(self, one: dict[str, Any], recount: dict[str, Any], labelled: list[bool | None]) -> None:
        """The means of a window from its sums, and the evidence of each level from that of its watches."""
        where = f"window {one['start']}"
        logs: dict[str, dict[tuple[str, str], float]] = {"page": {}, "notice": {}}
        for level, watch, part, rows, total, value, log in one["scores"]:
            logs[level][watch, part] = number(log)
            if total is not None:
                _, scale, offset = recount["watches"][watch]
                mean = number(offset) + number(scale) * (total / (rows << 32))
                self.must(mean == number(value), f"{where}: the mean of {watch} [{part}] is {mean!r}")
                self.counted["means"] += 1
        logs["loss"] = dict(logs["page"])
        if any(labelled):  # where labels come, estimates open no page
            logs["page"] = {key: log for key, log in logs["page"].items() if not key[0].startswith("estimated_")}
        for name, level in recount["levels"].items():
            if one["burn_in"] or (name == "page" and None in labelled and not any(labelled)):
                continue
            found, said = level_evidence(logs[name], level["shares"], level["log_scale"]), number(one[name])
            follows = found == said or math.isclose(found, said, rel_tol=1e-12, abs_tol=1e-12)
            self.must(follows, f"{where}: the log evidence of {name} is {found!r}, not {said!r}")
            self.counted["levels" if found == said else "last digit"] += follows

    def incidents(self, plan: dict[str, Any]) -> None:
        """Alarms reached their threshold in a window that is here; a window has status page while a page is open."""
        windows = {one["end"]: one for one in self.data["windows"] if one["deployment"] == plan["deployment"]}
        incidents = [one for one in self.data["incidents"] if one["deployment"] == plan["deployment"]]
        first, last = min(windows), max(windows)
        numbers = [one["number"] for one in incidents if first <= one["opened_at"]]
        self.must(numbers == [numbers[0] + more for more in range(len(numbers))], f"incidents {numbers}: one is lost")
        for one in incidents:
            where, history, window = f"incident {one['number']}", one["history"], windows.get(one["opened_at"])
            self.must(history[0][0] == one["opened_at"], f"{where}: opened at another time than in its history")
            self.must(one["state"] == history[-1][1], f"{where}: its state is not the last of its history")
            self.must((one["state"] == "closed") == (one["closed_at"] is not None), f"{where}: closed, and not closed")
            times, alarm = [at for at, *_ in one["actions"]], one["alarm"]
            self.must(times == sorted(times), f"{where}: its actions are not in order")
            self.must(window or not (alarm and first <= one["opened_at"] <= last), f"{where}: its window is not here")
            if alarm and window and not alarm["team"]:
                names = ("notice",) if alarm["level"] == "notice" else ("page", "loss")
                said, threshold = number(alarm["log_evidence"]), number(plan[alarm["level"]]["threshold"])
                follows = said in [max(min(number(window[name]), 700.0), -700.0) for name in names]
                self.must(follows, f"{where}: its evidence is not that of its window")
                self.must(number(alarm["threshold"]) == threshold, f"{where}: its threshold is not the plan's")
                self.must(said >= math.log(threshold), f"{where}: its evidence is below its threshold")
                self.counted["alarms"] += 1
        if plan["rebaselines"] or any(act[2] in ("close", "reopen") for one in incidents for act in one["actions"]):
            return  # what people close, windows show later
        pages = [one for one in incidents if one["level"] == "page"]
        for end, one in windows.items():
            count = sum(page["opened_at"] <= end < (page["closed_at"] or "9") for page in pages)
            follows = (one["status"] == "page") == (count > 0)
            self.must(follows, f"{end}: its status is {one['status']}, {count} pages open")
            self.counted["verdicts"] += 1

    def rest(self) -> None:
        """Labels are in order; drills are without a gap, and their outcomes follow from their runs."""
        before: dict[int, tuple[str, int]] = {}
        for one in self.data["labels"]:
            at, total = before.get(one["deployment"], ("", one["labels_before"]))
            self.must(at <= one["at"] and total == one["labels_before"], f"labels of {one['at']}: not in order")
            before[one["deployment"]] = (one["at"], total + one["labels"])
        for place, drill in enumerate(self.data["drills"]):
            first = self.data["drills"][0]["position"]
            self.must(drill["position"] == first + place, f"drill {drill['position']}: one before it is not here")
            for fault in drill["faults"]:
                told = sum(level in ("page", fault["level"]) for level, _ in fault["runs"])
                missed, is_told = ("too small", "missed")[fault["promised"]], told and 2 * told >= len(fault["runs"])
                outcome = "detected" if is_told else missed
                self.must(outcome == fault["outcome"], f"drill of {drill['at']}: {fault['title']} was {outcome}")
        for one in (each for each in self.data["rollouts"] if each["result"]):
            low, mean, high = map(number, one["result"]["interval"])
            self.must(low <= mean <= high, f"rollout of {one['started_at']}: its interval is not in order")


def main(arguments: list[str]) -> int:
    """Check one account. Returns 0; 1 where something does not follow; 2 without one; 3 if not all was counted."""
    if len(arguments) not in (1, 3) or arguments[1:2] not in ([], ["--head"]):
        sys.stderr.write("Usage: python account_checker.py account.zip [--head HASH]\n")
        return 2
    check = AccountCheck()
    try:
        check.read(arguments[0])
        check.plans()
        for plan in check.data["plan"]:
            check.windows(plan)
            check.incidents(plan)
        check.rest()
        planned, judged = ([one["deployment"] for one in check.data[name]] for name in FILES[:2])
        check.must(set(planned) == set(judged), "windows without a plan, or a plan without windows")
    except Exception as error:  # noqa: BLE001 - whatever a file of a stranger does, it is a fault
        check.faults.append(f"no account that can be read to its end: {error!r}")
    check.must(arguments[2:] in ([], [check.head]), f"head: {check.head} is not {arguments[-1]}")
    n, windows = check.counted, len(check.data["windows"])
    left = 3 * windows - n["levels"] - n["last digit"]
    sys.stdout.write("".join(f"DOES NOT FOLLOW: {fault}\n" for fault in check.faults))
    unsure = f"NOT COUNTED ANEW: {left} of {3 * windows} evidences of a level\n" if left else ""
    sys.stdout.write(
        f"{unsure}{windows} windows, {len(check.data['incidents'])} incidents, {len(check.data['drills'])} drills. "
        f"To the bit: {n['means']} means, {n['levels']} levels; but for a last digit {n['last digit']}. Looked at: "
        f"{n['alarms']} alarms, {n['verdicts']} of {windows} verdicts. By hashes: single watches.\nhead {check.head}\n"
    )
    return 1 if check.faults else 3 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
