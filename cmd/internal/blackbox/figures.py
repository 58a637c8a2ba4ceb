"""Makes the figures of a simulation once more, from its events and the formulas of
docs/SIMULATOR.md alone: figures.py EVENTS.jsonl PREMISES_PROCESSORS END_S."""

import collections
import json
import math
import sys


class Node:
    def __init__(self):
        self.jobs, self.instance = [], None
        self.powering, self.asked, self.down, self.single, self.cpus = False, None, False, False, 0


class Site:
    def __init__(self, premises):
        self.now, self.premises = 0.0, premises
        self.nodes, self.jobs, self.instances = collections.defaultdict(Node), {}, {}
        self.spent = collections.Counter()  # node-seconds, by cause
        self.idle = collections.Counter()  # the same of idle nodes, by kind
        self.count = collections.Counter()
        self.states, self.calls, self.errors = collections.Counter(), collections.Counter(), collections.Counter()
        self.vcpus, self.quotas = collections.Counter(), collections.Counter()
        self.groups = {k: collections.defaultdict(collections.Counter) for k in ("user", "account", "partition")}
        self.ran, self.capacity, self.working, self.depths = [], [], [], []
        self.held, self.in_cloud, self.bill = 0.0, 0.0, 0.0
        self.first, self.last = None, 0.0

    def until(self, at):
        """Gives the time since the last event to what each node did in it."""
        spell, self.now = at - self.now, at
        for node in self.nodes.values():
            i = node.instance
            if spell <= 0 or not i or i["from"] is None:
                continue
            busy = [j for j in node.jobs if j["working"]]
            if node.down:
                self.spent["orphan"] += spell
            elif not node.jobs:
                self.spent["idle"] += spell
                i["idle"] += spell
            elif not busy:
                self.spent["waiting_for_others"] += spell
            for j in busy if not node.down else []:
                j["worked"] += spell / len(busy)

    def part(self, node):
        """Takes a node's instance from it."""
        if node.instance:
            i, node.instance = node.instance, None
            i["node"], i["orphaned"] = None, self.now
            self.idle["single_use" if node.single else "shared"] += i["idle"]
            i["idle"] = 0.0

    def expected(self, node, name):
        """Nobody expects an instance for a node any more."""
        node.powering = False
        for i in self.instances.values():
            if name in i["nodes"] and not (i["ready"] or i["ended"] or i["unwanted"]) and not any(self.nodes[n].powering for n in i["nodes"]):
                i["unwanted"] = self.now

    def leave(self, job, cause):
        """Takes a job's nodes from it."""
        for name in job["nodes"]:
            self.nodes[name].jobs.remove(job)
        if job["start"] is not None:
            self.held += job["spec"]["procs"] * (self.now - job["start"])
        self.spent[cause] += job["worked"]
        for group in self.of(job):
            group["cloud_node_hours" if cause == "useful" else "lost_node_hours"] += job["worked"] / 3600
        job.update(nodes=[], missing=set(), asked=None, start=None, working=False, worked=0.0)

    def of(self, job):
        return [self.groups[k][job["spec"].get(k, "")] for k in self.groups]

    def end(self, i, cause, charged):
        if i["ended"]:
            return
        i["ended"] = True
        self.count["interruptions"] += cause.startswith("Server.SpotInstance")
        if i["node"]:
            self.part(i["node"])
        if i["from"] is None:
            return
        up = self.now - i["from"]
        if i["orphaned"] is not None:
            self.spent["orphan"] += self.now - max(i["orphaned"], i["from"])
        elif i["unwanted"] is not None:
            wanted = min(up, max(0, i["unwanted"] - i["from"]))
            self.spent["never_booted"] += wanted
            self.spent["orphan"] += up - wanted
        elif not i["nodes"]:
            self.spent["orphan"] += up
        else:
            self.spent["failed_gang" if cause.startswith("Client.User") else "never_booted"] += up
        self.in_cloud += up * (self.nodes[i["nodes"][0]].cpus if i["nodes"] else i["vcpus"])
        self.bill += charged

    def take(self, e):
        self.until(e["at_s"])
        kind = e["event"]
        if kind in ("resumed", "suspended"):
            self.count[kind] += 1
        elif kind == "gang":
            self.count["whole"] += e["count"] == len(e["nodes"])
            self.count["asked"] += 1
            if e["count"] or e["depth"]:
                self.depths.append(e["depth"])
        elif kind == "call":
            self.calls[e["operation"]] += 1
            if "code" in e:
                self.errors[e["operation"], e["code"]] += 1
        elif kind.startswith("job_"):
            self.job(kind, e)
        elif kind.startswith("node_"):
            self.node(kind, e)
        elif kind.startswith("instance_"):
            self.instance(kind, e)

    def job(self, kind, e):
        if kind == "job_submitted":
            self.first = self.now if self.first is None else self.first
            self.jobs[e["job"]] = {"spec": e["spec"], "submit": self.now, "eligible": None, "nodes": [], "missing": set(), "asked": None, "start": None, "working": False, "worked": 0.0}
            return
        j = self.jobs[e["job"]]
        if kind == "job_eligible" and j["eligible"] is None:
            j["eligible"] = self.now
        elif kind == "job_allocated":
            j["spec"] = {**j["spec"], "partition": e["partition"]}
            for name in e["nodes"]:
                node = self.nodes[name]
                node.jobs.append(j)
                j["nodes"].append(name)
                if node.powering:
                    self.misses(j, name)
        elif kind == "job_started":
            j["start"] = self.now
        elif kind == "job_working":
            self.working.append(self.now - j["start"])
            j["working"] = True
        elif kind == "job_requeued":
            self.count["requeues"] += 1
            self.leave(j, "lost_work")
        elif kind == "job_held":
            self.count["held"] += 1
        elif kind == "job_ended":
            del self.jobs[e["job"]]
            self.states[e["state"]] += 1
            self.last = self.now
            for group in self.of(j):
                group["jobs"] += 1
            if j["start"] is not None:
                since = j["submit"] if j["eligible"] is None else j["eligible"]
                wait, run = j["start"] - since, self.now - j["start"]
                slowdown = max(1, (wait + run) / max(run, 10))
                self.ran.append((wait, j["start"] - j["submit"], wait + run, slowdown))
                for group in self.of(j):
                    group.update(ran=1, mean_wait_s=wait, mean_bounded_slowdown=slowdown, proc_hours=j["spec"]["procs"] * run / 3600)
            self.leave(j, "lost_work" if e["state"] in ("NODE_FAIL", "BOOT_FAIL") else "useful")

    def misses(self, j, name):
        j["missing"].add(name)
        asked = self.nodes[name].asked
        j["asked"] = asked if j["asked"] is None else min(asked, j["asked"])

    def node(self, kind, e):
        name = e["node"]
        node = self.nodes[name]
        if kind == "node_resumed":
            self.part(node)
            node.powering, node.asked, node.down, node.single, node.cpus = True, self.now, False, False, e["cpus"]
            for j in node.jobs:
                self.misses(j, name)
        elif kind == "node_ready":
            i = self.instances.get(e.get("instance"))
            if i and not i["ended"] and i["node"] is not node:
                self.part(node)
                if i["node"]:
                    self.part(i["node"])
                if i["orphaned"] is not None:
                    self.spent["orphan"] += self.now - max(i["orphaned"], i["from"])
                elif i["from"] is not None:
                    self.spent["boot"] += self.now - i["from"]
                i.update(ready=True, orphaned=None, node=node)
                node.instance = i
            if node.powering:
                self.expected(node, name)
                for j in node.jobs:
                    j["missing"].discard(name)
                    if not j["missing"] and j["asked"] is not None:
                        self.capacity.append(self.now - j["asked"])
                        j["asked"] = None
        else:
            self.expected(node, name)
            if kind == "node_suspended":
                node.single = e.get("cause") == "POWER_DOWN_ASAP"
                self.count["single_use" if node.single else "shared"] += 1
            else:
                node.down = True

    def instance(self, kind, e):
        if kind == "instance_launched":
            self.count["instances"] += 1
            self.instances[e["instance"]] = {"quota": e["family"] + " " + e["market"], "vcpus": e["vcpus"], "nodes": e.get("nodes", []), "from": None, "ended": False, "ready": False, "node": None, "unwanted": None, "orphaned": None, "idle": 0.0, "charged": 0.0}
            quota = self.instances[e["instance"]]["quota"]
            self.vcpus[quota] += e["vcpus"]
            self.quotas[quota] = max(self.quotas[quota], self.vcpus[quota])
            self.count["peak"] = max(self.count["peak"], len(self.instances))
            return
        i = self.instances[e["instance"]]
        if kind == "instance_running":
            i["from"] = self.now
        elif kind == "instance_charged":
            i["charged"] = e["charged_usd"]
        elif kind in ("instance_ending", "instance_gone"):
            self.end(i, e.get("cause", ""), e.get("charged_usd", 0))
            if kind == "instance_gone":
                self.vcpus[i["quota"]] -= i["vcpus"]
                del self.instances[e["instance"]]

    def figures(self, at):
        self.until(at)
        for i in list(self.instances.values()):
            self.end(i, "", i["charged"])
        unfinished = len(self.jobs)
        for j in list(self.jobs.values()):
            self.leave(j, "useful")
        hours = {cause: self.spent[cause] / 3600 for cause in ("useful", "boot", "never_booted", "waiting_for_others", "idle", "orphan", "failed_gang", "lost_work")}
        stood = self.premises * ((at if unfinished else self.last) - self.first) + self.in_cloud
        out = {
            "jobs": sum(self.states.values()), "unfinished": unfinished, "never_started": sum(self.states.values()) - len(self.ran),
            "requeues": self.count["requeues"], "held": self.count["held"], "states": self.states,
            "makespan_s": self.last - self.first if self.states else 0, "utilisation": share(self.held, stood),
            "cost_usd": self.bill, "goodput": share(hours["useful"], sum(hours.values())), "cost_per_useful_node_hour_usd": share(self.bill, hours["useful"], None),
            "node_hours": {"useful": hours["useful"], "boot": hours["boot"] + hours["never_booted"] + hours["waiting_for_others"], "idle": hours["idle"], "orphan": hours["orphan"], "lost": hours["failed_gang"] + hours["lost_work"]},
            "gangs": {"asked": self.count["asked"], "whole": self.count["whole"]},
            "fallback_depth": {"first_rung": self.depths.count(0), "mean": sum(self.depths) / max(len(self.depths), 1), "max": max(self.depths, default=0)},
            "instances": self.count["instances"], "interruptions": self.count["interruptions"],
            "resume_calls": self.count["resumed"], "suspend_calls": self.count["suspended"], "api_calls": self.calls,
            "peaks": {"instances": self.count["peak"], "addresses": self.count["peak"]},
            "idle": {k: {"suspended": self.count[k], "node_hours": self.idle[k] / 3600} for k in ("single_use", "shared")},
        }
        errors = collections.defaultdict(dict)
        for (operation, code), n in self.errors.items():
            errors[operation][code] = n
        out["api_errors"] = errors
        waits, submit, response, slowdown = zip(*self.ran) if self.ran else ((),) * 4
        for name, values in (("wait_s", waits), ("wait_since_submit_s", submit), ("response_s", response), ("bounded_slowdown", slowdown), ("time_to_capacity_s", self.capacity), ("working_wait_s", self.working)):
            values = sorted(values)
            out[name] = {"count": len(values), "mean": share(sum(values), len(values))}
            for key, part in (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1)):
                out[name][key] = values[math.ceil(part * len(values)) - 1] if values else 0
        out["mean_wait_s"], out["mean_bounded_slowdown"] = out["wait_s"]["mean"], out["bounded_slowdown"]["mean"]
        out["spent"] = [{"cause": cause, "node_hours": hours[cause]} for cause in hours]
        out["peaks"]["quotas"] = [dict(zip(("family", "market"), q.rsplit(" ", 1)), vcpus=self.quotas[q]) for q in sorted(self.quotas)]
        for key, groups in self.groups.items():
            out[key + "s"] = []
            for name in sorted(groups):
                g = groups[name]
                for mean in ("mean_wait_s", "mean_bounded_slowdown"):
                    g[mean] = share(g[mean], g["ran"])
                out[key + "s"].append({"name": name, **{k: g[k] for k in ("jobs", "ran", "mean_wait_s", "mean_bounded_slowdown", "proc_hours", "cloud_node_hours", "lost_node_hours")}})
        if not self.calls:  # there was no cloud, or nobody asked for it
            for key in CLOUD:
                del out[key]
        return out


# What only runs with a cloud have.
CLOUD = (
    "cost_usd", "goodput", "cost_per_useful_node_hour_usd", "node_hours", "gangs", "fallback_depth", "instances", "interruptions", "resume_calls",
    "suspend_calls", "api_calls", "api_errors", "peaks", "idle", "time_to_capacity_s", "working_wait_s", "spent",
)


def share(part, whole, nothing=0):
    return part / whole if whole else nothing


site = Site(int(sys.argv[2]))
with open(sys.argv[1], encoding="utf-8") as events:
    for line in events:
        site.take(json.loads(line))
json.dump(site.figures(float(sys.argv[3])), sys.stdout)
