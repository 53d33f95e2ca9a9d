#!/usr/bin/env python3
"""A flame graph as SVG of a recording of the Java virtual machine.

  jcmd PID JFR.start name=x settings=benchmarks/rig/profile.jfc; ...; jcmd PID JFR.dump name=x filename=calls.jfr
  flame.py calls.jfr calls.svg --thread sip-pbx-loop --title "..."

Width is CPU time (jdk.CPUTimeSample), the callers are below. Needs the `jfr` of the same JDK on the path, or --jfr.
"""
import argparse, html, json, subprocess, zlib

WIDTH, ROW, LEAST = 1200, 16, 3


def name(frame):
    method = frame["method"]
    return (method["type"]["name"].split("/")[-1].split(".")[-1].split("$$Lambda")[0] + "." + method["name"]).replace("lambda$", "λ ")


def tree(events, thread):
    root = [0, {}]
    for event in events:
        values = event["values"]
        who = values.get("eventThread") or {}
        stack = values.get("stackTrace")
        if thread not in str(who.get("javaName")) or not stack:
            continue
        node = root
        node[0] += 1
        for frame in reversed(stack["frames"]):
            node = node[1].setdefault(name(frame), [0, {}])
            node[0] += 1
    return root


def draw(node, label, x, depth, scale, boxes):
    width = node[0] * scale
    if width < LEAST:
        return depth
    boxes.append((x, depth, width, label, node[0]))
    deepest = depth
    for child in sorted(node[1]):
        deepest = max(deepest, draw(node[1][child], child, x, depth + 1, scale, boxes))
        x += node[1][child][0] * scale
    return deepest


def svg(root, title):
    boxes = []
    rows = draw(root, "all", 0, 0, WIDTH / max(1, root[0]), boxes) + 1
    height = (rows + 2) * ROW
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="10">',
             f'<text x="4" y="12">{html.escape(title)} ({root[0]} samples)</text>']
    for x, depth, width, label, count in boxes:
        y = height - (depth + 1) * ROW
        # The same name has the same colour in each graph.
        colour = f"hsl({zlib.crc32(label.split('.')[0].encode()) % 50},{70 + zlib.crc32(label.encode()) % 20}%,65%)"
        shown = html.escape(label[: int(width / 6.1)]) if width > 20 else ""
        lines.append(f'<g><title>{html.escape(label)}: {100 * count / root[0]:.1f} %</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>'
                     + (f'<text x="{x + 2:.1f}" y="{y + 11}">{shown}</text>' if shown else "") + "</g>")
    return "\n".join(lines) + "\n</svg>\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recording")
    p.add_argument("out")
    p.add_argument("--thread", default="sip-pbx-loop", help="part of the name of the threads that are shown")
    p.add_argument("--title", default="CPU time")
    p.add_argument("--jfr", default="jfr")
    o = p.parse_args()
    text = subprocess.run([o.jfr, "print", "--json", "--stack-depth", "64", "--events", "jdk.CPUTimeSample", o.recording], check=True, capture_output=True, text=True).stdout
    root = tree(json.loads(text)["recording"]["events"], o.thread)
    if not root[0]:
        p.error(f"no sample of a thread named {o.thread} in {o.recording}")
    with open(o.out, "w") as f:
        f.write(svg(root, o.title))


if __name__ == "__main__":
    main()
