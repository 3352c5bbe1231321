"""The benchmark counts right, notices what was not done, and the guide says what its file says."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import sys
import threading
import typing as t
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import exec as exec_benchmark  # noqa: E402  # a folder of the checkout
from benchmarks import exec_report, measure, plot, proxy, report, results, run, site_report, tools  # noqa: E402
from benchmarks.measure import Case, Run  # noqa: E402
from benchmarks.site_results import SiteBenchmark, SiteResult, SiteRun  # noqa: E402

RESULTS = ROOT / "benchmarks/results.json"
NAMES = ("slipway.aws", "community.aws", "ecs-deploy")


@pytest.mark.skipif(sys.platform != "linux", reason="the connection plugin forkserver requires Linux")
def test_the_time_of_a_fork_server_counts_and_a_daemon_is_not_waited_for(tmp_path: Path) -> None:
    """Both have left the process that started them."""
    busy = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    script = tmp_path / "start.sh"
    script.write_text(
        f"(setsid {sys.executable} -c '{busy}' slipway.aws.forkserver &)\n"
        f"(setsid sh -c 'echo $$ > {tmp_path}/daemon; exec sleep 600' &)\n"
        f"while [ ! -s {tmp_path}/daemon ]; do sleep 0.05; done\n"
    )
    usage = measure._run(["sh", str(script)], dict(os.environ), tmp_path / "log")[2]
    daemon = int((tmp_path / "daemon").read_text())
    os.kill(daemon, signal.SIGKILL)
    assert usage.ru_utime + usage.ru_stime >= 0.5


def a_run(seconds: float, calls: int, returned: float | None = None) -> Run:
    return Run(seconds, seconds / 2, 64.0, calls / 1000, {"DescribeServices": calls}, 0, returned)


@pytest.fixture
def found() -> results.Benchmark:
    """Made-up results: each further tool takes ten times as long as the one before and makes twice its calls."""
    cases = [
        Case("no-op, 1 service", 1),
        Case("no-op, 50 services", 50),
        Case("no-op, 200 services", 200),
        Case("no-op, 10 services of 1 revision", 10, revisions=1),
        Case("1 deployment of 5 s", 1, 1, rollout_seconds=5.0),
    ]
    about = {
        "date": "2026-01-02T03:04:05+00:00",
        "machine": {"processor": "P", "cores": 2, "memory_gib": 4.0, "system": "Debian", "kernel": "6.1"},
        "versions": {"python": "3.11"},
    }
    returns = {"slipway.aws": 0.5, "community.aws": -3.0, "ecs-deploy": 1.0}
    return results.Benchmark(
        about,
        [
            results.Result(
                name,
                case,
                [
                    a_run(turn * 10.0**order, case.services * 2**order, returns[name] if case.changed else None)
                    for turn in (1, 2, 9)
                ],
            )
            for case in cases
            for order, name in enumerate(NAMES)
        ],
    )


# The proxy


class _Account(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400 if content == b"bad" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def counter() -> t.Iterator[proxy.CountingProxy]:
    """A proxy in front of an account that answers what it is sent."""
    with HTTPServer(("127.0.0.1", 0), _Account) as account:
        threading.Thread(target=account.serve_forever, daemon=True).start()
        with proxy.CountingProxy(account.server_port) as server:
            yield server
        account.shutdown()


def post(url: str, body: bytes, **headers: str) -> bytes:
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def test_the_proxy_hands_on_and_counts_by_operation(counter: proxy.CountingProxy) -> None:
    assert post(counter.address, b"{}", X_Amz_Target="AmazonEC2ContainerServiceV20141113.ListTasks") == b"{}"
    post(counter.address, b"{}", X_Amz_Target="AmazonEC2ContainerServiceV20141113.ListTasks")
    post(counter.address, b"Action=GetCallerIdentity&Version=2011-06-15")
    assert counter.traffic.calls == {"ListTasks": 2, "GetCallerIdentity": 1}
    assert counter.traffic.seconds > 0


def test_the_proxy_counts_refused_calls_too(counter: proxy.CountingProxy) -> None:
    with pytest.raises(urllib.error.HTTPError):
        post(counter.address, b"bad")
    assert counter.traffic.refused == 1


# Measuring


def test_a_tool_that_does_not_do_it_has_no_figures(tmp_path: Path) -> None:
    idle = tools.Tool("idle", lambda folder, services: ["true"])
    with pytest.raises(measure.Misdone, match="0 calls of RegisterTaskDefinition, where 1"):
        measure.measure(idle, Case("1 of 2", 2, 1, revisions=1), tmp_path)


def test_a_tool_that_fails_has_no_figures(tmp_path: Path) -> None:
    with pytest.raises(measure.Misdone, match="ended with 1"):
        measure.measure(tools.Tool("failing", lambda folder, services: ["false"]), Case("no-op", 1), tmp_path)


@pytest.mark.variants
def test_a_release_of_ours_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "CACHE", tmp_path)
    idle, late = run.quick_cases()[::2]
    nothing, one = run.benchmark([idle, late], [tools.SLIPWAY], once=True).results
    assert nothing.calls <= 1 + idle.services
    assert one.runs[0].calls["UpdateService"] == 1
    assert one.returned is not None
    assert one.returned > 0


def test_deployments_take_as_long_as_the_case_says(tmp_path: Path) -> None:
    deploys = (
        "import boto3; ecs = boto3.client('ecs'); "
        "now = ecs.describe_task_definition(taskDefinition='service-001')['taskDefinition']; "
        "now['containerDefinitions'][0]['image'] = 'registry.example/service-001:1.2'; "
        "ecs.register_task_definition(family='service-001', containerDefinitions=now['containerDefinitions']); "
        "ecs.update_service(cluster='bench', service='service-001', taskDefinition='service-001')"
    )
    tool = tools.Tool("does not wait", lambda folder, services: [sys.executable, "-c", deploys])
    taken = measure.measure(tool, Case("late", 1, 1, revisions=1, rollout_seconds=2), tmp_path)
    assert taken.calls == {"DescribeTaskDefinition": 1, "RegisterTaskDefinition": 1, "UpdateService": 1}
    assert taken.return_seconds is not None
    assert -2 < taken.return_seconds < 0


# What is published


def test_the_guide_says_what_the_file_says() -> None:
    kept = results.load(RESULTS)
    page = (ROOT / report.GUIDE).read_text()
    assert page == report.replaced(page, report.section(kept)), "run `python -m benchmarks.run --again`"
    assert (ROOT / report.PLOT).read_text() == plot.svg(kept)


def test_results_are_kept_whole(found: results.Benchmark, tmp_path: Path) -> None:
    found.save(tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == found


def test_the_section_has_medians_and_ratios(found: results.Benchmark) -> None:
    section = report.section(found).replace(report.TIMES, "x")
    assert '"no-op, 50 services", "2.0 s; 50", "20 s (10x); 100 (2.0x)", "200 s (100x); 200 (4.0x)"' in section
    assert '"return after completion: 1 deployment of 5 s", "0.5 s", "does not wait", "1.0 s"' in section
    assert '"a service of a no-op, of 50 → of 200", "40 → 10 ms", "400 → 100 ms", "4000 → 1000 ms"' in section


def test_a_section_takes_the_place_of_another(found: results.Benchmark) -> None:
    section = report.section(found)
    page = report.replaced(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", section)
    assert page == f"before\n{section}\nafter\n"
    assert report.replaced(page, section) == page


def test_what_was_found_is_published_whole(found: results.Benchmark, tmp_path: Path) -> None:
    for folder in ("benchmarks", "docs/images", str(Path(report.GUIDE).parent)):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / report.GUIDE).write_text(f"{report.BEGIN}\n{report.END}\n")
    run.publish(found, tmp_path)
    assert results.load(tmp_path / "benchmarks/results.json") == found
    assert (tmp_path / report.GUIDE).read_text() == report.section(found) + "\n"
    assert ElementTree.parse(tmp_path / report.PLOT).getroot().tag.endswith("svg")


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for figures"):
        report.replaced("no markers", "section")


def test_the_screen_has_every_case_and_tool(found: results.Benchmark) -> None:
    text = report.text(found)
    assert all(case.name in text for case in found.cases())
    assert sum(line.startswith("  ecs-deploy") for line in text.splitlines()) == len(found.cases())


def test_labels_of_the_plot_do_not_meet(found: results.Benchmark) -> None:
    same = [dataclasses.replace(result, runs=[a_run(1.0, 5)]) for result in found.results]
    drawing = ElementTree.fromstring(plot.svg(results.Benchmark(found.about, same)))
    labels = [label for label in drawing.iter("{http://www.w3.org/2000/svg}text") if ":" in (label.text or "")]
    heights = sorted(float(label.attrib["y"]) for label in labels if label.attrib["x"] == labels[0].attrib["x"])
    assert len(heights) == len(NAMES)
    assert all(below - above >= plot.LABEL_GAP for above, below in itertools.pairwise(heights))


def test_cases_are_those_that_are_promised() -> None:
    idle = [case.services for case in run.cases(5) if not case.changed and case.revisions == 5]
    changes = [(case.services, case.changed) for case in run.cases(5) if case.changed and not case.rollout_seconds]
    assert idle == [1, 10, 50, 200]
    assert changes == [(50, 1), (50, 50)]


def test_the_table_of_the_site_says_when_the_service_is_stable() -> None:
    old, new = (SiteRun(60, 40, 100, 50, 200, 400, 8.0, 50.0), SiteRun(20, 10, 50, 5, 100, 30, 9.0, 17.25))
    runs = [SiteResult("0.1", "one variable", [old]), SiteResult("this version", "one variable", [new])]
    (row,) = site_report.rows(SiteBenchmark({}, runs))
    assert row[0] == "one variable (rollout 9.0 s, stable after 50 → 17 s)"
    assert row[1] == "60 → 20"


# Files in containers


def test_the_guide_says_what_the_file_of_copies_says() -> None:
    found = exec_report.load(ROOT / exec_report.RESULTS)
    page = (ROOT / report.GUIDE).read_text()
    section = exec_report.section(found)
    assert page == report.replaced(page, section, (exec_report.BEGIN, exec_report.END)), (
        "run `python -m benchmarks.exec --again`"
    )


def test_the_table_of_copies_has_medians_throughput_and_ratios() -> None:
    byte, large = exec_report.Case("fetch", 1), exec_report.Case("fetch", 10 * exec_report.MB)
    runs = [
        exec_report.ExecResult("ours", byte, [1.0, 9.0, 2.0]),
        exec_report.ExecResult("theirs", byte, [0.25]),
        exec_report.ExecResult("ours", large, [5.0]),
        exec_report.ExecResult("theirs", large, [0.5]),
    ]
    assert list(exec_report.rows(exec_report.ExecBenchmark({}, runs))) == [
        ["fetch, 1 byte", "2.0 s", "0.25 s", f"8.0{report.TIMES}"],
        ["fetch, 10 MB", "5.0 s; 2.0", "0.50 s; 20", f"10{report.TIMES}"],
    ]


@pytest.mark.parametrize("command", ["true", "false"])
def test_a_copy_that_is_not_the_file_has_no_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    case = exec_report.Case("fetch", 1)
    with pytest.raises(measure.Misdone, match="expected a copy of the file"):
        exec_benchmark.measure(lambda _place, _verb: [command], case, exec_benchmark.Place("app", tmp_path))
