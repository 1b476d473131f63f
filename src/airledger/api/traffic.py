"""Counts of this process's HTTP requests, for /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Traffic:
    """Requests by route and status, their durations, and the live connections."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "airledger_http_requests",
            "HTTP requests answered by this process.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "airledger_http_request_duration_seconds",
            "Time to the end of the answer; event streams are left out.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.live = Gauge(
            "airledger_live_clients",
            "Clients of the event stream, by transport.",
            ("transport",),
            registry=self.registry,
        )
        self.dropped = Counter(
            "airledger_live_clients_dropped", "Clients dropped for reading too slowly.", registry=self.registry
        )

        self._looks = Counter(
            "airledger_answer_cache", "Looks into the one-second cache of answers.", ("result",), registry=self.registry
        )

    def count_look(self, is_hit: bool) -> None:
        """Count a look into the cache of answers."""
        self._looks.labels("hit" if is_hit else "miss").inc()

    def count(self, method: str, route: str, status: int, duration_s: float | None) -> None:
        """Count one request; a duration of None is an endless answer that is not timed."""
        self._requests.labels(method, route, str(status)).inc()
        if duration_s is not None:
            self._duration.labels(route).observe(duration_s)
