"""Writes the table and the plot of ./bench events: events.py RESULT.json OUT"""
import json
import sys

NAMES = {"commits_and_publisher": "committing node: commits, outbox, publisher",
         "redis": "Redis", "event_plane": "event plane: consumer, file"}


def row(name, delay):
    if not delay["calls"]:
        return f"| {name} | 0 | - | - | - |"
    return f"| {name} | {delay['calls']:,} | {delay['p50']:.0f} | {delay['p99']:.0f} | {delay['max']:.0f} |"


def table(result):
    lines = [
        f"{result['events_per_second']:,} events/s ({result['calls_per_second']:,} calls/s of four) for "
        f"{result['seconds']} s on {result['cpus']} CPUs, shared by all processes; the broker was killed at "
        f"{result['broker_killed_at_s']:.0f} s and back at {result['broker_back_at_s']:.0f} s. "
        f"{result['events']:,} events committed, {result['records']:,} records, {result['failed_commits']} commits failed.",
        "",
        "| from commit to the line on the disk | calls | p50 ms | p99 ms | max ms |",
        "|---|---|---|---|---|",
        row("before the broker was killed", result["delay_ms"]),
        row("after it was killed, the outage among it", result["delay_ms_with_restart"]),
        "",
        "| CPU of an event | us |",
        "|---|---|",
    ]
    for name, cost in result["cpu_us_per_event"].items():
        lines.append(f"| {NAMES.get(name, name)} | {cost:.0f} |")
    return "\n".join(lines) + "\n"


def plot(result, file):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4))
    axes.scatter([p[0] for p in result["points"]], [max(p[1], 1) for p in result["points"]], s=2)
    axes.axvspan(result["broker_killed_at_s"], result["broker_back_at_s"], color="tab:red", alpha=0.2,
                 label="no broker")
    axes.set_yscale("log")
    axes.set_xlabel("the call ended at (s)")
    axes.set_ylabel("its record was on the disk after (ms)")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    with open(sys.argv[2] + ".md", "w", encoding="utf-8") as file:
        file.write(table(result))
    print(table(result))
    try:
        plot(result, sys.argv[2] + ".png")
    except ImportError:
        print("no plot: install python3-matplotlib", file=sys.stderr)


main()
