#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `chargehand share` against linear programs: a max-min fair allocation found
by raising the smallest level as far as it goes, fixing those whose level constraint has
a price there, and again with the rest (scipy's HiGHS). Nothing in here knows of
progressive filling.

  share.py CHARGEHAND [COUNT [SEED]]

On COUNT random trees of 2 to 40 connectors, with 1 to 5 levels of circuits: no connector
may be more than a step below the continuous optimum of those that charge. None may be
more than a step above it, unless with room that nobody else could use: where one step
would not fit on all rows of any other. Each named bottleneck has to be full, so that
not one step more fits there.
"""
import json
import multiprocessing
import random
import subprocess
import sys
import time

import numpy
from scipy.optimize import linprog

VOLTAGE_V = 230
EPSILON = 1e-6
MILLI = 0.002  # what is read is kept in mA: limits, watts as currents
ROTATIONS = ["123", "231", "312", "1", "2", "3", "12", "23", "31"]


def random_problem(rng):
    n = rng.randint(2, 40)
    depth = rng.randint(1, 5)
    step = rng.choice([0.1, 0.1, 1])
    levels = [[]]
    circuits = []
    tenth = rng.random() < 0.7  # limits as people write them, or any
    per_car = rng.uniform(3, 20)

    def amps(mean):
        return round(rng.uniform(0, 2 * mean), 1 if tenth else 3)

    def add(name, parent, cars):
        c = {"name": name, "limit_a": [amps(per_car * cars) for _ in range(3)]}
        if rng.random() < 0.3:
            c["limit_a"] = amps(per_car * cars)
        if parent:
            c["parent"] = parent
        if rng.random() < 0.3:
            c["base_a"] = [round(rng.uniform(-5, per_car), 1) for _ in range(3)]
        if rng.random() < 0.3:
            c["power_limit_w"] = rng.randint(0, int(per_car * cars * 2 * VOLTAGE_V))
        circuits.append(c)

    add("c0", None, n)
    levels[0] = ["c0"]
    for d in range(1, depth):
        many = rng.randint(1, 4)
        levels.append([f"c{len(circuits) + i}" for i in range(many)])
        for name in levels[d]:
            add(name, rng.choice(levels[d - 1]), max(2, n / many))
    weights, offsets = rng.random() < 0.6, rng.random() < 0.5
    connectors = []
    for i in range(n):
        c = {
            "name": f"bay{i}",
            "circuit": rng.choice(rng.choice(levels)),
            "phases": rng.choice(ROTATIONS),
            "min_a": rng.choice([0, 0, 6, 6, 6, 9.2]),
            "max_a": rng.choice([10, 13, 16, 20, 32, 63]),
        }
        if weights:
            c["weight"] = rng.choice([1, 2, 3, 0.5, 2.5, 10, rng.randint(1, 1000)])
        if offsets and rng.random() < 0.7:
            c["offset_a"] = round(rng.uniform(-20, 10), 1)
        if rng.random() < 0.3:
            c["charging"] = True
        connectors.append(c)
    rng.shuffle(circuits)
    return {
        "policy": "weighted" if weights else "equal",
        "voltage_v": VOLTAGE_V,
        "step_a": step,
        "circuits": circuits,
        "connectors": connectors,
    }


def rows_of(problem):
    """Each row that has a limit: (circuit, phase or "W", amperes left, how often each
    connector counts there)."""
    parent = {c["name"]: c.get("parent") for c in problem["circuits"]}
    way = []
    for c in problem["connectors"]:
        at, names = c["circuit"], set()
        while at:
            names.add(at)
            at = parent[at]
        way.append(names)
    rows = []
    for v in problem["circuits"]:
        limit, base = v["limit_a"], v.get("base_a", [0, 0, 0])
        limit = limit if isinstance(limit, list) else [limit] * 3
        below = numpy.array([v["name"] in names for names in way], float)
        for p in range(3):
            on = [str(p + 1) in c["phases"] for c in problem["connectors"]]
            rows.append((v["name"], f"L{p + 1}", limit[p] - base[p], below * on))
        if "power_limit_w" in v:
            on = numpy.array([len(c["phases"]) for c in problem["connectors"]])
            left = v["power_limit_w"] / VOLTAGE_V - sum(base)
            rows.append((v["name"], "W", left, below * on))
    return rows


def optimum(problem, rows, charging):
    """The continuous max-min currents of those that charge, by one LP a level."""
    cars = problem["connectors"]
    n = len(cars)
    step = problem["step_a"]
    low = numpy.array([c["min_a"] for c in cars], float)
    low = numpy.ceil(low / step - EPSILON) * step
    high = numpy.array([numpy.floor(c["max_a"] / step + EPSILON) * step for c in cars])
    weight = numpy.array([c.get("weight", 1) for c in cars], float)
    if any(c.get("weight", 1) % 1 for c in cars):
        weight = weight * 1000
    offset = numpy.array([c.get("offset_a", 0) for c in cars], float)
    fixed = {i: 0.0 for i in range(n) if not charging[i]}
    use = [r for r in rows if r[3].any()]
    matrix = numpy.array([numpy.append(r[3], 0) for r in use]).reshape(len(use), n + 1)
    left = numpy.array([r[2] for r in use])
    for i in range(n):  # a circuit that its base load fills keeps nobody from having 0
        if not charging[i] and len(use):
            matrix[:, i] = 0
    keep = [k for k in range(len(use)) if matrix[k].any()]
    matrix, left = matrix[keep], left[keep]
    while len(fixed) < n:
        active = [i for i in range(n) if i not in fixed]
        # weight * level - x <= -offset
        level = numpy.zeros((len(active), n + 1))
        for k, i in enumerate(active):
            level[k, i], level[k, n] = -1, weight[i]
        bounds = [(fixed[i], fixed[i]) if i in fixed else (low[i], high[i])
                  for i in range(n)] + [(None, None)]
        r = linprog(
            numpy.append(numpy.zeros(n), -1),
            A_ub=numpy.vstack([matrix, level]),
            b_ub=numpy.append(left + 1e-9, -offset[active]),
            bounds=bounds,
            method="highs",
        )
        if r.status != 0:
            raise RuntimeError(f"the linear program says: {r.message}")
        z = r.x[n]
        price = r.ineqlin.marginals[len(left):]
        priced = [i for k, i in enumerate(active) if price[k] < -1e-12]
        if not priced:
            raise RuntimeError("no level constraint has a price")
        for i in priced:
            fixed[i] = min(max(offset[i] + weight[i] * z, low[i]), high[i])
    return [fixed[i] for i in range(n)]


def others_could(problem, rows, x, best, charging, i):
    """Whether anybody else could have a step, up to one above its best, if `i` had only
    the one above its own."""
    step = problem["step_a"]
    x = x.copy()
    x[i] = numpy.ceil(best[i] / step - EPSILON) * step
    for j, c in enumerate(problem["connectors"]):
        most = min(c["max_a"], best[j] + step)
        if j == i or not charging[j] or x[j] + step > most + EPSILON:
            continue
        more = x.copy()
        more[j] += step
        if all(r[3] @ more <= r[2] + EPSILON for r in rows if r[3][j]):
            return True
    return False


def judge(pair):
    """What is wrong with an answer (texts), and its deviations in steps, down and up."""
    problem, answer = pair
    wrong = []
    step = problem["step_a"]
    rows = rows_of(problem)
    x = numpy.array([c["current_a"] for c in answer["connectors"]])
    full = {(r[0], r[1]): r[2] - r[3] @ x for r in rows}
    for name, phase, left, count in rows:
        used = count @ x
        if used > 0 and used > left + EPSILON:
            wrong.append(f"{name} {phase}: {used} A where there are {left}")
    charging = []
    for c, a in zip(problem["connectors"], answer["connectors"]):
        more = step
        on = a["current_a"] > 0 or (c["min_a"] == 0 and a["reason"] != "waiting")
        if a["current_a"] == 0 and c["min_a"] > 0:
            on, more = False, numpy.ceil(c["min_a"] / step - EPSILON) * step
        charging.append(on)
        steps = a["current_a"] / step
        if abs(steps - round(steps)) > EPSILON or a["current_a"] > c["max_a"] or (
                0 < a["current_a"] < c["min_a"]):
            wrong.append(f"{c['name']}: {a['current_a']} A is no set point")
        if a["reason"] == "max":
            if on and a["current_a"] + step <= c["max_a"] - EPSILON:
                wrong.append(f"{c['name']}: {a['current_a']} A is not its maximum")
            continue
        if a["phase"]:
            left = full[a["circuit"], a["phase"]]
        else:
            left, more = full.get((a["circuit"], "W"), 1e9), more * len(c["phases"])
        if left > more - EPSILON:
            wrong.append(f"{c['name']}: {a['circuit']} {a['phase']} is not full: {left} A")
    for i, c in enumerate(problem["connectors"]):
        if c["min_a"] == 0 and x[i] == 0 and any(r[2] < 0 and r[3][i] for r in rows):
            charging[i] = False  # nothing can be had there
    best = optimum(problem, rows, charging)
    off = (x - best) / step
    for i, c in enumerate(problem["connectors"]):
        if off[i] < -1 - MILLI / step:
            wrong.append(f"{c['name']}: {x[i]} A, best would be {best[i]:.4f}")
        if off[i] > 1 + MILLI / step and others_could(problem, rows, x, best, charging, i):
            wrong.append(f"{c['name']}: {x[i]} A, best would be {best[i]:.4f}, and "
                         "another one could use it")
    return wrong, off.min(), off.max()


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    print(f"# seed {seed}", flush=True)
    rng = random.Random(seed)
    problems = [random_problem(rng) for _ in range(count)]
    text = "\n".join(json.dumps(p) for p in problems)
    run = subprocess.run([program, "share", "-"], input=text, text=True,
                         stdout=subprocess.PIPE, check=False)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode != 0 or len(answers) != count:
        print(f"exit code {run.returncode}, {len(answers)} answers", flush=True)
        sys.exit(1)
    failed, low, high, above = 0, 0, 0, 0
    with multiprocessing.Pool() as pool:
        judged = pool.imap(judge, zip(problems, answers), 20)
        for i, (wrong, down, up) in enumerate(judged):
            low, high, above = min(low, down), max(high, up), above + (up > 1 + MILLI)
            if wrong:
                failed += 1
                print(f"problem {i}: " + "; ".join(wrong), flush=True)
                print(json.dumps(problems[i]), flush=True)
    print(f"# in steps off the optimum: {low:.4f} to {high:.4f}; "
          f"in {above} of {count} trees more than a step above")
    print(f"{count - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
