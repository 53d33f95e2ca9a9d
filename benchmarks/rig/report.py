"""Tables and plots of what was measured: minimum, median and maximum of the rounds, ratios to a peer."""
import json, os, platform, resource, statistics, subprocess, time

PEERS = ("rtpengine", "kamailio-edge", "kamailio-redis")
NAMES = {"ours": "SIP PBX media node", "rtpengine": "rtpengine (user space)", "raw": "minimal relay in C (epoll)", "uring": "io_uring in C", "direct": "no relay",
         "kamailio-edge": "Kamailio + topos (Redis) + rtpengine", "kamailio-proxy": "Kamailio, proxy without media", "kamailio-redis": "Kamailio, usrloc through db_redis", "kamailio-memory": "Kamailio, usrloc in memory"}


def spread(values, digits):
    values = sorted(values)
    return " / ".join(f"{v:.{digits}f}" for v in (values[0], statistics.median(values), values[-1]))


def said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((x.split(":", 1)[1].strip() for x in f if x.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}"


def write(path, text):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def grouped(results, *keys):
    groups = {}
    for d in results:
        groups.setdefault(tuple(d[k] for k in keys), []).append(d)
    return groups


def ratios(results, field, who="relay", size="calls"):
    """For each that was measured, by name and size, round by round: its figure in parts of the peer's."""
    peer = {(d[size], d["round"]): field(d) for d in results if d[who] in PEERS}
    out = {}
    for d in results:
        if d[who] not in PEERS and peer.get((d[size], d["round"])):
            out.setdefault((d[who], d[size]), []).append(field(d) / peer[d[size], d["round"]])
    return {k: spread(v, 2) for k, v in out.items()}


def relay(out, results, carried, options):
    cost = lambda d: d["relay_cpu_us_per_packet"]
    late = lambda d: d["latency_us"]["p99"]
    costs, lates = ratios(results, cost), ratios(results, late)
    lines = [
        "# RTP through one core",
        f"{time.strftime('%Y-%m-%d')}, {machine()}; load of the machine while it was measured: {spread([d['load1'] for d in results], 1)}.",
        f"{said('rtpengine', '--version')}; {said(options.java, '-version')}.",
        "",
        f"    ./bench relay --relays {','.join(options.relays)} --calls {','.join(map(str, options.calls))} --rounds {options.rounds} --seconds {options.seconds:g}"
        + (" --ramp" if carried else ""),
        "",
        "Minimum / median / maximum of the rounds; 50 packets/s of 160 bytes each way a call; ratios are to rtpengine in the same round.",
        "",
        "| calls | relay | CPU us a packet | ratio | latency p50 us | latency p99 us | ratio | lost % | dropped by the kernel | RSS MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (calls, name), runs in sorted(grouped(results, "calls", "relay").items(), key=lambda x: (x[0][0], options.relays.index(x[0][1]))):
        part = lambda r: r.get((name, calls), "")
        lines.append(
            f"| {calls} | {NAMES[name]} | {spread(map(cost, runs), 2)} | {part(costs)} | {spread([d['latency_us']['p50'] for d in runs], 0)} "
            f"| {spread(map(late, runs), 0)} | {part(lates)} | {max(d['loss_pct'] for d in runs):.3f} | {max(d['kernel_drops'] for d in runs)} "
            f"| {spread([d['rss_kb'] / 1024 for d in runs], 0)} |")
    lines += ["", *memory(results, options)]
    if carried:
        lines += ["", f"| relay | calls with loss <= {options.loss:g} % | and with p99 <= 10 ms |", "| --- | --- | --- |"]
        for (name,), runs in grouped(carried, "relay").items():
            lines.append(f"| {NAMES[name]} | {spread([d['kept'] for d in runs], 0)} | {spread([d['prompt'] for d in runs], 0)} |")
    write(out + ".md", "\n".join(lines) + "\n")
    write(out + ".json", json.dumps({"results": results, "carried": carried}, indent=1) + "\n")
    plot(out, results, options)


def title(server):
    return {"ours": "SIP PBX: control, media, Redis", "ours-standalone": "SIP PBX: standalone, Redis"}.get(server) or NAMES[server]


def calls(out, fixed, held, highest, options):
    cost, p50, p99 = (lambda d: d["cpu_ms"]), (lambda d: d["pdd_ms_p50"]), (lambda d: d["pdd_ms_p99"])
    costs = ratios(fixed, cost, "server", "rate")
    lines = [
        "# Calls through one core",
        f"{time.strftime('%Y-%m-%d')}, {machine()}; load of the machine while it was measured: {spread([d['load1'] for d in fixed + held], 1)}.",
        f"{said('kamailio', '-v')}; rtpengine {said('rtpengine', '--version')}; {said('redis-server', '--version')}; {said(options.java, '-version')}; {said('sipp', '-v')}.",
        "",
        f"    ./bench calls --servers {','.join(options.servers)} --rate {options.rate:g} --rounds {options.rounds} --seconds {options.seconds:g} --warmup {options.warmup} --warmup-seconds {options.warmup_seconds:g}"
        + (" --highest" if highest else "") + (f" --held {','.join(map(str, options.held))}" if held else ""),
        "",
        f"Minimum / median / maximum of the rounds; calls{f' of {options.hold:g} s' if fixed else ''} with media set up; all processes of a server on one core; ratios are to Kamailio's in the same round."
        + (f" SIP PBX has {options.media_nodes} media nodes, since a process may open {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} files here." if options.media_nodes > 1 else ""),
        "",
    ]
    if fixed:
        lines += ["| server | calls/s | CPU ms a call | ratio | of which (median) | post-dial delay p50 ms | p99 ms | failed | dropped by the kernel |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for (name, rate), runs in grouped(fixed, "server", "rate").items():
        parts = ", ".join(f"{k} {statistics.median(d['cpu_ms_parts'][k] for d in runs):.2f}" for k in runs[0]["cpu_ms_parts"])
        compilers = statistics.median(d["compilers_pct"] for d in runs)
        parts += f"; {compilers:.0f} % of it compilers" if compilers >= 0.5 else ""
        lines.append(f"| {title(name)} | {rate:g} | {spread(map(cost, runs), 2)} | {costs.get((name, rate), '')} | {parts} | {spread(map(p50, runs), 2)} | {spread(map(p99, runs), 2)} "
                     f"| {sum(d['failed'] for d in runs)} | {sum(d['kernel_drops'] for d in runs)} |")
    if highest:
        rates = ratios([{**d, "all": 0} for d in highest], lambda d: d["highest"], "server", "all")
        lines += ["", "| server | highest calls/s | ratio | core there % | stopped by |", "| --- | --- | --- | --- | --- |"]
        for (name,), runs in grouped(highest, "server").items():
            busy = [100 * d["at"]["core"] for d in runs if d["at"]]
            lines.append(f"| {title(name)} | {spread([d['highest'] for d in runs], 0)} | {rates.get((name, 0), '')} | {spread(busy, 0) if busy else ''} | {', '.join(sorted({d['why'] for d in runs}))} |")
    if held:
        lines += ["", "| server | calls held | kB each, all processes | MB in all | CPU ms a call | of it compilers % |", "| --- | --- | --- | --- | --- | --- |"]
        for (name, wanted), runs in grouped(held, "server", "wanted").items():
            lines.append(f"| {title(name)} | {wanted} | {spread([d['kb_held'] for d in runs], 0)} | {spread([d['pss_mb'] for d in runs], 0)} | {spread(map(cost, runs), 2)} | {spread([d['compilers_pct'] for d in runs], 0)} |")
    write(out + ".md", "\n".join(lines) + "\n")
    write(out + ".json", json.dumps({"fixed": fixed, "held": held, "highest": highest}, indent=1) + "\n")
    shown = fixed or [d for d in held if d["wanted"] == max(options.held)]
    bars(out, [("CPU, ms a call", grouped(shown, "server"), cost), ("post-dial delay p99, ms", grouped(shown, "server"), p99)]
         + ([("highest calls/s", grouped(highest, "server"), lambda d: d["highest"])] if highest else []))


def register(out, results, options):
    rate, cost, size = (lambda d: d["per_s"]), (lambda d: d["cpu_us"]), (lambda d: d["kb"])
    ours = lambda name: "SIP PBX: control, Redis" if name == "ours" else NAMES[name]
    rates, costs = ({what: ratios([d for d in results if d["what"] == what], field, "server", "registrations") for what in ("new", "refresh")} for field in (rate, cost))
    sizes = ratios([d for d in results if d["what"] == "new"], size, "server", "registrations")
    lines = [
        "# Registrations through one core",
        f"{time.strftime('%Y-%m-%d')}, {machine()}; load of the machine while it was measured: {spread([d['load1'] for d in results], 1)}.",
        f"{said('kamailio', '-v')}; {said('redis-server', '--version')}; {said(options.java, '-version')}.",
        "",
        f"    ./bench register --servers {','.join(options.servers)} --bindings {options.bindings} --at-once {options.at_once} --warmup {options.warmup} --rounds {options.rounds}",
        "",
        f"Minimum / median / maximum of the rounds; {options.at_once} REGISTERs at once, the next when one was answered, one contact a user, no digest; all processes of a server on one core. New: the user had no binding; refresh: the",
        "same contact again. Ratios are to Kamailio with db_redis in the same round: what it knows outlives a restart, as ours does; of Kamailio in memory nothing does. A rate with a core that is not busy is the load's, not the server's.",
        "",
        "| server | | registrations/s | ratio | core there % | CPU us each | ratio | of which (median) | repeated | dropped by the kernel |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (name, what), runs in sorted(grouped(results, "server", "what").items(), key=lambda x: x[0][1]):
        part = lambda r: r[what].get((name, options.bindings), "")
        split = ", ".join(f"{k} {statistics.median(d['cpu_us_parts'][k] for d in runs):.0f}" for k in runs[0]["cpu_us_parts"])
        lines.append(f"| {ours(name)} | {what} | {spread(map(rate, runs), 0)} | {part(rates)} | {spread([100 * d['core'] for d in runs], 0)} | {spread(map(cost, runs), 0)} | {part(costs)} | {split} "
                     f"| {sum(d['repeats'] for d in runs)} | {sum(d['kernel_drops'] for d in runs)} |")
    lines += ["", f"| server | kB for each of {options.bindings} bindings | ratio | MB in all, then |", "| --- | --- | --- | --- |"]
    for (name, what), runs in grouped(results, "server", "what").items():
        if what == "new":
            lines.append(f"| {ours(name)} | {spread(map(size, runs), 2)} | {sizes.get((name, options.bindings), '')} | {spread([d['pss_mb'] for d in runs], 0)} |")
    write(out + ".md", "\n".join(lines) + "\n")
    write(out + ".json", json.dumps({"results": results}, indent=1) + "\n")
    new, again = ([d for d in results if d["what"] == what] for what in ("new", "refresh"))
    bars(out, [("CPU, us a new binding", grouped(new, "server"), cost), ("CPU, us a refresh", grouped(again, "server"), cost), ("kB a binding", grouped(new, "server"), size)], ours)


def start(out, results, options):
    lines = [
        "# From the start to the first REGISTER",
        f"{time.strftime('%Y-%m-%d')}, {machine()}; load of the machine at the end: {os.getloadavg()[0]:.1f}. {said(options.java, '-version')}.",
        "",
        f"    ./bench start --rounds {options.rounds}",
        "",
        "Minimum / median / maximum of the rounds; standalone, with a Redis of its own and an empty data folder, from the start of the process to the 200 of a phone that tries every 5 ms until somebody listens.",
        "",
        "| | s until it is answered | s of CPU until then |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {name} | {spread([x for x, _ in runs], 2)} | {spread([x for _, x in runs], 2)} |" for name, runs in results.items()]
    write(out + ".md", "\n".join(lines) + "\n")
    write(out + ".json", json.dumps(results, indent=1) + "\n")
    groups = {(name,): runs for name, runs in results.items()}
    bars(out, [("s until a REGISTER is answered", groups, lambda d: d[0]), ("s of CPU until then", groups, lambda d: d[1])], str)


def bars(out, panels, title=title):
    plt = pyplot()
    figure, axes = plt.subplots(1, len(panels), figsize=(4.5 * len(panels), 4))
    for axis, (heading, groups, field) in zip(axes, panels):
        for at, ((name,), runs) in enumerate(groups.items()):
            values = [field(d) for d in runs]
            middle = statistics.median(values)
            axis.bar(at, middle, yerr=[[middle - min(values)], [max(values) - middle]], capsize=4, label=title(name))
        axis.set_title(heading)
        axis.set_xticks([])
    axes[0].legend(fontsize=8)
    save(figure, out)


def memory(results, options):
    """Memory of a call: what the most calls take beyond the fewest."""
    few, most = min(options.calls), max(options.calls)
    if few == most:
        return []
    lines = ["| relay | kB of memory a call, between %d and %d calls |" % (few, most), "| --- | --- |"]
    rss = {k: statistics.median(d["rss_kb"] for d in v) for k, v in grouped(results, "relay", "calls").items()}
    for name in options.relays:
        if name != "direct":
            lines.append(f"| {NAMES[name]} | {(rss[name, most] - rss[name, few]) / (most - few):.1f} |")
    return lines


def pyplot():
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "sip-pbx"
    import matplotlib.pyplot

    return matplotlib.pyplot


def save(figure, out):
    figure.tight_layout()
    figure.savefig(out + ".svg", metadata={"Date": None})
    figure.savefig(out + ".png", dpi=110, metadata={"Software": None})


def plot(out, results, options):
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for axis, title, field in ((axes[0], "CPU, us a packet", lambda d: d["relay_cpu_us_per_packet"]), (axes[1], "latency p99, us", lambda d: d["latency_us"]["p99"])):
        for name in options.relays:
            points = sorted((c, [field(d) for d in v]) for (n, c), v in grouped(results, "relay", "calls").items() if n == name)
            middle = [statistics.median(v) for _, v in points]
            low = [m - min(v) for m, (_, v) in zip(middle, points)]
            high = [max(v) - m for m, (_, v) in zip(middle, points)]
            axis.errorbar([c for c, _ in points], middle, yerr=[low, high], marker="o", capsize=3, label=NAMES[name])
        axis.set_title(title)
        axis.set_xlabel("calls")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].legend()
    save(figure, out)
