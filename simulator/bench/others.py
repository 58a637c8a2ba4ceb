"""Measures simulators that are written in Python, for main.go: prints one number.

others.py simpy PROCESSES EVENTS    nanoseconds for an event: a process that sleeps
others.py accasim TRACE PROCS       CPU seconds for EASY over a trace in SWF
"""

import collections
import collections.abc
import gzip
import json
import os
import random
import sys
import tempfile
import time


def simpy_sleep(processes, events):
    import simpy

    env = simpy.Environment()
    rnd = random.Random(1).random
    count = 0

    def process():
        nonlocal count
        while True:
            count += 1
            yield env.timeout(rnd())

    for _ in range(processes):
        env.process(process())
    env.run(until=1)
    first, start, until = count, time.process_time(), 1
    while count - first < events:
        until += 1
        env.run(until=until)
    return (time.process_time() - start) * 1e9 / (count - first)


def accasim_easy(trace, procs):
    # AccaSim 1.1.3 was written before Python 3.10 moved it.
    collections.Mapping = collections.abc.Mapping
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Its allocator divides by the memory that a job asks for.
        with gzip.open(trace, "rt", errors="replace") as source, open("trace.swf", "w") as out:
            for line in source:
                if not line.startswith(";"):
                    columns = line.split()
                    columns[6] = columns[9] = "1"
                    line = " ".join(columns) + "\n"
                out.write(line)
        with open("system.json", "w") as out:
            json.dump({"groups": {"g": {"core": 1, "mem": 10**9}}, "resources": {"g": procs}}, out)

        from accasim.base.allocator_class import FirstFit
        from accasim.base.scheduler_class import EASYBackfilling
        from accasim.base.simulator_class import Simulator

        stdout, sys.stdout = sys.stdout, sys.stderr
        simulator = Simulator("trace.swf", "system.json", EASYBackfilling(FirstFit()), scheduling_output=False,
                              pprint_output=False, statistics_output=False, show_statistics=False)
        start = time.process_time()
        simulator.start_simulation()
        sys.stdout = stdout
        took = time.process_time() - start
        os.chdir("/")
        return took


if __name__ == "__main__":
    if sys.argv[1] == "simpy":
        print(simpy_sleep(int(sys.argv[2]), int(sys.argv[3])))
    else:
        print(accasim_easy(os.path.abspath(sys.argv[2]), int(sys.argv[3])))
