# SPDX-License-Identifier: BSD-3-Clause
"""Draws the rounds with gnuplot: how the ratio moved, and both sides' figures beside each other."""
import os
import re
import statistics
import subprocess

from summary import group, ratio_of

SIZED = re.compile(r"sessions-(\d+)-(.*)")    # a metric that was measured with several numbers of them

RATIO = """\
set terminal pngcairo size 800,450 noenhanced font 'sans,11'
set output '{output}'
set title '{bench}, {metric}: ours to {rival}, round by round'
set xlabel 'round'
set ylabel 'ratio'
set yrange [0:*]
set xrange [-0.5:{rounds} - 0.5]
set xtics 1
set grid ytics
$points << END
{points}
END
plot $points using 1:2 with linespoints pt 7 lw 2 lc rgb '#2060a0' title 'ratio', \\
     {median} with lines dt 2 lc rgb '#a04020' title 'median {median:.3g}', \\
     1 with lines lc rgb '#808080' title 'equal'
"""

BARS = """\
set terminal pngcairo size 1000,520 noenhanced font 'sans,11'
set output '{output}'
set title '{bench}: median of the rounds, with the lowest and the highest'
set ylabel '{unit}'
set yrange [0:*]
set xtics rotate by -12
set key outside top right
set rmargin 22
set style data histogram
set style histogram errorbars gap 1 lw 1
set style fill solid 0.8
set boxwidth 0.9
set grid ytics
$bars << END
{bars}
END
plot $bars using 2:3:4:xtic(1) lc rgb '#2060a0' title 'ours', \\
     '' using 5:6:7 lc rgb '#c0c0c0' title 'the other'
"""

SIZES = """\
set terminal pngcairo size 800,450 noenhanced font 'sans,11'
set output '{output}'
set title '{bench}, {what}: median of the rounds'
set xlabel 'sessions'
set ylabel '{unit}'
set logscale x
set yrange [0:*]
set key outside right top
set grid
{data}
plot {curves}
"""

SERIES = """\
set terminal pngcairo size 900,900 noenhanced font 'sans,11'
set output '{output}'
set multiplot layout 3,1 title '{bench}, {series}'
set xlabel 'second'
set grid
set key top left
set lmargin 12
set yrange [0:*]
$points << END
{points}
END
set ylabel 'arrivals a second'
plot $points using 1:2 with lines lw 2 lc rgb '#2060a0' notitle
set ylabel 'waiting'
plot $points using 1:3 with lines lw 2 lc rgb '#2060a0' title 'no surge rule', \\
     '' using 1:4 with lines lw 2 lc rgb '#a04020' title 'with the rule'
unset yrange
set logscale y
set ylabel 'us, 99.9 % of the second'
plot $points using 1:5 with lines lw 2 lc rgb '#2060a0' title 'ours', \\
     '' using 1:6 with lines lw 2 lc rgb '#808080' title 'the other'
unset multiplot
"""


def draw(lines, folder):
    """Write PNGs below folder; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    paths, by_bench, by_size = [], {}, {}
    for (bench, rival, metric), rounds in group(lines).items():
        path = os.path.join(folder, f"{bench}-{metric}-{rival}-ratio.png")
        points = [(line["round"], ratio_of(line)) for line in rounds]
        gnuplot(RATIO.format(output=quoted(path), bench=bench, metric=metric, rival=quoted(rival),
                             rounds=len(rounds), median=statistics.median(p[1] for p in points),
                             points="\n".join(f"{x} {y}" for x, y in points)))
        paths.append(path)
        sized = SIZED.match(metric)
        if sized:
            by_size.setdefault((bench, sized[2]), []).append((int(sized[1]), rival, rounds))
        else:
            by_bench.setdefault((bench, rounds[0]["unit"]), []).append((metric, rival, rounds))
    for (bench, unit), metrics in by_bench.items():
        unit_name = "".join(char if char.isalnum() else "-" for char in unit)
        path = os.path.join(folder, f"{bench}-{unit_name}.png")
        gnuplot(BARS.format(output=quoted(path), bench=bench, unit=unit,
                            bars="\n".join(bar_of(f"{metric}, {rival}", rounds)
                                           for metric, rival, rounds in metrics)))
        paths.append(path)
    return paths + draw_sizes(by_size, folder) + draw_series(lines, folder)


def draw_sizes(by_size, folder):
    """A curve for each side, over the number of sessions."""
    paths = []
    for (bench, what), metrics in by_size.items():
        curves = {}
        for size, rival, rounds in metrics:
            for name, side in (("ours", "ours"), (rival, "theirs")):
                curves.setdefault(name, {})[size] = statistics.median(line[side] for line in rounds)
        path = os.path.join(folder, f"{bench}-{what}-sizes.png")
        data = "\n".join(f"$curve{index} << END\n" + "\n".join(f"{size} {value:g}" for size, value
                                                               in sorted(curve.items())) + "\nEND"
                         for index, curve in enumerate(curves.values()))
        gnuplot(SIZES.format(output=quoted(path), bench=bench, what=what, unit=metrics[0][2][0]["unit"], data=data,
                             curves=", ".join(f"$curve{index} with linespoints lw 2 pt 7 title '{quoted(name)}'"
                                              for index, name in enumerate(curves))))
        paths.append(path)
    return paths


def draw_series(lines, folder):
    """What happened second by second, for the benches that tell."""
    by_name, paths = {}, []
    for line in lines:
        if "series" in line:
            by_name.setdefault((line["bench"], line["series"]), []).append(line)
    for (bench, series), seconds in by_name.items():
        path = os.path.join(folder, f"{bench}-{series}-seconds.png")
        columns = ("second", "arrivals", "waiting", "rule_waiting", "slowest_us", "rival_slowest_us")
        gnuplot(SERIES.format(output=quoted(path), bench=bench, series=series,
                              points="\n".join(" ".join(str(line.get(column) or "NaN")
                                                        if "us" in column
                                                        else str(line.get(column, "NaN"))
                                                        for column in columns)
                                               for line in seconds)))
        paths.append(path)
    return paths


def bar_of(label, rounds):
    figures = []
    for side in ("ours", "theirs"):
        values = [line[side] for line in rounds]
        figures += [statistics.median(values), min(values), max(values)]
    return f'"{label}" ' + " ".join(f"{figure:g}" for figure in figures)


def quoted(text):
    return text.replace("'", "''")


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
